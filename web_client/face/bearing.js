/** How head and body stand in a pose, as render/baked/bearing.py. Matrices are 4 x 4, column by column. */

import { clip } from "./geometry.js";

/** @typedef {import("../poses.js").Pose} Pose */

/** Yaw, pitch and roll in radians; beyond, one view's texture stretches. */
const HEAD_LIMIT = [12, 7, 8].map((degrees) => (degrees * Math.PI) / 180);
/** Turns by a positive angle take the first of these axes towards the second. */
const YAW = [0, 1];
const PITCH = [2, 1];
const ROLL = [2, 0];
const YAW_BEFORE_M = 0.022;
const ROLL_BELOW_M = 0.04;
const BODY_YAW = 0.28;
const BODY_ROLL = 0.16;
const HIPS = [0, 0.02, 0.22];
const BREATH_M = 0.003;
const BREATH_OF_HEAD = 0.35;
const SWELL = 0.006;

/**
 * @param {{pivot: number[], fade: [number, number]}} neck
 * @param {Pose} pose
 * @returns {{head: number[], body: number[]}} what moves with either
 */
export function bearing({ pivot, fade }, pose) {
  const [yaw, pitch, roll] = HEAD_LIMIT.map((limit, k) => clip(pose.head[k], -limit, limit));
  const breath = clip(pose.breath);
  const [x, y, z] = pivot;
  const turns = [about([x, y - YAW_BEFORE_M, z], YAW, yaw), about(pivot, PITCH, pitch), about([x, y, z - ROLL_BELOW_M], ROLL, roll)];
  const head = turns.reduce(product);
  const body = product(about(HIPS, YAW, BODY_YAW * yaw), about(HIPS, ROLL, BODY_ROLL * roll));
  const base = [0, y, fade[0]];
  moved(body, base).forEach((at, axis) => (head[12 + axis] += at - base[axis]));
  head[14] += BREATH_OF_HEAD * BREATH_M * breath;
  for (let column = 0; column < 4; column += 1) body[column * 4] *= 1 + SWELL * breath;
  body[14] += BREATH_M * breath;
  return { head, body };
}

/**
 * @param {number[]} pivot
 * @param {number[]} axes
 * @param {number} angle
 * @returns {number[]} the turn about a point that leaves the third axis alone
 */
function about(pivot, [i, j], angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const out = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  [out[i * 5], out[j * 5], out[j * 4 + i], out[i * 4 + j]] = [c, c, -s, s];
  moved(out, pivot).forEach((at, axis) => (out[12 + axis] = pivot[axis] - at));
  return out;
}

/**
 * @param {number[]} matrix
 * @param {number[]} point
 */
function moved(matrix, point) {
  return [0, 1, 2].map((row) => [...point, 1].reduce((sum, x, column) => sum + matrix[column * 4 + row] * x, 0));
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function product(a, b) {
  return a.map((_, k) => [0, 1, 2, 3].reduce((sum, i) => sum + a[i * 4 + (k % 4)] * b[k - (k % 4) + i], 0));
}
