/** What every pass draws with: the programs, and their uniforms that seldom change. */

import { program } from "./gl.js";
import { PROGRAMS } from "./shaders.js";

/** @typedef {import("./asset.js").Camera} Camera */
/** @typedef {import("./gl.js").Program} Program */
/** @typedef {import("./gl.js").Shape} Shape */

/** @typedef {{image: WebGLTexture, place: number[]}} Plate `place`: origin and size in plate pixels */

export const STILL = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
export const STRAIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];

export class Pen {
  /** @type {Record<keyof typeof PROGRAMS, Program>} */ #programs;
  /** @type {Program} */ #used;
  #camera;
  #rest;

  /**
   * @param {WebGL2RenderingContext} gl
   * @param {Camera} camera
   * @param {number[]} rest place of the rest plate
   */
  constructor(gl, camera, rest) {
    this.gl = gl;
    this.#camera = camera;
    this.#rest = rest;
    this.#programs = /** @type {Record<keyof typeof PROGRAMS, Program>} */ (
      Object.fromEntries(Object.entries(PROGRAMS).map(([name, sources]) => [name, program(gl, sources)]))
    );
    this.#used = this.#programs.copy;
  }

  /**
   * @param {keyof typeof PROGRAMS} name
   * @param {WebGLTexture} image
   * @param {number[]} place
   */
  use(name, image, place) {
    const { gl } = this;
    const { focal, plate_px, distance, height } = this.#camera;
    const used = this.#programs[name];
    this.#used = used;
    gl.useProgram(used.handle);
    gl.bindTexture(gl.TEXTURE_2D, image);
    gl.uniform1i(used.at("uTexture"), 0);
    gl.uniform4f(used.at("uCamera"), focal * plate_px, distance, height, plate_px / 2);
    gl.uniform4fv(used.at("uRest"), this.#rest);
    gl.uniform4fv(used.at("uPlate"), place);
    return used;
  }

  /**
   * Use the program of what moves as a whole, which stands still and is straight until it is told.
   *
   * @param {Plate} plate
   * @param {number} light
   * @param {number} within
   */
  usePart(plate, light, within) {
    const { gl } = this;
    const used = this.use("part", plate.image, plate.place);
    gl.uniformMatrix4fv(used.at("uMove"), false, STILL);
    gl.uniformMatrix3fv(used.at("uTurn"), false, STRAIGHT);
    gl.uniform4f(used.at("uCentre"), 0, 0, 0, 0);
    gl.uniform4f(used.at("uFlat"), 0, 0, 0, 0);
    gl.uniform1f(used.at("uLight"), light);
    gl.uniform1f(used.at("uWithin"), within);
    gl.uniform2f(used.at("uEven"), 0, 0);
    return used;
  }

  /** @param {Record<string, WebGLTexture>} images further ones of the program in use, by their uniforms */
  addTextures(images) {
    const { gl } = this;
    Object.entries(images).forEach(([name, image], k) => {
      gl.activeTexture(gl.TEXTURE1 + k);
      gl.bindTexture(gl.TEXTURE_2D, image);
      gl.uniform1i(this.#used.at(name), k + 1);
    });
    gl.activeTexture(gl.TEXTURE0);
  }

  /** @param {Shape} shape */
  drawShape({ vertices, count }) {
    const { gl } = this;
    gl.bindVertexArray(vertices);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_SHORT, 0);
    gl.bindVertexArray(null);
  }

  /** @param {number[]} box in plate pixels, for the program in use */
  drawBox(box) {
    this.gl.uniform4fv(this.#used.at("uBox"), box);
    this.gl.drawArrays(this.gl.TRIANGLE_STRIP, 0, 4);
  }

  /**
   * @param {WebGLBuffer} to
   * @param {Float32Array} values
   */
  upload(to, values) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, to);
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, values);
  }

  /** Free the programs. */
  free() {
    for (const { handle } of Object.values(this.#programs)) this.gl.deleteProgram(handle);
  }
}

/**
 * @param {number} axis 0 to 2
 * @param {number} by
 * @returns {number[]} the matrix that shifts along it
 */
export function raised(axis, by) {
  return STILL.map((one, k) => (k === 12 + axis ? by : one));
}
