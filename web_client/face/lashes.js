/** Lash ribbons with a dark line along their roots, as render/baked/lash_line.py. */

import { clip } from "./geometry.js";

/** @typedef {import("./asset.js").Morphs} Morphs */

const ROOT_V = 0.5;
const ROOT_HALF = 0.02;
const DARK_BAND = 0.1;
const RISE_M = 0.0007;
const FALL_M = 0.0006;
const TAPER = 4;
const UPPER_OPACITY = 0.95;
const LOWER_OPACITY = 0.3;

/**
 * @param {import("./asset.js").FaceAsset} face
 * @returns {{morphs: Morphs, uv: Float32Array, paint: Float32Array, triangles: Uint16Array}} `uv` in [0, 1];
 *   `paint`: brightness and opacity
 */
export function lashRibbons({ lashes, lashTriangles, lashUv }) {
  const own = lashes.vertices.length / 3;
  const uv = [...lashUv];
  /** @type {number[]} */ const triangles = [];
  /** @type {{from: number, rise: number, opacity: number}[]} */ const added = [];
  for (const isUpper of [true, false]) {
    for (const isLeft of [true, false]) {
      const root = rootOf(lashes.vertices, lashUv, lashTriangles, isUpper, isLeft);
      if (root.length < 2) continue;
      const n = root.length;
      const first = own + added.length;
      for (const from of root) uv[from * 2 + 1] = ROOT_V + (isUpper ? -DARK_BAND : DARK_BAND);
      for (const [rise, share] of [[RISE_M, 0], [0, 1], [-FALL_M, 0]]) {
        root.forEach((from, k) => {
          const end = clip(Math.min(k, n - 1 - k) / TAPER);
          added.push({ from, rise, opacity: share * end * (isUpper ? UPPER_OPACITY : LOWER_OPACITY) });
        });
      }
      for (let k = 0; k < 2 * n; k += 1) {
        const a = first + k;
        if (k % n < n - 1) triangles.push(a, a + 1, a + n, a + 1, a + n + 1, a + n);
      }
    }
  }
  for (const { from } of added) uv.push(lashUv[from * 2], ROOT_V);
  const vertices = Float32Array.from([
    ...lashes.vertices,
    ...added.flatMap(({ from, rise }) => [0, 1, 2].map((c) => lashes.vertices[from * 3 + c] + (c === 2 ? rise : 0))),
  ]);
  const paint = new Float32Array((own + added.length) * 2).fill(1);
  added.forEach(({ opacity }, k) => (paint[(own + k) * 2 + 1] = opacity));
  return {
    morphs: { vertices, ...moving(lashes, own, added) },
    uv: Float32Array.from(uv),
    paint,
    triangles: Uint16Array.from([...triangles, ...lashTriangles]),
  };
}

/**
 * @param {Float32Array} vertices
 * @param {Float32Array} uv
 * @param {Uint16Array} triangles
 * @param {boolean} isUpper
 * @param {boolean} isLeft
 * @returns {number[]} vertices at the roots of one ribbon, along it
 */
function rootOf(vertices, uv, triangles, isUpper, isLeft) {
  const isHair = (/** @type {number} */ i) =>
    isUpper ? uv[i * 2 + 1] < ROOT_V - ROOT_HALF : uv[i * 2 + 1] > ROOT_V + ROOT_HALF;
  /** @type {Set<number>} */ const used = new Set();
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = triangles.subarray(t, t + 3);
    if (corners.some(isHair)) corners.forEach((i) => used.add(i));
  }
  return [...used]
    .filter((i) => Math.abs(uv[i * 2 + 1] - ROOT_V) < ROOT_HALF && vertices[i * 3] > 0 === isLeft)
    .sort((a, b) => vertices[a * 3] - vertices[b * 3]);
}

/**
 * @param {Morphs} lashes
 * @param {number} own
 * @param {{from: number}[]} added each moves as the one that it was made from
 */
function moving({ starts, indices, deltas }, own, added) {
  /** @type {number[][]} */ const copies = Array.from({ length: own }, () => []);
  added.forEach(({ from }, k) => copies[from].push(own + k));
  /** @type {number[]} */ const newStarts = [0];
  /** @type {number[]} */ const newIndices = [];
  /** @type {number[]} */ const newDeltas = [];
  for (let k = 0; k < starts.length - 1; k += 1) {
    for (let row = starts[k]; row < starts[k + 1]; row += 1) {
      for (const vertex of [indices[row], ...copies[indices[row]]]) {
        newIndices.push(vertex);
        newDeltas.push(...deltas.subarray(row * 3, row * 3 + 3));
      }
    }
    newStarts.push(newIndices.length);
  }
  return { starts: Int32Array.from(newStarts), indices: Int32Array.from(newIndices), deltas: Float32Array.from(newDeltas) };
}
