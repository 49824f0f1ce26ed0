/** A face folder over HTTP: its card, pictures and mesh, each held to the card's sha256. */

import { readNpz } from "./npz.js";

/** @typedef {{file: string, sha256: string}} FileCard */
/** @typedef {FileCard & {origin: [number, number], scale: number, pose?: Record<string, number>, drivers?: Record<string, number>}} PictureCard */
/** @typedef {{focal: number, distance: number, height: number, plate_px: number}} Camera */

/**
 * @typedef {object} Card `card.toml`, format 3
 * @property {number} format
 * @property {string[]} blendshapes
 * @property {Camera} camera
 * @property {{left: number[], right: number[], radius: number}} eyes
 * @property {{pivot: number[], fade: [number, number]}} neck
 * @property {FileCard & {delta_unit: number}} mesh
 * @property {Record<string, PictureCard>} plates
 * @property {Record<string, PictureCard>} shading
 */

/** @typedef {{card: PictureCard, image: ImageBitmap}} Picture with premultiplied alpha */

/**
 * @typedef {object} Morphs
 * @property {Float32Array} vertices metres, x y z of each
 * @property {Int32Array} starts blendshape k moves rows starts[k] to starts[k + 1] of:
 * @property {Uint16Array | Int32Array} indices which vertex, and
 * @property {Float32Array} deltas by how many metres at weight 1, x y z of each
 */

/** @typedef {{size: number, depths: Float32Array}} Relief depths over the square plate */

/**
 * @typedef {object} FaceAsset
 * @property {Card} card
 * @property {Record<string, Picture>} plates
 * @property {Record<string, Picture>} shading
 * @property {Morphs} mesh
 * @property {Uint16Array} triangles
 * @property {Uint8Array} lining for each triangle, whether it is inside the mouth
 * @property {Float32Array} jaw 4 x 3: motion of (x, y, z, 1) at jawOpen 1
 * @property {Relief} relief of what the plate shows
 * @property {Relief} turnRelief over which the head turns
 * @property {Morphs} lashes
 * @property {Uint16Array} lashTriangles
 * @property {Float32Array} lashUv
 */

const FORMAT = 3;
const PLATES = ["rest", "open", "eyes", "teeth_upper", "teeth_lower", "tongue", "lashes", "background"];
export const SHADING = ["smile", "pucker", "brows_up", "brows_down", "squint", "frown", "jaw"];

/**
 * @param {string} url of the folder, with a slash at its end
 * @returns {Promise<FaceAsset>}
 */
export async function loadFace(url) {
  const answer = await fetch(`${url}card.json`);
  if (!answer.ok) throw new Error(`The face's card can't be read: ${answer.status}.`);
  const card = /** @type {Card} */ (await answer.json());
  if (card.format !== FORMAT) throw new Error(`The face has format ${card.format}, not ${FORMAT}.`);
  const [plates, shading, mesh] = await Promise.all([
    loadPictures(url, card.plates, PLATES),
    loadPictures(url, card.shading, SHADING),
    loadFile(url, card.mesh).then(readNpz),
  ]);
  const part = (/** @type {string} */ name) => {
    const found = mesh[name];
    if (!found) throw new Error(`${card.mesh.file} has no ${name}.`);
    return found;
  };
  const floats = (/** @type {string} */ name) => /** @type {Float32Array} */ (part(name).data);
  const shorts = (/** @type {string} */ name) => /** @type {Uint16Array} */ (part(name).data);
  /** @returns {Relief} */
  const relief = (/** @type {string} */ name) => ({ size: part(name).shape[0], depths: floats(name) });
  /** @returns {Morphs} */
  const morphs = (/** @type {string} */ prefix) => ({
    vertices: floats(`${prefix}vertices`),
    starts: /** @type {Int32Array} */ (part(`${prefix}morph_starts`).data),
    indices: shorts(`${prefix}morph_vertices`),
    deltas: Float32Array.from(part(`${prefix}morph_deltas`).data, (step) => step * card.mesh.delta_unit),
  });
  return {
    card,
    plates,
    shading,
    mesh: morphs(""),
    triangles: shorts("triangles"),
    lining: /** @type {Uint8Array} */ (part("lining").data),
    jaw: floats("jaw"),
    relief: relief("relief"),
    turnRelief: relief("turn_relief"),
    lashes: morphs("lash_"),
    lashTriangles: shorts("lash_triangles"),
    lashUv: floats("lash_uv"),
  };
}

/**
 * @param {string} url
 * @param {Record<string, PictureCard>} cards
 * @param {string[]} names
 * @returns {Promise<Record<string, Picture>>}
 */
async function loadPictures(url, cards, names) {
  const pictures = names.map(async (name) => {
    const card = cards[name];
    if (!card) throw new Error(`The face's card has no ${name}.`);
    const file = new Blob([await loadFile(url, card)]);
    const image = await createImageBitmap(file, { premultiplyAlpha: "premultiply", colorSpaceConversion: "none" });
    return /** @type {const} */ ([name, { card, image }]);
  });
  return Object.fromEntries(await Promise.all(pictures));
}

/**
 * @param {string} url
 * @param {FileCard} card
 */
async function loadFile(url, { file, sha256 }) {
  const answer = await fetch(`${url}${file}?${sha256}`);
  if (!answer.ok) throw new Error(`The face's file ${file} can't be read: ${answer.status}.`);
  const content = await answer.arrayBuffer();
  if (globalThis.crypto.subtle) {
    // Absent on a page that came over plain HTTP.
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== sha256) throw new Error(`The face's file ${file} is not the one that its card names (sha256).`);
  }
  return content;
}

/**
 * @param {Picture} picture
 * @returns {ImageData} with straight alpha
 */
export function pixels({ image }) {
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("No 2D canvas.");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}
