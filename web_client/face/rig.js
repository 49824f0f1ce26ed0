/** What each part of the face shows and how it moves, worked out once; as render/baked/{rig,scaled,lips}.py. */

import { pixels } from "./asset.js";
import { clip, morph, project, quantile, unproject } from "./geometry.js";

/** @typedef {import("./asset.js").FaceAsset} FaceAsset */
/** @typedef {import("./asset.js").Morphs} Morphs */

/**
 * @typedef {object} Part triangles with a texture
 * @property {Float32Array} points metres
 * @property {Float32Array} spots where on its plate each point takes its colour, in plate pixels
 * @property {Float32Array} paint brightness and opacity of each point
 * @property {Uint16Array} triangles
 */

/** @typedef {{columns: {upper: number[], lower: number[], rest: number}[], all: number[], line: number[]}} Lips */

const OPEN_POSE = { jawOpen: 0.75, eyeBlinkLeft: 1, eyeBlinkRight: 1, mouthLowerDownLeft: 0.3, mouthLowerDownRight: 0.3, mouthUpperUpLeft: 0.3, mouthUpperUpRight: 0.3 };
const EYE_CAP_RAD = 1.05;
const BURIED_M = 0.012;
const BURIED_HALF_M = 0.045;
const ARCH_HALF_M = 0.0335;
const ARCH_DEPTH_M = 0.0426;
const ARCH_BEHIND_M = 0.0083;
const TEETH_SIDE = 0.075;
const TEETH_LUMA = 208;
const TIP_TEXELS = 0.12;
const LIP_COLUMNS_M = [-0.016, -0.008, 0, 0.008, 0.016];
const LIP_COLUMN_HALF_M = 0.0035;

/** The share of the jaw's way on the plates of tongue and lower teeth. */
export const BAKED_JAW = 0.75;

/** @param {FaceAsset} face */
function reliefAt({ relief, card }, /** @type {number} */ x, /** @type {number} */ y) {
  const last = relief.size - 1;
  const at = (/** @type {number} */ plate) => Math.round(clip((plate / card.camera.plate_px) * last, 0, last));
  return relief.depths[at(y) * relief.size + at(x)];
}

/**
 * @param {FaceAsset} face
 * @param {Record<string, number>} pose
 */
function posed({ card, mesh }, pose) {
  const out = new Float32Array(mesh.vertices.length);
  morph(mesh, card.blendshapes.map((name) => pose[name] ?? 0), out);
  return out;
}

/**
 * @param {FaceAsset} face
 * @returns {Lips}
 */
export function findLips(face) {
  const { mesh, card } = face;
  const v = mesh.vertices;
  const opened = posed(face, { jawOpen: 1 });
  const drop = (/** @type {number} */ i) => v[i * 3 + 2] - opened[i * 3 + 2];
  const plate = project(card.camera, v);
  const every = [...Array(v.length / 3).keys()];
  const middle = every
    .filter((i) => Math.abs(v[i * 3]) < 0.003)
    .filter((i) => v[i * 3 + 1] - reliefAt(face, plate[i * 2], plate[i * 2 + 1]) < 0.002)
    .sort((a, b) => v[b * 3 + 2] - v[a * 3 + 2]);
  const steps = middle.slice(1).map((i, k) => drop(i) - drop(middle[k]));
  const split = steps.indexOf(Math.max(...steps));
  const [a, b] = [middle[split], middle[split + 1]];
  const line = [0, 1, 2].map((c) => (v[a * 3 + c] + v[b * 3 + c]) / 2);
  const half = (drop(a) + drop(b)) / 2;
  const near = every.filter((i) => Math.abs(v[i * 3 + 2] - line[2]) < 0.012 && v[i * 3 + 1] < line[1] + 0.006);
  const columns = LIP_COLUMNS_M.map((x) => {
    const mine = near.filter((i) => Math.abs(v[i * 3] - x) < LIP_COLUMN_HALF_M);
    const [upper, lower] = [mine.filter((i) => drop(i) <= half), mine.filter((i) => drop(i) > half)];
    const rest = Math.min(...upper.map((i) => v[i * 3 + 2])) - Math.max(...lower.map((i) => v[i * 3 + 2]));
    return { upper, lower, rest };
  });
  return { columns, all: columns.flatMap(({ upper, lower }) => [...upper, ...lower]), line };
}

/**
 * @param {FaceAsset} face
 * @param {Lips} lips
 */
