import assert from "node:assert/strict";
import { test } from "node:test";

import { secondsLeft } from "../../../web_client/kiosk/machine.js";
import { ACCIDENTS, HOUR_MS, TICK_MS, VISITS, Week } from "./week.mjs";

/** @param {Week} week that just began */
function opened(week) {
  week.pass(2000);
  assert.equal(week.state.screen, "attract");
  return week;
}

function inCall(week = opened(new Week(1))) {
  week.arrive();
  week.tell({ type: "choose", language: "es" });
  week.pass(1000);
  assert.equal(week.state.screen, "call");
  return week;
}

test("the week goes by: everyone is met by a clean kiosk, and it always comes back", () => {
  for (const [seed, days] of [[1, 7], [2, 1], [3, 1]]) {
    const week = opened(new Week(seed));
    const kinds = Object.keys(VISITS);
    while (week.nowMs < days * 24 * HOUR_MS) {
      const accident = week.random() < 0.1 ? Object.keys(ACCIDENTS)[Math.floor(week.random() * 3)] : null;
      if (accident) ACCIDENTS[accident](week);
      week.arrive();
      const kind = week.random() < 0.01 ? "staysAllDay" : kinds[Math.floor(week.random() * (kinds.length - 1))];
      VISITS[kind](week);
      if (week.random() < 0.2) continue; // the next one is there already
      week.untilFree(150_000);
      if (week.faults.length) assert.fail(`seed ${seed}, ${kind}, ${accident}: ${week.faults[0]}`);
      week.pass(week.random() < 0.02 ? 8 * HOUR_MS : week.random() * 900_000);
    }
    assert.ok(week.log.visits > 45 * days, `visits: ${week.log.visits}`);
    assert.ok(week.log.aloud > 45 * days, `invitations aloud: ${week.log.aloud}`);
    assert.ok(week.log.saved > days, `countdowns stopped: ${week.log.saved}`);
    assert.ok(week.log.reloads >= week.log.visits / 2, `reloads: ${week.log.reloads}`);
    for (const screen of ["attract", "welcome", "connecting", "call", "countdown", "goodbye", "staff", "broken"]) {
      assert.ok(week.log.screens[screen], `never seen: ${screen}`);
    }
  }
});

test("a kiosk that forgot to wipe is caught by the week", () => {
  const week = opened(new Week(5, { breakWipe: true }));
  for (let i = 0; i < 3; i++) {
    week.arrive();
    VISITS.talks(week);
    week.untilFree(150_000);
  }
  assert.match(week.faults[0], /was met with words of/);
});

test("who leaves the camera's picture mid-word is waited for 8 s, then counted down", () => {
  const week = inCall();
  week.tell({ type: "words" });
  week.goAway();
  week.pass(7500);
  assert.equal(week.state.screen, "call");
  week.pass(1000);
  assert.equal(week.state.screen, "countdown");
  week.pass(10_500);
  assert.equal(week.state.screen, "goodbye");
});

test("the countdown shows whole seconds, and a touch or a word stops it", () => {
  for (const type of ["touch", "stay", "words"]) {
    const week = inCall();
    while (week.state.screen !== "countdown") week.pass(TICK_MS);
    assert.equal(secondsLeft(week.state, week.nowMs, week.rules), 10);
    week.pass(3250);
    assert.equal(secondsLeft(week.state, week.nowMs, week.rules), 7);
    week.tell({ type });
    assert.equal(week.state.screen, "call");
    assert.equal(secondsLeft(week.state, week.nowMs, week.rules), 0);
  }
});

test("an answer that is being spoken is never counted down", () => {
  const week = inCall();
  week.tell({ type: "answering", on: true });
  week.pass(120_000);
  assert.equal(week.state.screen, "call");
});

test("after twenty minutes only a hand keeps the call: a television's words don't", () => {
  const week = inCall();
  while (week.state.screen === "call") week.talk();
  assert.ok(week.nowMs > 19 * 60_000);
  week.tell({ type: "words" });
  assert.equal(week.state.screen, "countdown");
  week.tell({ type: "touch" });
  assert.equal(week.state.screen, "call");
});

test("noise begins a visit once, then for longer and longer none", () => {
  const week = opened(new Week(1));
  const starts = [];
  for (let i = 0; i < 3600; i++) {
    const before = week.log.loudStarts;
    week.tell({ type: "voice" });
    if (week.log.loudStarts > before) starts.push(week.nowMs);
    week.pass(1000);
  }
  const gaps = starts.slice(1).map((at, i) => at - starts[i]);
  assert.ok(gaps.length >= 3, `${gaps}`);
  assert.ok(gaps.every((gap, i) => i === 0 || gap > gaps[i - 1] || gap > 15 * 60_000), `${gaps}`);
});

test("a coat in the camera's picture wakes it once, and the next person does again", () => {
  const week = opened(new Week(1));
  week.isSeen = true;
  week.pass(1000);
  assert.equal(week.state.screen, "welcome");
  week.pass(10 * 60_000);
  assert.equal(week.state.screen, "attract");
  assert.equal(week.log.screens.welcome, 1);
  week.isSeen = false;
  week.pass(1000);
  week.isSeen = true;
  week.pass(1000);
  assert.equal(week.state.screen, "welcome");
});

test("without a service the page stays, says so, and goes on when it is back", () => {
  const week = inCall();
  week.serviceDownUntilMs = week.nowMs + 60_000;
  week.pass(15_000);
  assert.equal(week.state.screen, "broken");
  week.pass(60_000);
  assert.equal(week.state.screen, "attract");
  assert.deepEqual(week.faults, []);
  assert.equal(week.log.reloads, 1);
});

test("a reload that the service asks for waits for the visitor", () => {
  const week = inCall();
  week.tell({ type: "reload", why: "memory" });
  week.pass(5000);
  assert.equal(week.log.reloads, 0);
  week.tell({ type: "leave" });
  week.pass(5000);
  assert.equal(week.log.reloads, 1);
});

test("a call that does not come about is given up", () => {
  const week = opened(new Week(1));
  week.tell({ type: "choose", language: "en" });
  week.call.connectAtMs = Infinity;
  week.pass(40_000);
  assert.equal(week.state.screen, "attract");
});

test("the languages take turns, and now and then one is spoken", () => {
  const week = opened(new Week(1));
  const shown = [];
  for (let i = 0; i < 4; i++) {
    shown.push(week.state.language);
    week.pass(week.rules.inviteEveryMs);
  }
  assert.deepEqual(shown, ["en", "es", "en", "es"]);
  week.pass(HOUR_MS);
  assert.ok(week.log.aloud >= 18 && week.log.aloud <= 20, `${week.log.aloud}`);
});

test("with one language a touch is enough", () => {
  const week = new Week(1);
  week.rules.languages = ["es"];
  week.state.language = "es";
  opened(week);
  week.tell({ type: "touch" });
  assert.equal(week.state.screen, "connecting");
});

test("staff who walk away leave nothing open", () => {
  const week = inCall();
  week.tell({ type: "staffOpen" });
  assert.equal(week.call, null);
  week.pass(70_000);
  assert.equal(week.state.screen, "attract");
  assert.equal(week.log.wipes, 1);
});

test("a language chosen in the call is the call's from then on", () => {
  const week = inCall();
  week.tell({ type: "choose", language: "en" });
  assert.equal(week.call.language, "en");
  week.tell({ type: "choose", language: "xx" });
  assert.equal(week.call.language, "en");
  assert.ok(week.nowMs % TICK_MS === 0);
});
