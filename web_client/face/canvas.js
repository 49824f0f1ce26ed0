/** The canvas: the face before the head turns, in the rest plate's frame, with a map of what is within. */

import { emptyTexture } from "./gl.js";

const SAMPLES = 4;

export class Canvas {
  #gl;
  #left;
  #top;
  #columns;
  #rows;
  /** @type {WebGLFramebuffer[]} */ #buffers = [];
  /** @type {(WebGLTexture | WebGLRenderbuffer)[]} */ #storage = [];
  /** The weights of what expressions add that `skin` shows, as words; empty before any. */
  shades = "";

  /**
   * @param {WebGL2RenderingContext} gl
   * @param {number} width
   * @param {number} height
   * @param {[number, number, number, number]} inner what is drawn anew: place and size on the canvas, in [0, 1]
   */
  constructor(gl, width, height, inner) {
    this.#gl = gl;
    this.width = width;
    this.height = height;
    const [left, top, right, bottom] = [
      Math.floor(inner[0] * width),
      Math.floor(inner[1] * height),
      Math.ceil((inner[0] + inner[2]) * width),
      Math.ceil((inner[1] + inner[3]) * height),
    ];
    this.#left = left;
    this.#top = top;
    this.#columns = right - left;
    this.#rows = bottom - top;
    /** Where `picture` and `within` are on the canvas: place and size in [0, 1]. */
    this.inner = [left / width, top / height, this.#columns / width, this.#rows / height];
    /** The rest plate with what expressions add. */
    this.skin = emptyTexture(gl, gl.RGBA8, width, height);
    this.picture = emptyTexture(gl, gl.RGBA8, this.#columns, this.#rows);
    /** 1 where eyeballs or the inside of the mouth show. */
    this.within = emptyTexture(gl, gl.R8, this.#columns, this.#rows);
    this.#storage = [this.skin, this.picture, this.within];
    this.#buffers = [0, 1, 2].map(() => gl.createFramebuffer());
    const samples = Math.min(SAMPLES, gl.getParameter(gl.MAX_SAMPLES));
    const parts = [
      [gl.COLOR_ATTACHMENT0, gl.RGBA8],
      [gl.COLOR_ATTACHMENT1, gl.R8],
      [gl.DEPTH_STENCIL_ATTACHMENT, gl.DEPTH24_STENCIL8],
    ];
    this.#bind(0);
    for (const [place, format] of parts) {
      const storage = gl.createRenderbuffer();
      gl.bindRenderbuffer(gl.RENDERBUFFER, storage);
      gl.renderbufferStorageMultisample(gl.RENDERBUFFER, samples, format, this.#columns, this.#rows);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, place, gl.RENDERBUFFER, storage);
      this.#storage.push(storage);
    }
    this.#bind(1);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.picture, 0);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT1, gl.TEXTURE_2D, this.within, 0);
    this.#bind(2);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.skin, 0);
  }

  /** Draw into `skin` from now on. */
  beginSkin() {
    this.#bind(2);
    this.#gl.viewport(0, 0, this.width, this.height);
  }

  /** Draw into `picture` and `within` from now on. */
  begin() {
    const gl = this.#gl;
    this.#bind(0);
    gl.drawBuffers([gl.COLOR_ATTACHMENT0, gl.COLOR_ATTACHMENT1]);
    gl.viewport(-this.#left, -this.#top, this.width, this.height);
    gl.clear(gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
  }

  /** Put what was drawn into the textures. */
  end() {
    const gl = this.#gl;
    const [width, height] = [this.#columns, this.#rows];
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.#buffers[0]);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, this.#buffers[1]);
    for (const place of [0, 1]) {
      gl.readBuffer(gl.COLOR_ATTACHMENT0 + place);
      gl.drawBuffers(place ? [gl.NONE, gl.COLOR_ATTACHMENT1] : [gl.COLOR_ATTACHMENT0]);
      gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  free() {
    for (const buffer of this.#buffers) this.#gl.deleteFramebuffer(buffer);
    for (const storage of this.#storage) {
      if (storage instanceof WebGLTexture) this.#gl.deleteTexture(storage);
      else this.#gl.deleteRenderbuffer(storage);
    }
  }

  /** @param {number} k */
  #bind(k) {
    this.#gl.bindFramebuffer(this.#gl.FRAMEBUFFER, this.#buffers[k] ?? null);
  }
}