export function skin(face, lips) {
  const { mesh, card, triangles, lining } = face;
  const v = mesh.vertices;
  const count = v.length / 3;
  const rest = project(card.camera, v);
  const open = project(card.camera, posed(face, card.plates.open?.pose ?? OPEN_POSE));
  const areas = [rest, open].map((at) => trianglesOf(triangles, (a, b, c) => area(at, a, b, c)));
  const sign = Math.sign(quantile(/** @type {Float32Array} */ (areas[0]), 0.5));
  const sums = areas.map((all) => perVertex(triangles, count, (t) => Math.max(0, all[t] * sign)));
  const lined = perVertex(triangles, count, (t) => lining[t]);
  const all = perVertex(triangles, count, () => 1);
  const reach = new Float32Array(count);
  mesh.indices.forEach((i, row) => {
    for (let c = 0; c < 3; c += 1) reach[i] = Math.max(reach[i], Math.abs(mesh.deltas[row * 3 + c]));
  });
  const extra = new Float32Array(count * 3);
  for (let i = 0; i < count; i += 1) {
    const [x, z] = [v[i * 3], v[i * 3 + 2]];
    const over = z - lips.line[2];
    const inLips = Math.hypot(x / 0.034, over / (over > 0 ? 0.009 : 0.017)) < 1;
    const inLids = eyesOf(face).some((eye) => Math.hypot(x - eye[0], (z - eye[2]) * 1.15) < 0.0215);
    const ratio = sums[1][i] / (sums[1][i] + sums[0][i] + 1e-9);
    let share = inLips || inLids ? clip((ratio - 0.58) / 0.12) : 0;
    if (lined[i] > 0.5 * all[i]) share = 1;
    const inner = inLips ? share * clip((0.02 - Math.abs(x)) / 0.008) : 0;
    extra.set([share, inner, clip((reach[i] - 5e-4) / 1.2e-3)], i * 3);
  }
  return { rest, open, extra, regions: regions(face, count), ...outside(face) };
}

/**
 * @param {FaceAsset} face
 * @param {number} count
 * @returns {Float32Array} of each vertex: whether its skin is always drawn (2: around the eyes), or when the lips move (1)
 */
function regions(face, count) {
  const { triangles, lining, mesh } = face;
  const v = mesh.vertices;
  let [lowX, highX, lowZ, highZ] = [9, -9, 9, -9];
  triangles.forEach((i, k) => {
    if (!lining[Math.floor(k / 3)]) return;
    [lowX, highX] = [Math.min(lowX, v[i * 3]), Math.max(highX, v[i * 3])];
    [lowZ, highZ] = [Math.min(lowZ, v[i * 3 + 2]), Math.max(highZ, v[i * 3 + 2])];
  });
  return Float32Array.from({ length: count }, (_, i) => {
    const [x, z] = [v[i * 3], v[i * 3 + 2]];
    if (eyesOf(face).some((eye) => Math.hypot(x - eye[0], z - eye[2]) < 0.0225)) return 2;
    const isNear = x > lowX - 0.004 && x < highX + 0.004 && z > lowZ - 0.004 && z < highZ + 0.004;
    return isNear ? 1 : 0;
  });
}

/**
 * @param {FaceAsset} face
 * @returns {{skin: Uint16Array, inside: Uint16Array, nearness: Float32Array}} triangles of the outside of the
 *   head, without what nothing ever uncovers; those inside the mouth, and their brightness and opacity
 */
function outside(face) {
  const { mesh, card, triangles, lining } = face;
  const v = mesh.vertices;
  /** @type {number[]} */ const skin = [];
  /** @type {number[]} */ const inside = [];
  for (let t = 0; t < lining.length; t += 1) {
    const corners = triangles.subarray(t * 3, t * 3 + 3);
    const middle = [0, 1, 2].map((c) => corners.reduce((sum, i) => sum + v[i * 3 + c] / 3, 0));
    const [x, y] = project(card.camera, middle);
    const isBuried = middle[1] - reliefAt(face, x, y) > BURIED_M && Math.abs(middle[0]) < BURIED_HALF_M;
    if (lining[t]) inside.push(...corners);
    else if (!isBuried) skin.push(...corners);
  }
  const nearness = Float32Array.from({ length: (v.length / 3) * 2 }, (_, k) =>
    k % 2 ? 1 : clip((-0.098 - v[(k / 2) * 3 + 1]) / 0.03, 0.12, 1),
  );
  return { skin: Uint16Array.from(skin), inside: Uint16Array.from(inside), nearness };
}

/**
 * @param {FaceAsset} face
 * @returns {number[][]} centres of the left and the right eye
 */
export const eyesOf = ({ card }) => [card.eyes.left, card.eyes.right];

/**
 * The front of an eyeball.
 *
 * @param {FaceAsset} face
 * @param {number[]} centre
 * @returns {Part}
 */
export function eyeball({ card }, centre) {
  const [rings, spokes] = [20, 24];
  const points = new Float32Array((rings + 1) * spokes * 3);
  /** @type {number[]} */ const triangles = [];
  for (let i = 0; i < (rings + 1) * spokes; i += 1) {
    const polar = (Math.floor(i / spokes) / rings) * EYE_CAP_RAD;
    const around = ((i % spokes) * 2 * Math.PI) / spokes;
    const unit = [Math.sin(polar) * Math.cos(around), -Math.cos(polar), Math.sin(polar) * Math.sin(around)];
    points.set(unit.map((u, c) => u * card.eyes.radius + centre[c]), i * 3);
    if (i >= rings * spokes) continue;
    const next = i - (i % spokes) + ((i + 1) % spokes);
    triangles.push(i, next, i + spokes, next, next + spokes, i + spokes);
  }
  return part(points, project(card.camera, points), triangles);
}

