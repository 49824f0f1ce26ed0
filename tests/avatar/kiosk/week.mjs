/**
 * A week at the kiosk, at high speed: people, accidents and a service that comes and goes, around the page's own
 * rules. What a page keeps of its visitor is modelled as a note that only a wipe or a reload removes.
 */

import { step } from "../../../web_client/kiosk/machine.js";
import { DEFAULT_RULES, initialState } from "../../../web_client/kiosk/rules.js";

export const TICK_MS = 250;
export const HOUR_MS = 3_600_000;

/** @param {number} seed */
export function dice(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Week {
  nowMs = 0;
  rules = { ...DEFAULT_RULES, languages: ["en", "es"] };
  state = initialState(this.rules, 0);
  log = { visits: 0, wipes: 0, reloads: 0, aloud: 0, loudStarts: 0, countdowns: 0, saved: 0, screens: {} };
  faults = [];
  /** Whose words the page holds; a person's number. */
  held = new Set();
  person = 0;
  call = null; // {connectAtMs, open, language}
  serviceDownUntilMs = 0;
  cameraGoneUntilMs = 0;
  wipingUntilMs = 0;
  isSeen = false;

  constructor(seed, { breakWipe = false } = {}) {
    this.random = dice(seed);
    this.breakWipe = breakWipe;
  }

  get serviceUp() {
    return this.nowMs >= this.serviceDownUntilMs;
  }

  tell(event) {
    const before = this.state.screen;
    const { state, effects } = step(this.state, event, this.nowMs, this.rules);
    this.state = state;
    if (state.screen !== before) {
      this.log.screens[state.screen] = (this.log.screens[state.screen] ?? 0) + 1;
      if (state.screen === "countdown") this.log.countdowns += 1;
      if (state.screen === "call" && before === "countdown") this.log.saved += 1;
    }
    for (const effect of effects) this.obey(effect);
  }

  obey(effect) {
    switch (effect.do) {
      case "attract":
        if (effect.aloud) this.log.aloud += 1;
        break;
      case "dial":
        this.log.visits += 1;
        if (this.state.byVoice) this.log.loudStarts += 1;
        for (const other of this.held) {
          if (other !== this.person) this.faults.push(`visitor ${this.person} was met with words of ${other}`);
        }
        if (this.call) this.faults.push("two calls at a time");
        this.call = { connectAtMs: this.nowMs + 800, open: false, language: effect.language };
        break;
      case "switch":
        if (this.call) this.call.language = effect.language;
        break;
      case "hangUp":
        this.call = null;
        break;
      case "wipe":
        this.log.wipes += 1;
        if (!this.breakWipe) this.held.clear();
        this.wipingUntilMs = this.nowMs + 200;
        break;
      case "reload":
        if (!this.serviceUp) this.faults.push("reloaded without a service: the screen shows a browser's error");
        if (this.call) this.faults.push("reloaded in a call");
        this.log.reloads += 1;
        if (!this.breakWipe) this.held.clear();
        this.state = initialState(this.rules, this.nowMs, effect.deafMs);
        this.log.screens.broken = (this.log.screens.broken ?? 0) + 1;
    }
  }

  /** Let time pass, with whoever is there doing nothing. */
  pass(ms) {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      this.nowMs += TICK_MS;
      this.world();
      this.tell({ type: "tick" });
    }
  }

  world() {
    const cameraWorks = this.nowMs >= this.cameraGoneUntilMs;
    if (this.wipingUntilMs && this.nowMs >= this.wipingUntilMs) {
      this.wipingUntilMs = 0;
      this.tell({ type: "wiped" });
    }
    if (this.nowMs % 2000 === 0) this.tell({ type: "service", trouble: this.serviceUp ? null : "offline" });
    this.tell({ type: "presence", present: cameraWorks ? this.isSeen : null });
    if (!this.call) return;
    if (!this.serviceUp) {
      this.call = null;
      this.tell({ type: "ended", trouble: "offline" });
    } else if (!this.call.open && this.nowMs >= this.call.connectAtMs) {
      this.call.open = true;
      this.tell({ type: "connected" });
    }
  }

  arrive() {
    this.person += 1;
    this.isSeen = true;
    this.pass(1000);
  }

  goAway() {
    this.isSeen = false;
  }

  /** A turn: the person says something, the avatar answers. */
  talk() {
    if (!this.call?.open) return this.pass(2000);
    this.held.add(this.person);
    this.tell({ type: "words" });
    this.pass(1500);
    this.tell({ type: "answering", on: true });
    this.pass(3000);
    this.tell({ type: "answering", on: false });
    this.pass(500);
  }

  /** Until the kiosk waits for the next person again, or a limit is over. */
  untilFree(limitMs) {
    const untilMs = this.nowMs + limitMs;
    while (this.state.screen !== "attract" && this.nowMs < untilMs) this.pass(TICK_MS);
    if (this.state.screen !== "attract") this.faults.push(`after ${limitMs / 1000} s alone it shows ${this.state.screen}`);
  }
}

