import assert from "node:assert/strict";
import { test } from "node:test";

import { HEIGHT, Presence, WIDTH } from "../../../web_client/kiosk/presence.js";
import { Loudness } from "../../../web_client/kiosk/loudness.js";
import { dice } from "./week.mjs";

const FRAME_MS = 200;

/** A room with a noisy camera; `person` is where one stands, in columns; `light` is added everywhere. */
class Room {
  nowMs = 0;
  presence = new Presence();
  random = dice(7);

  show({ person = null, light = 0, noise = 8, forMs = FRAME_MS } = {}) {
    for (const untilMs = this.nowMs + forMs; this.nowMs < untilMs; this.nowMs += FRAME_MS) {
      const luma = new Uint8Array(WIDTH * HEIGHT);
      for (let y = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++) {
          const isPerson = person !== null && Math.abs(x - person) < 6 && y > 12;
          const grey = (isPerson ? 40 : 110 + 30 * Math.sin(x / 9)) + light + noise * (this.random() - 0.5);
          luma[y * WIDTH + x] = Math.max(0, Math.min(255, grey));
        }
      }
      this.presence.look(luma, this.nowMs);
    }
    return this.presence.present;
  }

  walks(forMs) {
    for (let ms = 0; ms < forMs; ms += FRAME_MS) this.show({ person: 10 + ((ms / 100) % 40) });
    return this.presence.present;
  }
}

test("an empty room is empty, whatever the light and the camera's noise do", () => {
  const room = new Room();
  assert.equal(room.show({ forMs: 10_000 }), false);
  for (let light = 0; light < 60; light += 4) assert.equal(room.show({ light, forMs: 1000 }), false);
  assert.equal(room.show({ light: -40, forMs: 5000 }), false);
  assert.equal(room.show({ noise: 20, forMs: 10_000 }), false);
});

test("somebody who comes is seen within a second, and gone within six", () => {
  const room = new Room();
  room.show({ forMs: 10_000 });
  assert.equal(room.walks(1000), true);
  assert.equal(room.walks(30_000), true);
  room.show({ forMs: 6000 });
  assert.equal(room.show({}), false);
});

test("who stands still for a while is still there", () => {
  const room = new Room();
  room.show({ forMs: 10_000 });
  assert.equal(room.show({ person: 30, forMs: 15_000 }), true);
});

test("what stays for minutes becomes the room", () => {
  const room = new Room();
  room.show({ forMs: 10_000 });
  assert.equal(room.show({ person: 30, forMs: 240_000 }), false);
});

test("one odd picture is nobody, and a covered lens isn't either", () => {
  const room = new Room();
  room.show({ forMs: 10_000 });
  assert.equal(room.show({ person: 30 }), false);
  assert.equal(room.show({ forMs: 2000 }), false);
  room.presence.look(new Uint8Array(WIDTH * HEIGHT), room.nowMs + 200);
  assert.equal(room.presence.present, false);
});

/** @param {(ms: number) => number} level */
function heard(level, forMs, loudness = new Loudness()) {
  let times = 0;
  for (let ms = 0; ms < forMs; ms += 60) if (loudness.hear(level(ms), ms)) times += 1;
  return times;
}

test("speech close by is heard, a door or a steady fan is not", () => {
  const speech = (ms) => (ms > 5000 && ms % 300 < 200 ? 0.7 : 0.1);
  assert.ok(heard(speech, 7000) > 0);
  assert.equal(heard((ms) => (ms > 5000 && ms < 5200 ? 1 : 0.1), 8000), 0);
  assert.equal(heard(() => 0.25, 60_000), 0);
});

test("a hall that grows louder is not speech for ever", () => {
  const hall = new Loudness();
  heard(() => 0.6, 60_000, hall);
  let times = 0;
  for (let ms = 60_000; ms < 120_000; ms += 60) if (hall.hear(0.6 + 0.05 * Math.sin(ms), ms)) times += 1;
  assert.equal(times, 0);
});
