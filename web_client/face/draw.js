/** One frame of a face, as render/baked/compositor.py draws it: shade, redraw what moves, turn the head. */

import { pixels, SHADING } from "./asset.js";
import { Canvas } from "./canvas.js";
import { withoutGlints } from "./eyeballs.js";
import { clip, morph, project, rotation } from "./geometry.js";
import { buffer, depthTexture, program, shape, texture } from "./gl.js";
import { lashRibbons } from "./lashes.js";
import { arch, BAKED_JAW, eyeball, eyesOf, findLips, skin, teethGain } from "./rig.js";
import { PROGRAMS } from "./shaders.js";

/** @typedef {import("./asset.js").FaceAsset} FaceAsset */
/** @typedef {import("./asset.js").Picture} Picture */
/** @typedef {import("./gl.js").Program} Program */
/** @typedef {import("./gl.js").Shape} Shape */
/** @typedef {import("../poses.js").Pose} Pose */

/** @typedef {{image: WebGLTexture, place: number[]}} Plate `place`: origin and size in plate pixels */

/**
 * @typedef {object} Layer teeth or tongue
 * @property {Shape} shape
 * @property {Plate} plate
 * @property {number} gain
 * @property {number} shift how far it is moved up with the jaw shut, in metres
 * @property {number} tip height of its edge with the jaw shut, in metres, as baked
 */

/** Yaw, pitch and roll in radians; beyond, one view's texture stretches. */
const HEAD_LIMIT = [12, 7, 8].map((degrees) => (degrees * Math.PI) / 180);
const GAZE_LIMIT = [20, 14].map((degrees) => (degrees * Math.PI) / 180);
const VERGENCE_LIMIT = 0.25;
const BREATH_M = 0.0022;
const STRONGEST_SHADE = 1.2;
/** In which the weight of a residual moves. */
const SHADE_STEPS = 32;
/** Plate pixels that any frame shows from side to side: the head and some room. */
const NARROWEST = 640;
/** Plate pixels around what moves that are drawn anew. */
const MARGIN_PX = 48;
const GRID = [96, 72];
const PARTED_M = 0.0005;
/** Lips that are that close show a lip where they part, in this light. */
const SEALED_M = 0.002;
const SEALED_LIGHT = 1.6;
const LIPS_AT_REST_PX = 0.3;
const LID_SHADOW_M = 0.0035;
const LIP_SHADOW_M = 0.003;
const LID_CHORD_M = 0.004;
const LID_ELLIPSE_M = [0.0185, 0.0135];
const SEAM_M = 0.006;
const LASH_LIFT_M = 0.003;
const SPLIT_M = 0.011;
/** Of the lower and the upper incisors, from where the lips meet. */
const EDGE_M = { teeth_lower: -0.0045, teeth_upper: -0.003 };
const TONGUE_RAISED = [0, 0.17, 0.3, 0.7];
const TONGUE_TIP_M = [0.0005, 0.0029, 0.0003];
/** tongueOut from which the tongue is in front of the lower teeth. */
const TONGUE_OUT = 0.3;
const LINING = [0.216, 0.092, 0.08, 1];
const STILL = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const STRAIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];

export class Painter {
  #gl;
  #face;
  #width = 0;
  #height = 0;
  /** @type {Canvas | null} */ #canvas = null;
  /** @type {Record<keyof typeof PROGRAMS, Program>} */ #programs;
  /** @type {Program} */ #used;
  /** @type {Record<string, Plate>} */ #plates = {};
  /** @type {Plate[]} */ #shades;
  #drivers;
  #shadeWeights = "";
  #relief;
  #lips;
  #skin;
  #at;
  #atBuffer;
  #lashes;
  #lashAt;
  #lashBuffer;
  /** @type {Record<"skin" | "inside" | "lashes" | "grid", Shape>} */ #shapes;
  /** @type {{centre: number[], shape: Shape}[]} */ #eyes;
  /** @type {Record<"tongue" | "teeth_lower" | "teeth_upper", Layer>} */ #mouth;
  /** @type {Record<string, number>} */ #index;

