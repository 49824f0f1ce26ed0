import assert from "node:assert/strict";
import { test } from "node:test";

import { LipSync } from "../../../web_client/lip_sync.js";

const STEP_MS = 200;
const MOVES_MS = 20; // of a delay in a step, as Chromium does

/** A browser that plays a voice and a face, each with delays of its own. */
class Browser {
  nowMs = 10_000;
  changes = 0;
  pictures = 0;
  showsVideo = true;
  face = { jitterBufferTarget: null };
  voice = { jitterBufferTarget: null };

  /** @param {{outputMs?: number, voiceMs?: number, faceMs?: number, scatterMs?: number}} own delays, whatever is asked for */
  constructor({ outputMs = 30, voiceMs = 40, faceMs = 40, scatterMs = 0 } = {}) {
    Object.assign(this, { outputMs, voiceMs, faceMs, scatterMs });
    this.sync = new LipSync(this.voice, this.face);
    this.voiceDelayMs = this.#wanted("voice");
    this.faceDelayMs = this.#wanted("face");
  }

  /** Let time pass; the apartness at its end, positive where the voice is early. */
  pass(seconds) {
    for (let step = 0; step < (seconds * 1000) / STEP_MS; step++) {
      this.nowMs += STEP_MS;
      this.pictures += this.showsVideo ? 5 : 0;
      this.voiceDelayMs = towards(this.voiceDelayMs, this.#wanted("voice"));
      this.faceDelayMs = towards(this.faceDelayMs, this.#wanted("face"));
      const before = this.#targets();
      this.sync.read(this.#report(step), this.nowMs);
      if (this.#targets() !== before) this.changes += 1;
    }
    return this.apartMs;
  }

  get apartMs() {
    return this.faceDelayMs - this.voiceDelayMs;
  }

  #targets() {
    return `${this.voice.jitterBufferTarget} ${this.face.jitterBufferTarget}`;
  }

  #wanted(kind) {
    const bufferMs = Math.max(this[kind].jitterBufferTarget ?? 0, this[`${kind}Ms`]);
    return kind === "voice" ? bufferMs + this.outputMs : bufferMs;
  }

  #report(step) {
    const scatterMs = this.scatterMs * ((step % 3) - 1);
    const stopped = this.showsVideo ? 0 : 500; // what is told of a video that has stopped goes astray
    const entry = (kind, playedMs) => ({ type: "inbound-rtp", kind, estimatedPlayoutTimestamp: playedMs });
    return new Map([
      ["a", entry("audio", this.nowMs - this.voiceDelayMs + scatterMs)],
      ["v", { ...entry("video", this.nowMs - this.faceDelayMs + stopped), framesDecoded: this.pictures }],
    ]);
  }
}

function towards(delayMs, wantedMs) {
  return delayMs + Math.max(-MOVES_MS, Math.min(wantedMs - delayMs, MOVES_MS));
}

test("lips and voice are together from the beginning, and nothing is touched then", () => {
  const browser = new Browser();
  assert.ok(Math.abs(browser.apartMs) <= 20);
  assert.ok(Math.abs(browser.pass(3)) <= 8);
  const { changes } = browser;
  browser.pass(600);
  assert.equal(browser.changes, changes);
});

test("readings that scatter by half a picture move nothing", () => {
  const browser = new Browser({ scatterMs: 20 });
  browser.pass(3);
  const { changes } = browser;
  browser.pass(600);
  assert.equal(browser.changes, changes);
  assert.ok(Math.abs(browser.apartMs) <= 8);
});

test("a loudspeaker that is far off is waited for by the face", () => {
  const browser = new Browser({ outputMs: 230 });
  assert.ok(Math.abs(browser.pass(6)) <= 8);
  assert.equal(browser.voice.jitterBufferTarget, 100);
});

test("a voice whose buffer grows in mid-call is waited for within seconds, and less when it shrinks", () => {
  const browser = new Browser();
  browser.pass(10);
  browser.voiceMs = 220;
  assert.ok(Math.abs(browser.pass(5)) <= 8);
  browser.voiceMs = 40;
  assert.ok(Math.abs(browser.pass(5)) <= 8);
  assert.ok(browser.face.jitterBufferTarget < 150);
});

test("a face that can't come sooner is waited for by the voice", () => {
  const browser = new Browser({ faceMs: 260 });
  assert.ok(Math.abs(browser.pass(12)) <= 8);
  assert.ok(browser.voice.jitterBufferTarget > 200);
});

test("a video that has stopped tells nothing", () => {
  const browser = new Browser();
  browser.pass(3);
  const { changes } = browser;
  browser.showsVideo = false;
  browser.pass(20);
  assert.equal(browser.changes, changes);
});

test("nothing waits for more than a second for what never comes", () => {
  const browser = new Browser({ outputMs: 900 });
  browser.outputMs = 1_400;
  browser.pass(60);
  assert.ok(browser.face.jitterBufferTarget <= 1_000);
});
