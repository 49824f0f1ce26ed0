/** The last pass: turn the head, and lay the canvas over the backdrop. */

import { bearing } from "./bearing.js";
import { project } from "./geometry.js";

/** @typedef {import("./canvas.js").Canvas} Canvas */
/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("../poses.js").Pose} Pose */

/** @typedef {{width: number, height: number, scale: number}} Frame in pixels; `scale`: of them, a plate pixel */

const LID_SHADOW_M = 0.0035;
/** Below the eyes, where the shadow of lids ends. */
const SPLIT_M = 0.011;

/**
 * @param {Pen} pen
 * @param {Parts} parts
 * @param {Canvas} canvas
 * @param {Frame} frame
 * @param {Pose} pose
 * @param {number} lipShadow reach, in metres
 */
export function drawFrame(pen, parts, canvas, frame, pose, lipShadow) {
  const { gl } = pen;
  const { neck, eyes, camera } = parts.face.card;
  const { rest, background } = parts.plates;
  const [, top, , height] = rest.place;
  const { head, body } = bearing(neck, pose);
  const px = (parts.zoomAt(parts.lips.line[1]) * canvas.height) / height;
  const [, split] = project(camera, [0, eyes.left[1], eyes.left[2] - SPLIT_M]);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.viewport(0, 0, frame.width, frame.height);
  const { at } = pen.use("frame", canvas.skin, rest.place);
  pen.addTextures({ uWithinMap: canvas.within, uBack: background.image, uRelief: parts.relief, uPicture: canvas.picture });
  gl.uniform4fv(at("uInner"), canvas.inner);
  gl.uniform4f(at("uFrame"), frame.width, frame.height, frame.scale, 0);
  gl.uniformMatrix4fv(at("uHead"), false, head);
  gl.uniformMatrix4fv(at("uBody"), false, body);
  gl.uniform2f(at("uNeck"), neck.fade[0], neck.fade[1]);
  gl.uniform4f(at("uEyes"), LID_SHADOW_M * px, 0.5, 0, (split - top) / height);
  gl.uniform4f(at("uMouth"), lipShadow * px, 0.35, (split - top) / height, 1);
  pen.drawShape(parts.shapes.grid);
}
