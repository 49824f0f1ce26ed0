/** One frame of a face, as render/baked/compositor.py draws it: shade, redraw what moves, turn the head. */

import { Canvas } from "./canvas.js";
import { drawEyeballs, drawLashes, drawLids } from "./eyes_pass.js";
import { drawFrame } from "./frame_pass.js";
import { clip, morph } from "./geometry.js";
import { drawInside, haveLipsMoved, lipOpening } from "./mouth_pass.js";
import { Parts } from "./parts.js";
import { Pen } from "./pen.js";
import { drawShades, drawSkin } from "./skin_pass.js";

/** @typedef {import("./asset.js").FaceAsset} FaceAsset */
/** @typedef {import("../poses.js").Pose} Pose */

/** Plate pixels that any frame shows from side to side: the head and some room. */
const NARROWEST = 640;
const LIP_SHADOW_M = 0.003;
const NO_SHADOW_M = 1e-5;

export class Painter {
  #gl;
  #parts;
  #pen;
  #frame = { width: 0, height: 0, scale: 0 };
  /** @type {Canvas | null} */ #canvas = null;

  /**
   * @param {WebGL2RenderingContext} gl
   * @param {FaceAsset} face
   */
  constructor(gl, face) {
    this.#gl = gl;
    this.#parts = new Parts(gl, face);
    this.#pen = new Pen(gl, face.card.camera, this.#parts.plates.rest.place);
  }

  /**
   * @param {number} width of the frame, in pixels
   * @param {number} height
   */
  resize(width, height) {
    const scale = Math.min(height / this.#parts.face.card.camera.plate_px, width / NARROWEST);
    const [w, h] = this.#parts.plates.rest.place.slice(2).map((px) => Math.round(px * Math.min(1, scale)));
    this.#frame = { width, height, scale };
    if (this.#canvas?.width === w && this.#canvas.height === h) return;
    this.#canvas?.free();
    this.#canvas = new Canvas(this.#gl, w, h, this.#parts.inner());
  }

  /** @param {Pose} pose */
  draw(pose) {
    const canvas = this.#canvas;
    if (!canvas) return;
    const [gl, pen, parts] = [this.#gl, this.#pen, this.#parts];
    const { rest } = parts.plates;
    const weights = pose.weights.map((weight) => clip(weight));
    morph(parts.face.mesh, weights, parts.at);
    pen.upload(parts.atBuffer, parts.at);
    gl.disable(gl.BLEND);
    gl.disable(gl.DEPTH_TEST);
    drawShades(pen, parts, canvas, weights);
    canvas.begin();
    pen.use("copy", canvas.skin, rest.place);
    pen.drawBox(rest.place);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const opening = lipOpening(parts);
    const hasMoved = haveLipsMoved(parts, canvas.width / rest.place[2]);
    if (hasMoved) drawInside(pen, parts, weights, opening);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    drawEyeballs(pen, parts, pose, weights);
    drawSkin(pen, parts, canvas, hasMoved, 0.5 * clip(1 - opening / 0.012));
    drawLids(pen, parts, weights);
    drawLashes(pen, parts, weights);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    canvas.end();
    const lipShadow = hasMoved ? clip(0.5 * opening, NO_SHADOW_M, LIP_SHADOW_M) : NO_SHADOW_M;
    drawFrame(pen, parts, canvas, this.#frame, pose, lipShadow);
  }

  /** Free what it took. */
  free() {
    this.#canvas?.free();
    this.#canvas = null;
    this.#pen.free();
    this.#parts.free();
  }
}