/** What people do, and how often. */
export const VISITS = {
  talks(week) {
    week.tell({ type: "touch" });
    week.pass(2000);
    week.tell({ type: "choose", language: week.random() < 0.5 ? "es" : "en" });
    week.pass(1500);
    const turns = 1 + Math.floor(week.random() * 6);
    for (let turn = 0; turn < turns; turn++) week.talk();
    if (week.random() < 0.5) week.tell({ type: "leave" });
    week.goAway();
  },
  leavesMidWord(week) {
    week.tell({ type: "choose", language: "en" });
    week.pass(2000);
    if (week.call?.open) week.held.add(week.person);
    week.tell({ type: "words" });
    week.goAway();
  },
  speaksFirst(week) {
    week.tell({ type: "voice" });
    week.pass(1500);
    week.talk();
    week.talk();
    week.goAway();
  },
  shouts(week) {
    for (let i = 0; i < 20; i++) {
      week.tell({ type: "voice" });
      week.pass(1000);
    }
    week.goAway();
  },
  hesitates(week) {
    week.tell({ type: "touch" });
    week.pass(500);
    week.tell({ type: "choose", language: "es" });
    week.pass(1500);
    week.talk();
    const untilMs = week.nowMs + 60_000;
    while (week.state.screen !== "countdown" && week.nowMs < untilMs) week.pass(TICK_MS);
    const isAsked = week.state.screen === "countdown";
    week.pass(4000);
    week.tell({ type: "stay" });
    if (isAsked && week.serviceUp && week.state.screen !== "call") week.faults.push(`"I am here" was answered by ${week.state.screen}`);
    week.talk();
    week.goAway();
  },
  hammers(week) {
    const touches = ["touch", "leave", "stay", "touch", "voice"];
    for (let i = 0; i < 40; i++) {
      const type = touches[Math.floor(week.random() * touches.length)];
      week.tell(week.random() < 0.3 ? { type: "choose", language: "es" } : { type });
      week.pass(TICK_MS);
    }
    week.goAway();
  },
  onlyLooks(week) {
    week.pass(15_000);
    week.goAway();
  },
  staff(week) {
    week.tell({ type: "staffOpen" });
    week.pass(10_000);
    if (week.random() < 0.5) week.tell({ type: "staffClose" });
    week.goAway();
  },
  staysAllDay(week) {
    week.tell({ type: "choose", language: "en" });
    week.pass(1500);
    for (let i = 0; i < 400 && week.call; i++) week.talk();
    week.goAway();
  },
};

export const ACCIDENTS = {
  networkUnplugged: (week) => (week.serviceDownUntilMs = week.nowMs + 5000 + week.random() * 60_000),
  cameraPulled: (week) => (week.cameraGoneUntilMs = week.nowMs + week.random() * 600_000),
  reloadAsked: (week) => week.tell({ type: "reload", why: "memory" }),
};
