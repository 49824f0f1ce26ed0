/** Camera, morphs and rotations, as in render/baked/rig.py: metres, z up, the face looks along -y. */

/** @typedef {import("./asset.js").Camera} Camera */
/** @typedef {import("./asset.js").Morphs} Morphs */

/**
 * @param {Camera} camera
 * @param {ArrayLike<number>} points x y z of each
 * @returns {Float32Array} plate x and y of each
 */
export function project(camera, points) {
  const out = new Float32Array((points.length / 3) * 2);
  for (let i = 0, o = 0; i < points.length; i += 3, o += 2) {
    const scale = (camera.focal * camera.plate_px) / (points[i + 1] + camera.distance);
    out[o] = camera.plate_px / 2 + points[i] * scale;
    out[o + 1] = camera.plate_px / 2 - (points[i + 2] - camera.height) * scale;
  }
  return out;
}

/**
 * @param {Camera} camera
 * @param {number} x of the plate
 * @param {number} y of the plate
 * @param {number} depth
 * @returns {[number, number, number]}
 */
export function unproject(camera, x, y, depth) {
  const scale = (depth + camera.distance) / (camera.focal * camera.plate_px);
  return [(x - camera.plate_px / 2) * scale, depth, camera.height - (y - camera.plate_px / 2) * scale];
}

/**
 * @param {Morphs} morphs
 * @param {ArrayLike<number>} weights
 * @param {Float32Array} out vertices
 */
export function morph({ vertices, starts, indices, deltas }, weights, out) {
  out.set(vertices);
  for (let k = 0; k < weights.length; k += 1) {
    const weight = weights[k];
    if (weight === 0) continue;
    for (let row = starts[k], end = starts[k + 1]; row < end; row += 1) {
      const at = indices[row] * 3;
      out[at] += weight * deltas[row * 3];
      out[at + 1] += weight * deltas[row * 3 + 1];
      out[at + 2] += weight * deltas[row * 3 + 2];
    }
  }
}

/**
 * @param {number} yaw
 * @param {number} pitch
 * @param {number} roll
 * @returns {number[]} the matrix for column vectors, row by row; signs as `FacePose.head`
 */
export function rotation(yaw, pitch, roll) {
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  const z = [cy, -sy, 0, sy, cy, 0, 0, 0, 1];
  const x = [1, 0, 0, 0, cp, sp, 0, -sp, cp];
  const y = [cr, 0, sr, 0, 1, 0, -sr, 0, cr];
  return product(product(z, x), y);
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function product(a, b) {
  return a.map((_, i) => [0, 1, 2].reduce((sum, k) => sum + a[i - (i % 3) + k] * b[k * 3 + (i % 3)], 0));
}

/** @param {number} value */
export const clip = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

/**
 * @param {ArrayLike<number>} values
 * @param {number} share
 */
export function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
