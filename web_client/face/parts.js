/** What of a face is on the graphics card, made once: plates, shapes, and which weights shade them. */

import { pixels, SHADING } from "./asset.js";
import { withoutGlints } from "./eyeballs.js";
import { clip, project } from "./geometry.js";
import { buffer, depthTexture, shape, texture } from "./gl.js";
import { lashRibbons } from "./lashes.js";
import { arch, BAKED_JAW, eyeball, eyesOf, findLips, skin, teethGain } from "./rig.js";

/** @typedef {import("./asset.js").FaceAsset} FaceAsset */
/** @typedef {import("./asset.js").Picture} Picture */
/** @typedef {import("./gl.js").Shape} Shape */
/** @typedef {import("./pen.js").Plate} Plate */

/**
 * @typedef {object} Layer teeth or tongue
 * @property {Shape} shape
 * @property {Plate} plate
 * @property {number} gain
 * @property {number} shift how far it is moved up with the jaw shut, in metres
 * @property {number} tip height of its edge with the jaw shut, in metres, as baked
 */

/** Of the lower and the upper incisors, from where the lips meet. */
export const EDGE_M = { teeth_lower: -0.0045, teeth_upper: -0.003 };

/** Plate pixels around what moves that are drawn anew. */
const MARGIN_PX = 48;
/** Cells of the frame, across and down. */
const GRID = [96, 72];

export class Parts {
  #gl;
  /** @type {Record<string, Plate>} */ plates = {};
  /** @type {Record<string, number>} */ index;

