/** A face on a canvas: attach it, show poses. */

import { loadFace } from "./asset.js";
import { Painter } from "./draw.js";

/** @typedef {import("../poses.js").Pose} Pose */

/** More pixels than that nobody sees, and they cost. */
const LARGEST_PX = 1440;

export class FaceView {
  #canvas;
  #gl;
  #painter;
  /** @type {Pose | null} */ #pose = null;
  #sizes = new ResizeObserver(() => this.#resize());

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {WebGL2RenderingContext} gl
   * @param {Painter} painter
   */
  constructor(canvas, gl, painter) {
    this.#canvas = canvas;
    this.#gl = gl;
    this.#painter = painter;
    this.#resize();
    this.#sizes.observe(canvas);
  }

  /**
   * Load a face and make ready to draw it; the picture follows the canvas's box on the page.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {string} url of the face's folder, with a slash at its end
   * @returns {Promise<FaceView>}
   */
  static async attach(canvas, url) {
    const face = await loadFace(url);
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (!gl) throw new Error("This browser has no WebGL2.");
    if (gl.isContextLost()) throw new Error("The graphics context is lost.");
    return new FaceView(canvas, gl, new Painter(gl, face));
  }

  /** @param {Pose} pose */
  show(pose) {
    this.#pose = pose;
    if (!this.#gl.isContextLost()) this.#painter.draw(pose);
  }

  /** Free what drawing took; the canvas may be attached to again. */
  close() {
    this.#sizes.disconnect();
    this.#painter.free();
  }

  #resize() {
    const { clientWidth, clientHeight, width, height } = this.#canvas;
    const ratio = Math.min(devicePixelRatio, LARGEST_PX / Math.max(1, clientHeight));
    const [w, h] = [clientWidth || width, clientHeight || height].map((px) => Math.max(1, Math.round(px * ratio)));
    if (w !== width || h !== height) [this.#canvas.width, this.#canvas.height] = [w, h];
    this.#painter.resize(w, h);
    if (this.#pose) this.show(this.#pose);
  }
}
