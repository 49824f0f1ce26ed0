/** Whether somebody speaks close to the kiosk, from the level of its microphone; it knows no words. */

/** The room's own noise is followed so fast up, and so fast down. */
const NOISE_RISES_MS = 15_000;
const NOISE_FALLS_MS = 1_000;
/** On the meter's scale of 0 to 1: above the room by so much, and never below this. */
const ABOVE = 0.18;
const LEAST = 0.3;
/** Speech is loud for so long out of the last while; a slammed door is not. */
const LOUD_MS = 400;
const WINDOW_MS = 1_200;

export class Loudness {
  #noise = 0;
  #lastMs = -1;
  /** @type {{atMs: number, ms: number}[]} */
  #loud = [];

  /**
   * @param {number} level of `Microphone`, 0 to 1
   * @param {number} nowMs
   * @returns {boolean} whether somebody speaks
   */
  hear(level, nowMs) {
    const ms = this.#lastMs < 0 ? 0 : Math.min(200, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const isLoud = level > Math.max(LEAST, this.#noise + ABOVE);
    const share = Math.min(1, ms / (level > this.#noise ? NOISE_RISES_MS : NOISE_FALLS_MS));
    this.#noise += share * (level - this.#noise);
    if (isLoud) this.#loud.push({ atMs: nowMs, ms });
    this.#loud = this.#loud.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
    return this.#loud.reduce((sum, part) => sum + part.ms, 0) >= LOUD_MS;
  }

  /** Forget what was loud: it was the avatar's own voice. */
  reset() {
    this.#loud = [];
  }
}