  /**
   * @param {WebGL2RenderingContext} gl
   * @param {FaceAsset} face
   */
  constructor(gl, face) {
    this.#gl = gl;
    this.face = face;
    this.index = Object.fromEntries(face.card.blendshapes.map((name, k) => [name, k]));
    for (const name of ["rest", "open", "teeth_upper", "teeth_lower", "tongue", "lashes", "background"]) {
      this.plates[name] = this.#plate(face.plates[name]);
    }
    this.plates.lashes.place = [0, 0, 1, 1];
    this.#addEyes();
    this.shades = SHADING.map((name) => this.#plate(face.shading[name]));
    this.drivers = SHADING.map((name) => ["Left", "Right"].map((side) => this.#driversOf(name, side)));
    this.relief = depthTexture(gl, face.turnRelief.size, face.turnRelief.depths);
    this.lips = findLips(face);
    this.skin = skin(face, this.lips);
    this.at = new Float32Array(face.mesh.vertices.length);
    this.atBuffer = buffer(gl, this.at, gl.DYNAMIC_DRAW);
    this.lashes = lashRibbons(face);
    this.lashAt = new Float32Array(this.lashes.morphs.vertices.length);
    this.lashBuffer = buffer(gl, this.lashAt, gl.DYNAMIC_DRAW);
    this.shapes = this.#makeShapes();
    this.eyes = eyesOf(face).map((centre) => ({ centre, shape: this.#part(eyeball(face, centre)) }));
    this.mouth = { tongue: this.#layer("tongue"), teeth_lower: this.#layer("teeth_lower"), teeth_upper: this.#layer("teeth_upper") };
  }

  /** Free what it took. */
  free() {
    const gl = this.#gl;
    for (const { image } of [...Object.values(this.plates), ...this.shades]) gl.deleteTexture(image);
    gl.deleteTexture(this.relief);
    const layers = Object.values(this.mouth);
    for (const { vertices } of [...Object.values(this.shapes), ...[...this.eyes, ...layers].map((x) => x.shape)]) {
      gl.deleteVertexArray(vertices);
    }
  }

  /** @param {number} depth in metres; plate pixels a metre there */
  zoomAt(depth) {
    const { focal, plate_px, distance } = this.face.card.camera;
    return (focal * plate_px) / (depth + distance);
  }

  /** @returns {[number, number, number, number]} what may move: place and size on the rest plate, in [0, 1] */
  inner() {
    const { rest, extra } = this.skin;
    const [left, top, width, height] = this.plates.rest.place;
    let [x0, y0, x1, y1] = [1, 1, 0, 0];
    for (let i = 0; i < rest.length / 2; i += 1) {
      if (!extra[i * 3 + 2]) continue;
      const [x, y] = [(rest[i * 2] - left) / width, (rest[i * 2 + 1] - top) / height];
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    }
    const [dx, dy] = [MARGIN_PX / width, MARGIN_PX / height];
    [x0, y0, x1, y1] = [clip(x0 - dx), clip(y0 - dy), clip(x1 + dx), clip(y1 + dy)];
    return [x0, y0, x1 - x0, y1 - y0];
  }

  /** @param {number[]} point of what is fixed to the jaw; where jawOpen at 1 moves it */
  jawMotion(point) {
    const { jaw } = this.face;
    return [0, 1, 2].map((c) => [...point, 1].reduce((sum, x, r) => sum + x * jaw[r * 3 + c], 0));
  }

  /**
   * @param {Picture} picture
   * @returns {Plate}
   */
  #plate(picture) {
    return { image: texture(this.#gl, picture.image), place: placeOf(picture) };
  }

  #addEyes() {
    const { card } = this.face;
    const picture = this.face.plates.eyes;
    const centres = eyesOf(this.face).map((eye) => {
      const [x, y] = project(card.camera, eye);
      const { origin, scale } = picture.card;
      return /** @type {[number, number]} */ ([(x - origin[0]) / scale, (y - origin[1]) / scale]);
    });
    const radius = (card.eyes.radius * this.zoomAt(card.eyes.left[1])) / picture.card.scale;
    const { clean, glints } = withoutGlints(pixels(picture), centres, radius);
    const place = placeOf(picture);
    this.plates.eyes = { image: texture(this.#gl, clean), place };
    this.plates.glints = { image: texture(this.#gl, glints), place };
  }

  /**
   * @param {string} name
   * @param {string} side
   * @returns {[number, number][]} which weights drive a residual, and by how much
   */
  #driversOf(name, side) {
    const other = side === "Left" ? "Right" : "Left";
    const mine = Object.entries(this.face.shading[name].card.drivers ?? {}).filter(([driver]) => !driver.endsWith(other));
    const power = mine.reduce((sum, [, d]) => sum + d * d, 0);
    return mine.map(([driver, d]) => [this.index[driver], d / power]);
  }

  #makeShapes() {
    const gl = this.#gl;
    const { rest, open, extra, regions, nearness, skin: outside, inside } = this.skin;
    const [columns, rows] = GRID;
    const grid = Float32Array.from({ length: (columns + 1) * (rows + 1) * 2 }, (_, k) => {
      const i = k >> 1;
      return k % 2 ? Math.floor(i / (columns + 1)) / rows : (i % (columns + 1)) / columns;
    });
    const cells = Uint16Array.from({ length: columns * rows * 6 }, (_, k) => {
      const cell = Math.floor(k / 6);
      const a = Math.floor(cell / columns) * (columns + 1) + (cell % columns);
      return a + [0, columns + 1, 1, 1, columns + 1, columns + 2][k % 6];
    });
    const spots = buffer(gl, rest);
    return {
      skin: shape(gl, [[this.atBuffer, 3], [spots, 2], [buffer(gl, open), 2], [buffer(gl, extra), 3], [buffer(gl, regions), 1]], outside),
      inside: shape(gl, [[this.atBuffer, 3], [spots, 2], [buffer(gl, nearness), 2]], inside),
      lashes: shape(gl, [[this.lashBuffer, 3], [buffer(gl, this.lashes.uv), 2], [buffer(gl, this.lashes.paint), 2]], this.lashes.triangles),
      grid: shape(gl, [[buffer(gl, grid), 2]], cells),
    };
  }

  /** @param {import("./rig.js").Part} part */
  #part({ points, spots, paint, triangles }) {
    const gl = this.#gl;
    return shape(gl, [[buffer(gl, points), 3], [buffer(gl, spots), 2], [buffer(gl, paint), 2]], triangles);
  }

  /**
   * @param {"tongue" | "teeth_lower" | "teeth_upper"} name
   * @returns {Layer}
   */
  #layer(name) {
    const part = arch(this.face, name, this.lips);
    const jaw = name === "teeth_upper" ? 0 : BAKED_JAW;
    const tip = part.tip[2] - jaw * this.jawMotion(part.tip)[2];
    const edge = name === "tongue" ? tip : this.lips.line[2] + EDGE_M[name];
    const gain = name === "tongue" ? 1 : teethGain(part.luma);
    return { shape: this.#part(part), plate: this.plates[name], gain, shift: edge - tip, tip };
  }
}

/** @param {Picture} picture */
function placeOf({ card, image }) {
  return [...card.origin, image.width * card.scale, image.height * card.scale];
}
