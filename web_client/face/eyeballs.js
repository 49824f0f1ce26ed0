/** The eyes' plate made fit to turn, as in render/baked/eyeballs.py: what light reflects in an eye stays put. */

import { clip, quantile } from "./geometry.js";

const RINGS = 64;
const SPOKES = 180;
/** Of the eyeball's radius: the cornea. */
const GLINT_REACH = 0.52;
/** Levels above the ring. */
const GLINT_FROM = 18;
const GLINT_FULL = 50;
/** Farther out a plate may show the lids' inside, or nothing. */
const WHITE_REACH = 0.6;
/** Of brightness, from there to the rim: the lids' shade. */
const EDGE_DIM = 0.18;

/**
 * @param {ImageData} plate
 * @param {[number, number][]} centres of the eyeballs, in texels
 * @param {number} radius in texels
 * @returns {{clean: ImageData, glints: ImageData}} the plate without reflections, and those alone; straight alpha
 */
export function withoutGlints(plate, centres, radius) {
  const clean = new ImageData(plate.data.slice(), plate.width, plate.height);
  const glints = new ImageData(plate.width, plate.height);
  for (const centre of centres) cleanOne(plate, clean, glints, centre, radius);
  return { clean, glints };
}

/**
 * @param {ImageData} source
 * @param {ImageData} clean
 * @param {ImageData} glints
 * @param {[number, number]} centre
 * @param {number} radius
 */
function cleanOne(source, clean, glints, [cx, cy], radius) {
  const { width, height } = source;
  const plate = new Float32Array(width * height * 3);
  const far = new Float32Array(width * height);
  const seen = sampler(source.data, 4, width, height);
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
      far[i] = Math.hypot(dx, dy) / radius;
      const shrink = Math.min(1, WHITE_REACH / Math.max(far[i], 1e-3));
      for (let c = 0; c < 3; c += 1) plate[i * 3 + c] = seen(cx + dx * shrink - 0.5, cy + dy * shrink - 0.5, c);
    }
  }
  const pole = findPole(plate, far, width, [cx, cy]);
  const rings = findRings(sampler(plate, 3, width, height), pole, radius);
  const base = new Float32Array(plate.length);
  let amount = new Float32Array(far.length);
  for (let i = 0; i < far.length; i += 1) {
    const off = Math.hypot((i % width) + 0.5 - pole[0], Math.floor(i / width) + 0.5 - pole[1]) / radius;
    const at = clip(off * RINGS - 0.5, 0, RINGS - 1.01);
    const ring = Math.floor(at) * 3;
    let over = 0;
    for (let c = 0; c < 3; c += 1) {
      base[i * 3 + c] = rings[ring + c] + (at % 1) * (rings[ring + 3 + c] - rings[ring + c]);
      over += (plate[i * 3 + c] - base[i * 3 + c]) / 3;
    }
    const reach = clip((GLINT_REACH + 0.06 - far[i]) / 0.06);
    amount[i] = clip((over - GLINT_FROM) / (GLINT_FULL - GLINT_FROM)) * reach;
  }
  amount = around(amount, width, (nine) => Math.max(...nine));
  const kernel = [0.0277, 0.111, 0.0277, 0.111, 0.4452, 0.111, 0.0277, 0.111, 0.0277]; // a Gaussian of 0.6
  amount = around(amount, width, (nine) => nine.reduce((sum, value, k) => sum + value * kernel[k], 0));
  for (let i = 0; i < far.length; i += 1) {
    if (far[i] >= 1.02) continue;
    const dim = 1 - EDGE_DIM * clip((far[i] - WHITE_REACH) / (1 - WHITE_REACH));
    let strength = 0;
    for (let c = 0; c < 3; c += 1) {
      const shown = plate[i * 3 + c];
      const matte = shown + amount[i] * Math.min(0, base[i * 3 + c] - shown);
      strength = Math.max(strength, (shown - matte) / Math.max(1, 255 - matte));
      clean.data[i * 4 + c] = matte * dim;
      glints.data[i * 4 + c] = 255;
    }
    clean.data[i * 4 + 3] = 255;
    glints.data[i * 4 + 3] = 255 * strength;
  }
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} channels
 * @param {number} width
 * @param {number} height
 */
function sampler(values, channels, width, height) {
  return (/** @type {number} */ u, /** @type {number} */ v, /** @type {number} */ c) => {
    const [x, y] = [clip(u, 0, width - 1.001), clip(v, 0, height - 1.001)];
    const [ix, iy] = [Math.floor(x), Math.floor(y)];
    const at = (iy * width + ix) * channels + c;
    const below = at + width * channels;
    const upper = values[at] + (x - ix) * (values[at + channels] - values[at]);
    const lower = values[below] + (x - ix) * (values[below + channels] - values[below]);
    return upper + (y - iy) * (lower - upper);
  };
}

/**
 * @param {Float32Array} plate
 * @param {Float32Array} far
 * @param {number} width
 * @param {[number, number]} centre
 * @returns {[number, number]} middle of the iris: of what is darker than the white around it
 */
function findPole(plate, far, width, [cx, cy]) {
  const near = [...far.keys()].filter((i) => far[i] < GLINT_REACH);
  const lumas = near.map((i) => (plate[i * 3] + plate[i * 3 + 1] + plate[i * 3 + 2]) / 3);
  const white = quantile(lumas, 0.8);
  const weights = lumas.map((luma) => clip(white - luma - 10, 0, 30));
  let [x, y] = [cx, cy];
  for (let round = 0; round < 3; round += 1) {
    const total = Math.max(1e-3, weights.reduce((sum, weight) => sum + weight, 0));
    const mean = (/** @type {(i: number) => number} */ of) =>
      near.reduce((sum, i, k) => sum + weights[k] * of(i), 0) / total;
    [x, y] = [mean((i) => (i % width) + 0.5), mean((i) => Math.floor(i / width) + 0.5)];
    const off = (/** @type {number} */ i) => Math.hypot((i % width) + 0.5 - x, Math.floor(i / width) + 0.5 - y);
    const reach = 1.2 * 1.4 * mean(off);
    near.forEach((i, k) => (weights[k] *= off(i) < reach ? 1 : 0));
  }
  return [x, y];
}

/**
 * @param {(u: number, v: number, c: number) => number} plate
 * @param {[number, number]} pole
 * @param {number} radius
 * @returns {Float32Array} the median colour of each ring around the pole
 */
function findRings(plate, [px, py], radius) {
  return Float32Array.from({ length: RINGS * 3 }, (_, k) => {
    const far = ((Math.floor(k / 3) + 0.5) / RINGS) * radius;
    const values = Array.from({ length: SPOKES }, (_, spoke) => {
      const angle = (spoke * 2 * Math.PI) / SPOKES;
      return plate(px + far * Math.cos(angle) - 0.5, py + far * Math.sin(angle) - 0.5, k % 3);
    });
    return quantile(values, 0.5);
  });
}

/**
 * @param {Float32Array} values of a picture
 * @param {number} width
 * @param {(nine: number[]) => number} merge a pixel and those around it
 */
function around(values, width, merge) {
  return values.map((_, i) =>
    merge([-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => values[i + dy * width + dx] ?? 0))),
  );
}
