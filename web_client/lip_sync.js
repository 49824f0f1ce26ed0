/**
 * Keeps lips and voice together, by what the browser tells of when it plays both.
 *
 * Browsers do so themselves, but Chromium lets 30 ms be, looks once a second, and has to climb over what
 * `jitterBufferTarget` asks for before its own delay counts: for its first 20 s a call's voice is late.
 */

import { median } from "./median.js";
import { skewOf } from "./skew.js";

const READ_EVERY_MS = 200;
/** So many in a row are one: single ones scatter by half a picture. */
const READINGS = 5;
/** Nearer than this is together. */
const TOGETHER_MS = 8;
/** How long a voice is buffered at least: as long as the server's bursts after a stall (avatar/rtc/clock.py). */
const VOICE_MS = 100;
/** How much later a voice is heard than its buffer says, before it is measured: Chromium's way to the loudspeaker. */
const OUTPUT_MS = 40;
/** Waiting for the other one for longer would be worse than being apart. */
const LONGEST_MS = 1_000;
/** Changed at once, at most: a voice that is late after a stall catches up by itself meanwhile. */
const STEP_MS = 100;
/** Chromium moves the delay of the video by so much, and that of the voice more slowly. */
const MOVES_MS_PER_S = 100;

export class LipSync {
  #voice;
  #face;
  /** How much longer the face is asked to be buffered than the voice, in ms. */
  #extraMs = OUTPUT_MS;
  /** @type {number[]} since the last change took effect */
  #readings = [];
  #settledMs = 0;
  #pictures = 0;
  #timer = 0;

  /**
   * @param {Pick<RTCRtpReceiver, "jitterBufferTarget">} voice
   * @param {Pick<RTCRtpReceiver, "jitterBufferTarget">} face
   */
  constructor(voice, face) {
    this.#voice = voice;
    this.#face = face;
    this.#apply();
  }

  /**
   * Read now and then from now on.
   *
   * @param {() => Promise<RTCStatsReport>} stats of the connection of both
   */
  follow(stats) {
    this.#timer = window.setInterval(async () => this.read(await stats(), performance.now()), READ_EVERY_MS);
  }

  /** Leave both as they are. Again is harmless. */
  stop() {
    window.clearInterval(this.#timer);
  }

  /**
   * Take a reading; where several agree that the two are apart, one of them is made to wait for the other.
   *
   * @param {RTCStatsReport} report
   * @param {number} nowMs
   */
  read(report, nowMs) {
    const skewMs = this.#hasNewPicture(report) ? skewOf(report) : null;
    if (skewMs === null) this.#readings = []; // What is told of a video that has stopped is of its last picture.
    if (skewMs === null || nowMs < this.#settledMs) return;
    this.#readings = [...this.#readings, skewMs].slice(-READINGS);
    const apartMs = this.#readings.length < READINGS ? 0 : (median(this.#readings) ?? 0);
    if (Math.abs(apartMs) <= TOGETHER_MS) return;
    const stepMs = between(-STEP_MS, -apartMs, STEP_MS);
    this.#extraMs = between(-LONGEST_MS, this.#extraMs + stepMs, LONGEST_MS - VOICE_MS);
    this.#apply();
    this.#readings = [];
    this.#settledMs = nowMs + (1000 * Math.abs(stepMs)) / MOVES_MS_PER_S;
  }

  /** @param {RTCStatsReport} report */
  #hasNewPicture(report) {
    const before = this.#pictures;
    report.forEach((entry) => {
      if (entry.type === "inbound-rtp" && entry.kind === "video") this.#pictures = entry.framesDecoded ?? 0;
    });
    return this.#pictures > before;
  }

  #apply() {
    this.#voice.jitterBufferTarget = Math.round(Math.max(VOICE_MS, -this.#extraMs));
    this.#face.jitterBufferTarget = Math.round(Math.max(0, VOICE_MS + this.#extraMs));
  }
}

/**
 * @param {number} least
 * @param {number} value
 * @param {number} most
 */
function between(least, value, most) {
  return Math.max(least, Math.min(value, most));
}
