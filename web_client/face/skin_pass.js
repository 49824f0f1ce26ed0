/** The skin: what expressions add to its colour, and what of it has moved. */

import { clip } from "./geometry.js";

/** @typedef {import("./canvas.js").Canvas} Canvas */
/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./pen.js").Pen} Pen */

const STRONGEST_SHADE = 1.2;
/** In which the weight of a residual moves. */
const SHADE_STEPS = 32;
const SEAM_M = 0.006;

/**
 * Mix the rest plate with what expressions add, where that has changed since the last frame.
 *
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Canvas} canvas
 * @param {Float32Array} weights
 */
export function drawShades(pen, parts, canvas, weights) {
  const { gl } = pen;
  const shares = parts.drivers.flatMap((sides) =>
    sides.map((drivers) => {
      const share = drivers.reduce((sum, [k, d]) => sum + weights[k] * d, 0);
      return Math.round(clip(share, 0, STRONGEST_SHADE) * SHADE_STEPS) / SHADE_STEPS;
    }),
  );
  const key = shares.join();
  if (key === canvas.shades) return;
  const { rest } = parts.plates;
  const box = canvas.shades ? around(parts.shades.map(({ place }) => place)) : rest.place;
  canvas.shades = key;
  const { camera, eyes } = parts.face.card;
  canvas.beginSkin();
  const { at } = pen.use("shaded", rest.image, rest.place);
  pen.addTextures(Object.fromEntries(parts.shades.map(({ image }, k) => [`uShade[${k}]`, image])));
  gl.uniform4fv(at("uPlace[0]"), parts.shades.flatMap(({ place }) => place));
  gl.uniform2fv(at("uWeight[0]"), shares);
  gl.uniform2f(at("uSeam"), camera.plate_px / 2, SEAM_M * parts.zoomAt(eyes.left[1]));
  pen.drawBox(box);
}

/**
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Canvas} canvas
 * @param {boolean} hasMoved whether the lips have
 * @param {number} shadow on the inside of the lips
 */
export function drawSkin(pen, parts, canvas, hasMoved, shadow) {
  const { gl } = pen;
  const { rest, open } = parts.plates;
  const { at } = pen.use("skin", canvas.skin, rest.place);
  pen.addTextures({ uOpen: open.image });
  gl.uniform4fv(at("uPlate"), open.place);
  gl.uniform1f(at("uMouth"), hasMoved ? 1 : 0);
  gl.uniform1f(at("uShadow"), shadow);
  pen.drawShape(parts.shapes.skin);
}

/**
 * @param {number[][]} places
 * @returns {number[]} around all: origin and size in plate pixels
 */
function around(places) {
  const [left, top] = [0, 1].map((k) => Math.min(...places.map((place) => place[k])));
  const [right, bottom] = [0, 1].map((k) => Math.max(...places.map((place) => place[k] + place[k + 2])));
  return [left, top, right - left, bottom - top];
}
