/**
 * Whether somebody moves in front of the camera, from tiny grey pictures. Nothing of them is kept but a slow
 * average of the scene, and nothing leaves this file but yes or no.
 */

/** Of the pictures: enough to see a person at three metres, too little to know one. */
export const WIDTH = 64;
export const HEIGHT = 48;

/** The scene is learnt with this time constant: a moved chair is soon part of it, a person who stays is not. */
const LEARN_EMPTY_MS = 20_000;
const LEARN_PRESENT_MS = 60_000;
/** Grey levels (of 255) that a pixel must differ by: twice the noise of a cheap camera in a dim room. */
const DIFFERENT = 22;
/** Share of the pixels: a person at three metres covers about 4 %. */
const APPEARS = 0.02;
const VANISHES = 0.008;
/** More than this is the light, or somebody who moved the camera. */
const ALL_CHANGED = 0.85;
/** A single flicker is nobody. */
const APPEARS_AFTER_MS = 600;
const VANISHES_AFTER_MS = 4_000;

export class Presence {
  /** Whether somebody is there. */
  present = false;

  /** @type {Float32Array | null} */
  #scene = null;
  #lastMs = 0;
  /** @type {number | null} since when the pictures have said something else than `present` */
  #otherwiseMs = null;

  /**
   * @param {Uint8Array} luma `WIDTH` x `HEIGHT`, row by row
   * @param {number} nowMs
   * @returns {boolean} `present`
   */
  look(luma, nowMs) {
    const scene = this.#scene;
    if (!scene || scene.length !== luma.length) {
      this.#scene = Float32Array.from(luma);
      this.#lastMs = nowMs;
      return this.present;
    }
    const changed = this.#compare(luma, scene);
    const learnMs = this.present ? LEARN_PRESENT_MS : LEARN_EMPTY_MS;
    this.#learn(luma, scene, changed > ALL_CHANGED ? 1 : Math.min(1, (nowMs - this.#lastMs) / learnMs));
    this.#lastMs = nowMs;
    if (changed <= ALL_CHANGED) this.#decide(changed, nowMs);
    return this.present;
  }

  /** Forget the scene, as after the camera was away. */
  reset() {
    this.#scene = null;
    this.#otherwiseMs = null;
    this.present = false;
  }

  /**
   * The share of pixels that are not the scene's. What all of them differ by is the light (lamps, clouds, the
   * camera's own exposure) and is taken off first.
   *
   * @param {Uint8Array} luma
   * @param {Float32Array} scene
   */
  #compare(luma, scene) {
    const light = median(luma.map((value, i) => clamp(value - (scene[i] ?? 0) + 128))) - 128;
    let changed = 0;
    luma.forEach((value, i) => {
      if (Math.abs(value - (scene[i] ?? 0) - light) > DIFFERENT) changed += 1;
    });
    return changed / luma.length;
  }

  /**
   * @param {Uint8Array} luma
   * @param {Float32Array} scene changed
   * @param {number} share of the new picture
   */
  #learn(luma, scene, share) {
    luma.forEach((value, i) => {
      scene[i] = (scene[i] ?? 0) + share * (value - (scene[i] ?? 0));
    });
  }

  /**
   * @param {number} changed
   * @param {number} nowMs
   */
  #decide(changed, nowMs) {
    const seen = changed > (this.present ? VANISHES : APPEARS);
    if (seen === this.present) {
      this.#otherwiseMs = null;
      return;
    }
    this.#otherwiseMs ??= nowMs;
    if (nowMs - this.#otherwiseMs < (seen ? APPEARS_AFTER_MS : VANISHES_AFTER_MS)) return;
    this.present = seen;
    this.#otherwiseMs = null;
  }
}

/** @param {number} value */
function clamp(value) {
  return Math.max(0, Math.min(255, value));
}

/**
 * @param {Uint8Array} values
 * @returns {number}
 */
function median(values) {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  let below = 0;
  for (let value = 0; value < 256; value++) {
    below += counts[value] ?? 0;
    if (2 * below >= values.length) return value;
  }
  return 255;
}
