/** WebGL2 in few words. */

/**
 * @typedef {object} Program
 * @property {WebGLProgram} handle
 * @property {(name: string) => WebGLUniformLocation | null} at
 */

/** @typedef {{vertices: WebGLVertexArrayObject, count: number}} Shape */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {string[]} sources of the vertex and the fragment shader
 * @returns {Program}
 */
export function program(gl, sources) {
  const handle = gl.createProgram();
  sources.forEach((source, k) => {
    const shader = gl.createShader(k ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
    if (!shader) throw new Error("The graphics context is lost.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "no shader");
    gl.deleteShader(shader);
  });
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(handle) ?? "no program");
  /** @type {Map<string, WebGLUniformLocation | null>} */
  const places = new Map();
  const at = (/** @type {string} */ name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(handle, name));
    return places.get(name) ?? null;
  };
  return { handle, at };
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {ImageBitmap | ImageData} picture a bitmap with premultiplied alpha, or pixels with straight alpha
 */
export function texture(gl, picture) {
  const handle = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, handle);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, picture instanceof ImageData);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.generateMipmap(gl.TEXTURE_2D);
  filter(gl, gl.LINEAR_MIPMAP_LINEAR, gl.LINEAR);
  return handle;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} shrinking
 * @param {number} growing
 */
function filter(gl, shrinking, growing) {
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, shrinking);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, growing);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} size
 * @param {Float32Array} depths
 */
export function depthTexture(gl, size, depths) {
  const handle = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, handle);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, size, size, 0, gl.RED, gl.FLOAT, depths);
  filter(gl, gl.NEAREST, gl.NEAREST);
  return handle;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} format
 * @param {number} width
 * @param {number} height
 */
export function emptyTexture(gl, format, width, height) {
  const handle = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, handle);
  gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
  filter(gl, gl.LINEAR, gl.LINEAR);
  return handle;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Float32Array} values
 * @param {number} [usage]
 */
export function buffer(gl, values, usage = gl.STATIC_DRAW) {
  const handle = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, handle);
  gl.bufferData(gl.ARRAY_BUFFER, values, usage);
  return handle;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {[WebGLBuffer, number][]} attributes at locations 0, 1, ...: buffer, and floats a vertex
 * @param {Uint16Array} triangles
 * @returns {Shape}
 */
export function shape(gl, attributes, triangles) {
  const vertices = gl.createVertexArray();
  gl.bindVertexArray(vertices);
  attributes.forEach(([values, size], location) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, values);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, gl.FLOAT, false, 0, 0);
  });
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
  gl.bindVertexArray(null);
  return { vertices, count: triangles.length };
}