  /**
   * @param {WebGL2RenderingContext} gl
   * @param {FaceAsset} face
   */
  constructor(gl, face) {
    this.#gl = gl;
    this.#face = face;
    const { card } = face;
    this.#index = Object.fromEntries(card.blendshapes.map((name, k) => [name, k]));
    this.#programs = /** @type {Record<keyof typeof PROGRAMS, Program>} */ (
      Object.fromEntries(Object.entries(PROGRAMS).map(([name, sources]) => [name, program(gl, sources)]))
    );
    this.#used = this.#programs.copy;
    for (const name of ["rest", "open", "teeth_upper", "teeth_lower", "tongue", "lashes", "background"]) {
      this.#plates[name] = this.#plate(face.plates[name]);
    }
    this.#plates.lashes.place = [0, 0, 1, 1];
    this.#addEyes();
    this.#shades = SHADING.map((name) => this.#plate(face.shading[name]));
    this.#drivers = SHADING.map((name) => ["Left", "Right"].map((side) => this.#driversOf(name, side)));
    this.#relief = depthTexture(gl, face.turnRelief.size, face.turnRelief.depths);
    this.#lips = findLips(face);
    this.#skin = skin(face, this.#lips);
    this.#at = new Float32Array(face.mesh.vertices.length);
    this.#atBuffer = buffer(gl, this.#at, gl.DYNAMIC_DRAW);
    this.#lashes = lashRibbons(face);
    this.#lashAt = new Float32Array(this.#lashes.morphs.vertices.length);
    this.#lashBuffer = buffer(gl, this.#lashAt, gl.DYNAMIC_DRAW);
    this.#shapes = this.#makeShapes();
    this.#eyes = eyesOf(face).map((centre) => ({ centre, shape: this.#part(eyeball(face, centre)) }));
    this.#mouth = { tongue: this.#layer("tongue"), teeth_lower: this.#layer("teeth_lower"), teeth_upper: this.#layer("teeth_upper") };
  }

  /**
   * @param {number} width of the frame, in pixels
   * @param {number} height
   */
  resize(width, height) {
    const scale = Math.min(1, this.#frameScale(width, height));
    const [, , w, h] = this.#plates.rest.place.map((px) => Math.round(px * scale));
    this.#width = width;
    this.#height = height;
    if (this.#canvas?.width === w && this.#canvas.height === h) return;
    this.#canvas?.free();
    this.#canvas = new Canvas(this.#gl, w, h, this.#inner());
    this.#shadeWeights = "";
  }

  /** @param {Pose} pose */
  draw(pose) {
    const canvas = this.#canvas;
    if (!canvas) return;
    const gl = this.#gl;
    const weights = pose.weights.map((weight) => clip(weight));
    morph(this.#face.mesh, weights, this.#at);
    this.#upload(this.#atBuffer, this.#at);
    gl.disable(gl.BLEND);
    gl.disable(gl.DEPTH_TEST);
    this.#drawShades(canvas, weights);
    canvas.begin();
    this.#use("copy", canvas.skin, this.#plates.rest.place);
    this.#drawBox(this.#plates.rest.place);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const opening = this.#opening();
    const hasMoved = this.#lipsMoved(canvas.width / this.#plates.rest.place[2]);
    if (hasMoved) this.#drawInside(weights, opening);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    this.#drawEyes(pose, weights);
    this.#drawSkin(canvas, hasMoved, 0.5 * clip(1 - opening / 0.012));
    this.#drawLids(weights);
    this.#drawLashes(weights);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    canvas.end();
    this.#drawFrame(canvas, pose, hasMoved ? Math.max(1e-5, Math.min(LIP_SHADOW_M, 0.5 * opening)) : 1e-5);
  }

  /** Free what it took. */
  free() {
    const gl = this.#gl;
    this.#canvas?.free();
    this.#canvas = null;
    for (const { handle } of Object.values(this.#programs)) gl.deleteProgram(handle);
    for (const { image } of [...Object.values(this.#plates), ...this.#shades]) gl.deleteTexture(image);
    gl.deleteTexture(this.#relief);
    const layers = Object.values(this.#mouth);
    for (const { vertices } of [...Object.values(this.#shapes), ...[...this.#eyes, ...layers].map((x) => x.shape)]) {
      gl.deleteVertexArray(vertices);
    }
  }

  // ---- What is made once ----

  /**
   * @param {Picture} picture
   * @returns {Plate}
   */
  #plate({ card, image }) {
    const place = [...card.origin, image.width * card.scale, image.height * card.scale];
    return { image: texture(this.#gl, image), place };
  }

  #addEyes() {
    const { card } = this.#face;
    const picture = this.#face.plates.eyes;
    const zoom = (card.camera.focal * card.camera.plate_px) / (card.eyes.left[1] + card.camera.distance);
    const centres = eyesOf(this.#face).map((eye) => {
      const [x, y] = project(card.camera, eye);
      const { origin, scale } = picture.card;
      return /** @type {[number, number]} */ ([(x - origin[0]) / scale, (y - origin[1]) / scale]);
    });
    const { clean, glints } = withoutGlints(pixels(picture), centres, (card.eyes.radius * zoom) / picture.card.scale);
    const place = this.#plate(picture).place;
    this.#plates.eyes = { image: texture(this.#gl, clean), place };
    this.#plates.glints = { image: texture(this.#gl, glints), place };
  }

  /**
   * @param {string} name
   * @param {string} side
   * @returns {[number, number][]} which weights drive a residual, and by how much
   */
  #driversOf(name, side) {
    const other = side === "Left" ? "Right" : "Left";
    const mine = Object.entries(this.#face.shading[name].card.drivers ?? {}).filter(([driver]) => !driver.endsWith(other));
    const power = mine.reduce((sum, [, d]) => sum + d * d, 0);
    return mine.map(([driver, d]) => [this.#index[driver], d / power]);
  }

  #makeShapes() {
    const gl = this.#gl;
    const { rest, open, extra, regions, nearness, skin: outside, inside } = this.#skin;
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
      skin: shape(gl, [[this.#atBuffer, 3], [spots, 2], [buffer(gl, open), 2], [buffer(gl, extra), 3], [buffer(gl, regions), 1]], outside),
      inside: shape(gl, [[this.#atBuffer, 3], [spots, 2], [buffer(gl, nearness), 2]], inside),
      lashes: shape(gl, [[this.#lashBuffer, 3], [buffer(gl, this.#lashes.uv), 2], [buffer(gl, this.#lashes.paint), 2]], this.#lashes.triangles),
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
    const part = arch(this.#face, name, this.#lips);
    const jaw = name === "teeth_upper" ? 0 : BAKED_JAW;
    const tip = part.tip[2] - jaw * this.#jawMotion(part.tip)[2];
    const edge = name === "tongue" ? tip : this.#lips.line[2] + EDGE_M[name];
    const gain = name === "tongue" ? 1 : teethGain(part.luma);
    return { shape: this.#part(part), plate: this.#plates[name], gain, shift: edge - tip, tip };
  }

  /** @param {number[]} point */
  #jawMotion(point) {
    const { jaw } = this.#face;
    return [0, 1, 2].map((c) => [...point, 1].reduce((sum, x, r) => sum + x * jaw[r * 3 + c], 0));
  }

  /** @returns {[number, number, number, number]} what may move: place and size on the rest plate, in [0, 1] */
  #inner() {
    const { rest, extra } = this.#skin;
    const [left, top, width, height] = this.#plates.rest.place;
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

  /** @returns {number[]} around every residual: origin and size in plate pixels */
  #shadeBox() {
    const places = this.#shades.map(({ place }) => place);
    const [left, top] = [0, 1].map((k) => Math.min(...places.map((place) => place[k])));
    const [right, bottom] = [0, 1].map((k) => Math.max(...places.map((place) => place[k] + place[k + 2])));
    return [left, top, right - left, bottom - top];
  }

  // ---- What is done for every frame ----

  /**
   * @param {Canvas} canvas
   * @param {Float32Array} weights
   */
  #drawShades(canvas, weights) {
    const gl = this.#gl;
    const shares = this.#drivers.flatMap((sides) =>
      sides.map((drivers) => {
        const share = drivers.reduce((sum, [k, d]) => sum + weights[k] * d, 0);
        return Math.round(clip(share, 0, STRONGEST_SHADE) * SHADE_STEPS) / SHADE_STEPS;
      }),
    );
    const key = shares.join();
    if (key === this.#shadeWeights) return;
    const box = this.#shadeWeights ? this.#shadeBox() : this.#plates.rest.place;
    this.#shadeWeights = key;
    const { camera, eyes } = this.#face.card;
    canvas.beginSkin();
    const { at } = this.#use("shaded", this.#plates.rest.image, this.#plates.rest.place);
    this.#shades.forEach(({ image }, k) => {
      gl.activeTexture(gl.TEXTURE1 + k);
      gl.bindTexture(gl.TEXTURE_2D, image);
    });
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1iv(at("uShade[0]"), this.#shades.map((_, k) => k + 1));
    gl.uniform4fv(at("uPlace[0]"), this.#shades.flatMap(({ place }) => place));
    gl.uniform2fv(at("uWeight[0]"), shares);
    gl.uniform2f(at("uSeam"), camera.plate_px / 2, SEAM_M * this.#zoomAt(eyes.left[1]));
    this.#drawBox(box);
  }

  /**
   * @param {Float32Array} weights
   * @param {number} opening of the lips, in metres
   */
  #drawInside(weights, opening) {
    const gl = this.#gl;
    const [jaw, tongue] = [weights[this.#index.jawOpen], weights[this.#index.tongueOut]];
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.STENCIL_TEST);
    gl.stencilFunc(gl.ALWAYS, 1, 1);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.REPLACE);
    const { at } = this.#usePart(this.#plates.rest, clip(0.35 + (0.65 * jaw) / 0.75, 0.35), 1);
    gl.uniform4fv(at("uFlat"), LINING);
    gl.uniform2f(at("uEven"), SEALED_LIGHT, clip(1 - opening / SEALED_M));
    this.#drawShape(this.#shapes.inside);
    gl.disable(gl.DEPTH_TEST);
    gl.stencilFunc(gl.EQUAL, 1, 1);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    if (opening > PARTED_M) {
      const light = clip(0.88 + (0.12 * opening) / 0.006, 0.88);
      for (const { layer, move, dim } of this.#mouthLayers(jaw, tongue)) {
        const { at } = this.#usePart(layer.plate, light * dim * layer.gain, 1);
        gl.uniformMatrix4fv(at("uMove"), false, move);
        this.#drawShape(layer.shape);
      }
    }
    gl.disable(gl.STENCIL_TEST);
  }

  /**
   * @param {number} jaw
   * @param {number} tongue
   */
  #mouthLayers(jaw, tongue) {
    const { tongue: tip, teeth_lower: lower, teeth_upper: upper } = this.#mouth;
    const lifts = [0, ...TONGUE_TIP_M.map((over) => this.#lips.line[2] + EDGE_M.teeth_lower + over - tip.tip)];
    const out = clip((tongue - 0.1) / 0.4);
    const swing = jaw - BAKED_JAW;
    const layers = [
      { layer: tip, move: this.#swung(swing, 0, steps(tongue, TONGUE_RAISED, lifts)), dim: 0.62 + 0.38 * out },
      { layer: lower, move: this.#swung(swing, lower.shift, 0), dim: 0.84 },
    ];
    if (tongue > TONGUE_OUT) layers.reverse();
    return [...layers, { layer: upper, move: this.#swung(0, upper.shift, 0), dim: 1 }];
  }

  /**
   * @param {number} swing of the jaw
   * @param {number} shift up before, in metres
   * @param {number} lift up after
   * @returns {number[]} matrix, column by column
   */
  #swung(swing, shift, lift) {
    const { jaw } = this.#face;
    const out = STILL.map((one, k) => (k % 4 < 3 ? one + swing * jaw[(k >> 2) * 3 + (k % 4)] : one));
    for (let row = 0; row < 3; row += 1) out[12 + row] += out[8 + row] * shift;
    out[14] += lift;
    return out;
  }

  /**
   * @param {Pose} pose
   * @param {Float32Array} weights
   */
  #drawEyes(pose, weights) {
    const gl = this.#gl;
    const [yaw, pitch] = [0, 1].map((k) => clip(pose.gaze[k], -GAZE_LIMIT[k], GAZE_LIMIT[k]));
    const vergence = clip(pose.vergence, 0, VERGENCE_LIMIT);
    gl.depthFunc(gl.LEQUAL);
    this.#eyes.forEach(({ centre, shape }, k) => {
      const blink = weights[this.#index[k ? "eyeBlinkRight" : "eyeBlinkLeft"]];
      const turn = rotation(yaw - (Math.sign(centre[0]) * vergence) / 2, pitch, 0);
      for (const name of ["eyes", "glints"]) {
        const { at } = this.#usePart(this.#plates[name], 1, 1);
        gl.uniformMatrix4fv(at("uMove"), false, raised(1, 4 * LID_CHORD_M * blink * (1 - blink)));
        gl.uniform4f(at("uCentre"), centre[0], centre[1], centre[2], 1);
        gl.uniformMatrix3fv(at("uTurn"), true, name === "eyes" ? turn : STRAIGHT);
        this.#drawShape(shape);
      }
    });
    gl.depthFunc(gl.LESS);
  }

  /**
   * @param {Canvas} canvas
   * @param {boolean} hasMoved
   * @param {number} shadow
   */
  #drawSkin(canvas, hasMoved, shadow) {
    const gl = this.#gl;
    const { at } = this.#use("skin", canvas.skin, this.#plates.rest.place);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#plates.open.image);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(at("uOpen"), 1);
    gl.uniform4fv(at("uPlate"), this.#plates.open.place);
    gl.uniform1f(at("uMouth"), hasMoved ? 1 : 0);
    gl.uniform1f(at("uShadow"), shadow);
    this.#drawShape(this.#shapes.skin);
  }

  /** @param {Float32Array} weights */
  #drawLids(weights) {
    const gl = this.#gl;
    gl.disable(gl.DEPTH_TEST);
    this.#eyes.forEach(({ centre }, k) => {
      const closed = clip((weights[this.#index[k ? "eyeBlinkRight" : "eyeBlinkLeft"]] - 0.5) / 0.5);
      if (!closed) return;
      const { at } = this.#use("lid", this.#plates.open.image, this.#plates.open.place);
      const [x, y] = project(this.#face.card.camera, [centre[0], centre[1], centre[2] + 0.0012]);
      const [w, h] = LID_ELLIPSE_M.map((axis) => axis * this.#zoomAt(centre[1]));
      gl.uniform4f(at("uEllipse"), x, y, w, h);
      gl.uniform1f(at("uLight"), closed * closed * (3 - 2 * closed));
      this.#drawBox([x - w - 15, y - h - 15, 2 * w + 30, 2 * h + 30]);
    });
    gl.enable(gl.DEPTH_TEST);
  }

  /** @param {Float32Array} weights */
  #drawLashes(weights) {
    morph(this.#lashes.morphs, weights, this.#lashAt);
    this.#upload(this.#lashBuffer, this.#lashAt);
    const { at } = this.#usePart(this.#plates.lashes, 1, 0);
    this.#gl.uniformMatrix4fv(at("uMove"), false, raised(1, -LASH_LIFT_M));
    this.#drawShape(this.#shapes.lashes);
  }

  /**
   * @param {Canvas} canvas
   * @param {Pose} pose
   * @param {number} lipShadow reach, in metres
   */
  #drawFrame(canvas, pose, lipShadow) {
    const gl = this.#gl;
    const { neck, eyes, camera } = this.#face.card;
    const [yaw, pitch, roll] = HEAD_LIMIT.map((limit, k) => clip(pose.head[k], -limit, limit));
    const px = (this.#zoomAt(this.#lips.line[1]) * canvas.height) / this.#plates.rest.place[3];
    const [, split] = project(camera, [0, eyes.left[1], eyes.left[2] - SPLIT_M]);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.#width, this.#height);
    const { at } = this.#use("frame", canvas.skin, this.#plates.rest.place);
    [canvas.within, this.#plates.background.image, this.#relief, canvas.picture].forEach((image, k) => {
      gl.activeTexture(gl.TEXTURE1 + k);
      gl.bindTexture(gl.TEXTURE_2D, image);
    });
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(at("uWithinMap"), 1);
    gl.uniform1i(at("uBack"), 2);
    gl.uniform1i(at("uRelief"), 3);
    gl.uniform1i(at("uPicture"), 4);
    gl.uniform4fv(at("uInner"), canvas.inner);
    gl.uniform4f(at("uFrame"), this.#width, this.#height, this.#frameScale(this.#width, this.#height), 0);
    gl.uniformMatrix3fv(at("uTurn"), false, rotation(yaw, pitch, roll));
    gl.uniform3f(at("uPivot"), neck.pivot[0], neck.pivot[1], neck.pivot[2]);
    gl.uniform3f(at("uNeck"), neck.fade[0], neck.fade[1], BREATH_M * clip(pose.breath));
    const splitRow = (split - this.#plates.rest.place[1]) / this.#plates.rest.place[3];
    gl.uniform4f(at("uEyes"), LID_SHADOW_M * px, 0.5, 0, splitRow);
    gl.uniform4f(at("uMouth"), lipShadow * px, 0.35, splitRow, 1);
    this.#drawShape(this.#shapes.grid);
  }

  /** How far the lips are apart where they are farthest, beyond rest, in metres. */
  #opening() {
    const { camera } = this.#face.card;
    const away = this.#lips.line[1] + camera.distance;
    const height = (/** @type {number} */ i) =>
      ((this.#at[i * 3 + 2] - camera.height) * away) / (this.#at[i * 3 + 1] + camera.distance);
    const apart = this.#lips.columns.map(
      ({ upper, lower, rest }) => Math.min(...upper.map(height)) - Math.max(...lower.map(height)) - rest,
    );
    return Math.max(0, ...apart);
  }

  /** @param {number} scale canvas pixels a plate pixel */
  #lipsMoved(scale) {
    const { camera } = this.#face.card;
    return this.#lips.all.some((i) => {
      const [x, y] = project(camera, this.#at.subarray(i * 3, i * 3 + 3));
      const { rest } = this.#skin;
      return Math.max(Math.abs(x - rest[i * 2]), Math.abs(y - rest[i * 2 + 1])) * scale > LIPS_AT_REST_PX;
    });
  }

  // ---- Words for the graphics card ----

  /**
   * @param {number} width
   * @param {number} height
   */
  #frameScale(width, height) {
    return Math.min(height / this.#face.card.camera.plate_px, width / NARROWEST);
  }

  /** @param {number} depth */
  #zoomAt(depth) {
    const { focal, plate_px, distance } = this.#face.card.camera;
    return (focal * plate_px) / (depth + distance);
  }

  /**
   * @param {keyof typeof PROGRAMS} name
   * @param {WebGLTexture} image
   * @param {number[]} place
   */
  #use(name, image, place) {
    const gl = this.#gl;
    const { camera } = this.#face.card;
    const used = this.#programs[name];
    this.#used = used;
    gl.useProgram(used.handle);
    gl.bindTexture(gl.TEXTURE_2D, image);
    gl.uniform1i(used.at("uTexture"), 0);
    gl.uniform4f(used.at("uCamera"), camera.focal * camera.plate_px, camera.distance, camera.height, camera.plate_px / 2);
    gl.uniform4fv(used.at("uRest"), this.#plates.rest.place);
    gl.uniform4fv(used.at("uPlate"), place);
    return used;
  }

  /**
   * @param {Plate} plate
   * @param {number} light
   * @param {number} within
   */
  #usePart(plate, light, within) {
    const gl = this.#gl;
    const used = this.#use("part", plate.image, plate.place);
    gl.uniformMatrix4fv(used.at("uMove"), false, STILL);
    gl.uniformMatrix3fv(used.at("uTurn"), false, STRAIGHT);
    gl.uniform4f(used.at("uCentre"), 0, 0, 0, 0);
    gl.uniform4f(used.at("uFlat"), 0, 0, 0, 0);
    gl.uniform1f(used.at("uLight"), light);
    gl.uniform1f(used.at("uWithin"), within);
    gl.uniform2f(used.at("uEven"), 0, 0);
    return used;
  }

  /** @param {Shape} shape */
  #drawShape({ vertices, count }) {
    this.#gl.bindVertexArray(vertices);
    this.#gl.drawElements(this.#gl.TRIANGLES, count, this.#gl.UNSIGNED_SHORT, 0);
    this.#gl.bindVertexArray(null);
  }

  /** @param {number[]} box in plate pixels, for the program in use */
  #drawBox(box) {
    const gl = this.#gl;
    gl.uniform4fv(this.#used.at("uBox"), box);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /**
   * @param {WebGLBuffer} to
   * @param {Float32Array} values
   */
  #upload(to, values) {
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, to);
    this.#gl.bufferSubData(this.#gl.ARRAY_BUFFER, 0, values);
  }
}

/**
 * @param {number} axis 0 to 2
 * @param {number} by
 * @returns {number[]} the matrix that shifts along it
 */
function raised(axis, by) {
  return STILL.map((one, k) => (k === 12 + axis ? by : one));
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
