/** Whether a page's WebGL has graphics hardware behind it. */

/** Renderers that compute on the CPU; Chromium's own says that it is no "major performance caveat". */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|software|basic render/i;

/** @returns {boolean} without, drawing here costs more than video */
export function hasGraphicsHardware() {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info"); // Where it is not needed, it is not there.
  const renderer = String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(renderer);
}
