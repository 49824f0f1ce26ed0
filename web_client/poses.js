/** The poses of docs/protocol.md: read from the data channel, and given out in their sound's time. */

/**
 * @typedef {object} Pose
 * @property {Float32Array} weights the 52 ARKit blendshapes in alphabetical order, 0 to 1
 * @property {Float32Array} head yaw, pitch, roll in radians
 * @property {Float32Array} gaze yaw, pitch in radians, relative to the head
 * @property {number} vergence radians between the eyes' directions
 * @property {number} breath 0 to 1
 */

/** @typedef {{sequence: number, at: number, pose: Pose}} Stamped `at`: sample of the audio, never wrapping */

/** Names of a pose's weights, in their order: ARKit's blendshapes, alphabetical. */
export const ARKIT = Object.freeze([
  "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
  "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
  "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
  "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
  "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
  "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
  "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
  "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
  "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
]);

const VERSION = 1;
const POSE_BYTES = 74;
const RADIANS_PER_STEP = 1e-4;
/** Two poses further apart are not blended: a quarter of a second at 48 kHz. */
const BLEND_LIMIT = 12_000;
/** What waits for its sound at most: some seconds. */
const KEPT_LIMIT = 256;

export class PoseQueue {
  /** @type {Stamped[]} in order of time */
  #poses = [];
  /** @type {number | null} the last timestamp that was unwrapped */
  #reference = null;

  /** @param {unknown} message of the data channel; one that holds no poses is left out */
  take(message) {
    if (!(message instanceof ArrayBuffer) || message.byteLength % POSE_BYTES !== 0) return;
    for (let start = 0; start < message.byteLength; start += POSE_BYTES) {
      const view = new DataView(message, start, POSE_BYTES);
      if (view.getUint8(0) === VERSION) this.#put(view);
    }
  }

  /** Forget everything. */
  clear() {
    this.#poses = [];
    this.#reference = null;
  }

  /**
   * The face at a moment of the sound, between the poses around it.
   *
   * @param {number} timestamp RTP timestamp of what is heard, modulo 2^32; may have a fraction
   * @returns {Pose | null} null while no pose is known
   */
  at(timestamp) {
    const poses = this.#poses;
    if (this.#reference === null || poses.length === 0) return null;
    const at = this.#unwrap(timestamp);
    while (poses.length > 1 && /** @type {Stamped} */ (poses[1]).at <= at) poses.shift();
    const [before, after] = poses;
    if (!before) return null;
    if (!after || at <= before.at || after.at - before.at > BLEND_LIMIT) return before.pose;
    return blend(before.pose, after.pose, (at - before.at) / (after.at - before.at));
  }

  /** @param {DataView} view */
  #put(view) {
    const timestamp = view.getUint32(4, true);
    this.#reference = this.#reference === null ? timestamp : Math.max(this.#reference, this.#unwrap(timestamp));
    const stamped = { sequence: view.getUint16(2, true), at: this.#unwrap(timestamp), pose: read(view) };
    const poses = this.#poses;
    let place = poses.length;
    while (place > 0 && /** @type {Stamped} */ (poses[place - 1]).at >= stamped.at) place -= 1;
    const same = poses[place];
    if (same?.at !== stamped.at) poses.splice(place, 0, stamped);
    else if (isNewer(stamped.sequence, same.sequence)) poses[place] = stamped;
    if (poses.length > KEPT_LIMIT) poses.shift();
  }

  /** @param {number} timestamp */
  #unwrap(timestamp) {
    const reference = this.#reference ?? 0;
    const ahead = (((timestamp - reference) % 2 ** 32) + 2 ** 32 + 2 ** 31) % 2 ** 32 - 2 ** 31;
    return reference + ahead;
  }
}

/**
 * @param {number} sequence
 * @param {number} other
 */
function isNewer(sequence, other) {
  const ahead = (sequence - other + 2 ** 16) % 2 ** 16;
  return ahead > 0 && ahead < 2 ** 15;
}

/**
 * @param {DataView} view
 * @returns {Pose}
 */
function read(view) {
  const weights = Float32Array.from({ length: ARKIT.length }, (_, i) => view.getUint8(8 + i) / 255);
  const angle = (/** @type {number} */ i) => view.getInt16(60 + 2 * i, true) * RADIANS_PER_STEP;
  return {
    weights,
    head: Float32Array.of(angle(0), angle(1), angle(2)),
    gaze: Float32Array.of(angle(3), angle(4)),
    vergence: angle(5),
    breath: view.getUint8(72) / 255,
  };
}

/**
 * @param {Pose} a
 * @param {Pose} b
 * @param {number} share of b
 * @returns {Pose}
 */
function blend(a, b, share) {
  const mix = (/** @type {number} */ x, /** @type {number} */ y) => x + (y - x) * share;
  const each = (/** @type {Float32Array} */ xs, /** @type {Float32Array} */ ys) => xs.map((x, i) => mix(x, ys[i] ?? x));
  return {
    weights: each(a.weights, b.weights),
    head: each(a.head, b.head),
    gaze: each(a.gaze, b.gaze),
    vergence: mix(a.vergence, b.vergence),
    breath: mix(a.breath, b.breath),
  };
}