/**
 * A plate of teeth, or the tongue, bent along the dental arch, dark towards the cheeks.
 *
 * @param {FaceAsset} face
 * @param {string} name
 * @param {Lips} lips
 * @returns {Part & {tip: number[], luma: number}} `tip`: its lowest point in the middle, for lower teeth the
 *   highest; `luma`: 0 to 255, of its brightest
 */
export function arch(face, name, lips) {
  const { card, image } = face.plates[name];
  const camera = face.card.camera;
  const n = 9;
  const [points, spots] = [new Float32Array(n * n * 3), new Float32Array(n * n * 2)];
  const shade = new Float32Array(n * n);
  /** @type {number[]} */ const triangles = [];
  const front = lips.line[1] + ARCH_BEHIND_M;
  for (let i = 0; i < n * n; i += 1) {
    const x = card.origin[0] + ((i % n) / (n - 1)) * image.width * card.scale;
    const y = card.origin[1] + (Math.floor(i / n) / (n - 1)) * image.height * card.scale;
    const aside = x / camera.plate_px - 0.5;
    const across = clip((0.35 * aside) / ARCH_HALF_M, -1, 1);
    const depth = front + ARCH_DEPTH_M * (1 - Math.sqrt(1 - across ** 2));
    points.set(unproject(camera, x, y, depth), i * 3);
    spots.set([x, y], i * 2);
    shade[i] = clip(1 - 0.6 * (aside / TEETH_SIDE) ** 2, 0.2, 1);
    if (i % n < n - 1 && i < n * (n - 1)) triangles.push(i, i + n, i + 1, i + 1, i + n, i + n + 1);
  }
  const picture = pixels(face.plates[name]);
  const middle = (camera.plate_px / 2 - card.origin[0]) / card.scale;
  const half = Math.max(1, TIP_TEXELS * picture.width);
  const [first, end] = [Math.round(middle - half), Math.round(middle + half)];
  const rows = [...Array(picture.height).keys()].filter((y) => {
    let filled = 0;
    for (let x = first; x < end; x += 1) filled += picture.data[(y * picture.width + x) * 4 + 3] > 128 ? 1 : 0;
    return filled > 0.4 * (end - first);
  });
  const row = rows.at(name === "teeth_lower" ? 0 : -1) ?? 0;
  const tip = unproject(camera, camera.plate_px / 2, card.origin[1] + (row + 0.5) * card.scale, front);
  /** @type {number[]} */ const lumas = [];
  for (let k = 0; k < picture.data.length; k += 4) {
    const [r, g, b, a] = picture.data.subarray(k, k + 4);
    if (a > 200) lumas.push(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return { ...part(points, spots, triangles, shade), tip, luma: quantile(lumas, 0.92) };
}

/** @param {number} luma of the brightest teeth on a plate, 0 to 255 */
export const teethGain = (luma) => clip((TEETH_LUMA - 16) / (luma * (219 / 255)), 0.8, 1.5);

/**
 * @param {Float32Array} points
 * @param {Float32Array} spots
 * @param {number[]} triangles
 * @param {Float32Array} [shade]
 * @returns {Part}
 */
function part(points, spots, triangles, shade) {
  const paint = Float32Array.from({ length: (points.length / 3) * 2 }, (_, k) => (k % 2 ? 1 : (shade?.[k / 2] ?? 1)));
  return { points, spots, paint, triangles: Uint16Array.from(triangles) };
}

/**
 * @param {Uint16Array} triangles
 * @param {(a: number, b: number, c: number) => number} measure
 */
function trianglesOf(triangles, measure) {
  return Float32Array.from({ length: triangles.length / 3 }, (_, t) =>
    measure(triangles[t * 3], triangles[t * 3 + 1], triangles[t * 3 + 2]),
  );
}

/**
 * @param {Float32Array} at x and y
 * @param {number} a
 * @param {number} b
 * @param {number} c
 */
function area(at, a, b, c) {
  const [ax, ay] = [at[a * 2], at[a * 2 + 1]];
  return (at[b * 2] - ax) * (at[c * 2 + 1] - ay) - (at[c * 2] - ax) * (at[b * 2 + 1] - ay);
}

/**
 * @param {Uint16Array} triangles
 * @param {number} count
 * @param {(t: number) => number} value
 */
function perVertex(triangles, count, value) {
  const out = new Float32Array(count);
  triangles.forEach((i, k) => (out[i] += value(Math.floor(k / 3))));
  return out;
}
