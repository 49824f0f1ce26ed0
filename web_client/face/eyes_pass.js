/** Eyeballs and their reflections under the skin; over it, shut lids and lashes. */

import { clip, morph, project, rotation } from "./geometry.js";
import { raised, STRAIGHT } from "./pen.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("../poses.js").Pose} Pose */

const GAZE_LIMIT = [20, 14].map((degrees) => (degrees * Math.PI) / 180);
const VERGENCE_LIMIT = 0.25;
const LID_CHORD_M = 0.004;
const LID_ELLIPSE_M = [0.0185, 0.0135];
const LASH_LIFT_M = 0.003;

/**
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Pose} pose
 * @param {Float32Array} weights
 */
export function drawEyeballs(pen, parts, pose, weights) {
  const { gl } = pen;
  const [yaw, pitch] = [0, 1].map((k) => clip(pose.gaze[k], -GAZE_LIMIT[k], GAZE_LIMIT[k]));
  const vergence = clip(pose.vergence, 0, VERGENCE_LIMIT);
  gl.depthFunc(gl.LEQUAL);
  parts.eyes.forEach(({ centre, shape }, k) => {
    const blink = blinkOf(parts, weights, k);
    const turn = rotation(yaw - (Math.sign(centre[0]) * vergence) / 2, pitch, 0);
    for (const name of ["eyes", "glints"]) {
      const { at } = pen.usePart(parts.plates[name], 1, 1);
      gl.uniformMatrix4fv(at("uMove"), false, raised(1, 4 * LID_CHORD_M * blink * (1 - blink)));
      gl.uniform4f(at("uCentre"), centre[0], centre[1], centre[2], 1);
      gl.uniformMatrix3fv(at("uTurn"), true, name === "eyes" ? turn : STRAIGHT);
      pen.drawShape(shape);
    }
  });
  gl.depthFunc(gl.LESS);
}

/**
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Float32Array} weights
 */
export function drawLids(pen, parts, weights) {
  const { gl } = pen;
  const { open } = parts.plates;
  gl.disable(gl.DEPTH_TEST);
  parts.eyes.forEach(({ centre }, k) => {
    const closed = clip((blinkOf(parts, weights, k) - 0.5) / 0.5);
    if (!closed) return;
    const { at } = pen.use("lid", open.image, open.place);
    const [x, y] = project(parts.face.card.camera, [centre[0], centre[1], centre[2] + 0.0012]);
    const [w, h] = LID_ELLIPSE_M.map((axis) => axis * parts.zoomAt(centre[1]));
    gl.uniform4f(at("uEllipse"), x, y, w, h);
    gl.uniform1f(at("uLight"), closed * closed * (3 - 2 * closed));
    pen.drawBox([x - w - 15, y - h - 15, 2 * w + 30, 2 * h + 30]);
  });
  gl.enable(gl.DEPTH_TEST);
}

/**
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Float32Array} weights
 */
export function drawLashes(pen, parts, weights) {
  morph(parts.lashes.morphs, weights, parts.lashAt);
  pen.upload(parts.lashBuffer, parts.lashAt);
  const { at } = pen.usePart(parts.plates.lashes, 1, 0);
  pen.gl.uniformMatrix4fv(at("uMove"), false, raised(1, -LASH_LIFT_M));
  pen.drawShape(parts.shapes.lashes);
}

/**
 * @param {Parts} parts
 * @param {Float32Array} weights
 * @param {number} k 0 for the left eye, 1 for the right
 */
function blinkOf({ index }, weights, k) {
  return weights[index[k ? "eyeBlinkRight" : "eyeBlinkLeft"]];
}
