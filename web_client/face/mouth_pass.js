/** The mouth: how far the lips are apart, and what shows between them. */

import { clip, project } from "./geometry.js";
import { EDGE_M } from "./parts.js";
import { STILL } from "./pen.js";
import { BAKED_JAW } from "./rig.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./pen.js").Pen} Pen */

const PARTED_M = 0.0005;
/** Lips that are that close show a lip where they part, in this light. */
const SEALED_M = 0.002;
const SEALED_LIGHT = 1.6;
const LIPS_AT_REST_PX = 0.3;
const TONGUE_RAISED = [0, 0.17, 0.3, 0.7];
const TONGUE_TIP_M = [0.0005, 0.0029, 0.0003];
/** tongueOut from which the tongue is in front of the lower teeth. */
const TONGUE_OUT = 0.3;
/** Weights from and at which lips stand out and shade what is behind them, and its light then. */
const ROUNDED = [0.35, 0.85];
const ROUND_LIGHT = 0.38;
const LINING = [0.216, 0.092, 0.08, 1];

/**
 * How far the lips are apart where they are farthest, beyond rest, in metres.
 *
 * @param {Parts} parts
 */
export function lipOpening({ face, lips, at }) {
  const { camera } = face.card;
  const away = lips.line[1] + camera.distance;
  const height = (/** @type {number} */ i) => ((at[i * 3 + 2] - camera.height) * away) / (at[i * 3 + 1] + camera.distance);
  const apart = lips.columns.map(
    ({ upper, lower, rest }) => Math.min(...upper.map(height)) - Math.max(...lower.map(height)) - rest,
  );
  return Math.max(0, ...apart);
}

/**
 * @param {Parts} parts
 * @param {number} scale canvas pixels a plate pixel
 */
export function haveLipsMoved({ face, lips, at, skin: { rest } }, scale) {
  return lips.all.some((i) => {
    const [x, y] = project(face.card.camera, at.subarray(i * 3, i * 3 + 3));
    return Math.max(Math.abs(x - rest[i * 2]), Math.abs(y - rest[i * 2 + 1])) * scale > LIPS_AT_REST_PX;
  });
}

/**
 * The inside of the mouth: its lining, and teeth and tongue where the lips are parted.
 *
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Float32Array} weights
 * @param {number} opening of the lips, in metres
 */
export function drawInside(pen, parts, weights, opening) {
  const { gl } = pen;
  const [jaw, tongue] = [weights[parts.index.jawOpen], weights[parts.index.tongueOut]];
  gl.enable(gl.DEPTH_TEST);
  gl.enable(gl.STENCIL_TEST);
  gl.stencilFunc(gl.ALWAYS, 1, 1);
  gl.stencilOp(gl.KEEP, gl.KEEP, gl.REPLACE);
  const { at } = pen.usePart(parts.plates.rest, clip(0.35 + (0.65 * jaw) / 0.75, 0.35), 1);
  gl.uniform4fv(at("uFlat"), LINING);
  gl.uniform2f(at("uEven"), SEALED_LIGHT, clip(1 - opening / SEALED_M));
  pen.drawShape(parts.shapes.inside);
  gl.disable(gl.DEPTH_TEST);
  gl.stencilFunc(gl.EQUAL, 1, 1);
  gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
  if (opening > PARTED_M) {
    const rounded = clip((weights[parts.index.mouthPucker] + weights[parts.index.mouthFunnel] - ROUNDED[0]) / (ROUNDED[1] - ROUNDED[0]));
    const light = clip(0.88 + (0.12 * opening) / 0.006, 0.88) * (1 + rounded * (ROUND_LIGHT - 1));
    for (const { layer, move, dim } of layers(parts, jaw, tongue)) {
      const { at } = pen.usePart(layer.plate, light * dim * layer.gain, 1);
      gl.uniformMatrix4fv(at("uMove"), false, move);
      pen.drawShape(layer.shape);
    }
  }
  gl.disable(gl.STENCIL_TEST);
}

/**
 * @param {Parts} parts
 * @param {number} jaw
 * @param {number} tongue
 */
function layers({ face, lips, mouth }, jaw, tongue) {
  const { tongue: tip, teeth_lower: lower, teeth_upper: upper } = mouth;
  const lifts = [0, ...TONGUE_TIP_M.map((over) => lips.line[2] + EDGE_M.teeth_lower + over - tip.tip)];
  const out = clip((tongue - 0.1) / 0.4);
  const swing = jaw - BAKED_JAW;
  const both = [
    { layer: tip, move: swung(face.jaw, swing, 0, steps(tongue, TONGUE_RAISED, lifts)), dim: 0.62 + 0.38 * out },
    { layer: lower, move: swung(face.jaw, swing, lower.shift, 0), dim: 0.84 },
  ];
  if (tongue > TONGUE_OUT) both.reverse();
  return [...both, { layer: upper, move: swung(face.jaw, 0, upper.shift, 0), dim: 1 }];
}

/**
 * @param {Float32Array} jaw
 * @param {number} swing of the jaw
 * @param {number} shift up before, in metres
 * @param {number} lift up after
 * @returns {number[]} matrix, column by column
 */
function swung(jaw, swing, shift, lift) {
  const out = STILL.map((one, k) => (k % 4 < 3 ? one + swing * jaw[(k >> 2) * 3 + (k % 4)] : one));
  for (let row = 0; row < 3; row += 1) out[12 + row] += out[8 + row] * shift;
  out[14] += lift;
  return out;
}

/**
 * @param {number} x
 * @param {number[]} xs rising
 * @param {number[]} ys
 * @returns {number} y at x, linear between
 */
function steps(x, xs, ys) {
  const k = xs.findIndex((next) => next > x);
  if (k < 0) return ys[ys.length - 1];
  return ys[k - 1] + ((x - xs[k - 1]) / (xs[k] - xs[k - 1])) * (ys[k] - ys[k - 1]);
}
