/** Arrays that numpy wrote: `.npz` files, read without a library. */

/** @typedef {{shape: number[], data: Float32Array | Uint16Array | Int16Array | Int32Array | Uint8Array}} Stored rows first */

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DEFLATED = 8;

const KINDS = {
  "<f4": Float32Array,
  "<u2": Uint16Array,
  "<i2": Int16Array,
  "<i4": Int32Array,
  "|u1": Uint8Array,
  "|b1": Uint8Array,
};

/**
 * @param {ArrayBuffer} file a zip of `.npy` files (PKWARE APPNOTE 6.3; none of 4 GB), stored or deflated
 * @returns {Promise<Record<string, Stored>>} by name, without `.npy`
 */
export async function readNpz(file) {
  const view = new DataView(file);
  let end = file.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error("This is no zip file.");
  /** @type {Record<string, Stored>} */
  const arrays = {};
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    if (view.getUint32(at, true) !== DIRECTORY_ENTRY) throw new Error("The zip file's directory is damaged.");
    const nameBytes = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(file, at + 46, nameBytes));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const packed = new Uint8Array(file, start, view.getUint32(at + 20, true));
    const isPacked = view.getUint16(at + 10, true) === DEFLATED;
    arrays[name.replace(/\.npy$/, "")] = readNpy(isPacked ? await inflate(packed) : packed.slice().buffer);
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return arrays;
}

/** @param {Uint8Array<ArrayBuffer>} packed */
function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

/**
 * @param {ArrayBuffer} file as numpy.lib.format describes it, versions 1 to 3
 * @returns {Stored}
 */
function readNpy(file) {
  const view = new DataView(file);
  const isFirst = view.getUint8(6) === 1;
  const start = isFirst ? 10 : 12;
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(new Uint8Array(file, start, length));
  const kind = /'descr': '([^']+)'/.exec(header)?.[1] ?? "of many fields";
  const Kind = KINDS[/** @type {keyof typeof KINDS} */ (kind)];
  if (!Kind) throw new Error(`An array is ${kind}, which is not known.`);
  const sizes = /'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "";
  const shape = sizes.split(",").filter((size) => size.trim()).map(Number);
  const data = new Kind(file.slice(start + length));
  if (shape.length < 2 || !header.includes("'fortran_order': True")) return { shape, data };
  if (shape.length > 2) throw new Error("An array of more than two axes lies columns first.");
  const [rows, columns] = shape;
  return { shape, data: data.map((_, i) => data[(i % columns) * rows + Math.floor(i / columns)]) };
}
