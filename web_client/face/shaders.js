/** The programs of pen.js: GLSL ES 3.00. Colours are premultiplied; row 0 of every texture is the picture's top. */

/** Plate positions of points in space, and where those are on the canvas. Nearer is smaller in depth. */
const SPACE = `#version 300 es
precision highp float;
uniform vec4 uCamera; // focal length in plate pixels, distance, height, half the plate's side
uniform vec4 uRest;   // the rest plate: origin and size, in plate pixels
vec2 plateOf(vec3 p) {
  float scale = uCamera.x / (p.y + uCamera.y);
  return vec2(uCamera.w + p.x * scale, uCamera.w - (p.z - uCamera.z) * scale);
}
vec4 onCanvas(vec2 plate, float depth) { return vec4((plate - uRest.xy) / uRest.zw * 2.0 - 1.0, depth * 4.0, 1.0); }
`;

const HEAD = `#version 300 es
precision highp float;
`;

/** A rectangle of the canvas, \`uBox\` in plate pixels: its origin and size. */
const RECTANGLE = `${SPACE}
uniform vec4 uBox;
out vec2 vPlate;
void main() {
  vPlate = uBox.xy + uBox.zw * vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = onCanvas(vPlate, 0.0);
}`;

/** The rest plate and what expressions add to it, each side by its own weight. */
const SHADED = `${HEAD}
uniform vec4 uRest;
uniform sampler2D uTexture, uShade[7];
uniform vec4 uPlace[7];  // origin and size, in plate pixels
uniform vec2 uWeight[7]; // of the face's left and right side
uniform vec2 uSeam;      // plate x of the middle, plate pixels over which the sides mix
in vec2 vPlate;
out vec4 colour;
vec3 change(sampler2D shade, int k) {
  vec2 at = (vPlate - uPlace[k].xy) / uPlace[k].zw;
  if (uWeight[k] == vec2(0) || at != clamp(at, 0.0, 1.0)) return vec3(0);
  float left = clamp(0.5 + (vPlate.x - uSeam.x) / uSeam.y, 0.0, 1.0);
  vec3 around = abs(textureLod(shade, at, 1.5).rgb - 128.0 / 255.0);
  if (max(around.r, max(around.g, around.b)) < 2.0 / 255.0) return vec3(0); // noise of the path tracer
  return mix(uWeight[k].y, uWeight[k].x, left) * (textureLod(shade, at, 0.0).rgb - 128.0 / 255.0);
}
void main() {
  colour = texture(uTexture, (vPlate - uRest.xy) / uRest.zw);
  vec3 sum = ${Array.from({ length: 7 }, (_, k) => `change(uShade[${k}], ${k})`).join(" + ")};
  colour.rgb = clamp(colour.rgb + sum * colour.a, 0.0, 1.0);
}`;

const COPY = `${HEAD}
uniform vec4 uRest;
uniform sampler2D uTexture;
in vec2 vPlate;
layout(location = 0) out vec4 colour;
layout(location = 1) out vec4 within;
void main() {
  colour = texture(uTexture, (vPlate - uRest.xy) / uRest.zw);
  within = vec4(0);
}`;

/** Teeth, tongue, eyeballs, the inside of the mouth, lashes. */
const PART_AT = `${SPACE}
uniform mat4 uMove;
uniform mat3 uTurn;   // of what an eyeball shows, about:
uniform vec4 uCentre; // with w = 1 for an eyeball
layout(location = 0) in vec3 aAt;
layout(location = 1) in vec2 aSpot;
layout(location = 2) in vec2 aPaint;
out vec2 vPlate;
out vec2 vPaint;
void main() {
  vec3 at = (uMove * vec4(aAt, 1)).xyz;
  vPlate = uCentre.w > 0.5 ? plateOf(uCentre.xyz + (aAt - uCentre.xyz) * uTurn) : aSpot;
  vPaint = aPaint;
  gl_Position = onCanvas(plateOf(at), at.y);
}`;

const PART = `${HEAD}
uniform sampler2D uTexture;
uniform vec4 uPlate; // origin and size of the texture, in plate pixels
uniform vec4 uFlat;  // a colour in place of the texture, where its alpha is 1
uniform float uLight, uWithin;
uniform vec2 uEven;  // a light that is the same all over, and its share
in vec2 vPlate;
in vec2 vPaint;
layout(location = 0) out vec4 colour;
layout(location = 1) out vec4 within;
void main() {
  vec4 shown = uFlat.a > 0.5 ? uFlat : texture(uTexture, (vPlate - uPlate.xy) / uPlate.zw);
  float alpha = shown.a * vPaint.y;
  if (alpha < 0.004) discard;
  float light = mix(vPaint.x * uLight, uEven.x, uEven.y);
  colour = vec4(min(shown.rgb * light, shown.a) * vPaint.y, alpha);
  within = uWithin * vec4(alpha);
}`;

const SKIN_AT = `${SPACE}
uniform float uMouth; // 1 when the lips have moved
layout(location = 0) in vec3 aAt;
layout(location = 1) in vec2 aRest;
layout(location = 2) in vec2 aOpen;
layout(location = 3) in vec3 aShare; // of the open plate, the same of the lips alone, opacity
layout(location = 4) in float aRegion;
out vec2 vRest, vOpen;
out vec3 vShare;
out float vMoved;
void main() {
  vec2 plate = plateOf(aAt);
  vec2 move = abs(plate - aRest);
  vMoved = max(max(move.x, move.y), aRegion > 1.5 ? 1.0 : aRegion * uMouth);
  vRest = aRest;
  vOpen = aOpen;
  vShare = aShare;
  gl_Position = onCanvas(plate, aAt.y);
}`;

const SKIN = `${HEAD}
uniform vec4 uRest, uPlate;
uniform sampler2D uTexture, uOpen;
uniform float uShadow; // on the inside of the lips
in vec2 vRest, vOpen;
in vec3 vShare;
in float vMoved;
layout(location = 0) out vec4 colour;
layout(location = 1) out vec4 within;
void main() {
  if (vMoved < 0.15) discard; // the rest plate shows it as it is
  vec4 rest = texture(uTexture, (vRest - uRest.xy) / uRest.zw);
  vec4 open = texture(uOpen, (vOpen - uPlate.xy) / uPlate.zw);
  vec3 mixed = mix(rest.rgb / max(rest.a, 0.004), open.rgb / max(open.a, 0.004), vShare.x);
  float alpha = mix(rest.a, 1.0, vShare.x) * vShare.z;
  if (alpha < 0.004) discard;
  colour = vec4(mixed * (1.0 - uShadow * vShare.y) * alpha, alpha);
  within = vec4(0, 0, 0, alpha);
}`;

/** What the open plate shows of a closed eye, inside a soft ellipse. */
const LID = `${HEAD}
uniform sampler2D uTexture;
uniform vec4 uPlate;
uniform vec4 uEllipse; // centre and half axes, in plate pixels
uniform float uLight;  // opacity
in vec2 vPlate;
layout(location = 0) out vec4 colour;
layout(location = 1) out vec4 within;
const float SIGMA = 5.0; // plate pixels
void main() {
  vec2 off = (vPlate - uEllipse.xy) / uEllipse.zw;
  float outside = (length(off) - 1.0) * length(off) / max(length(off / uEllipse.zw), 1e-6);
  float alpha = uLight / (1.0 + exp(1.7 * outside / SIGMA)); // close to a blurred edge
  vec4 shown = texture(uTexture, (vPlate - uPlate.xy) / uPlate.zw);
  colour = vec4(shown.rgb / max(shown.a, 0.004) * alpha, alpha);
  within = vec4(0, 0, 0, alpha);
}`;

/** The head's turn, inverted by fixed-point iteration over the relief, as \`aim\` in render/baked/warp.py. */
const FRAME_AT = `${SPACE}
uniform vec4 uFrame;    // width, height, frame pixels per plate pixel, columns of the grid
uniform sampler2D uRelief;
uniform mat4 uHead, uBody;
uniform vec2 uNeck;     // heights: below, all moves with the body, above with the head
layout(location = 0) in vec2 aAt;
out vec2 vCanvas, vFrame;
float depthAt(vec2 slope) {
  int last = textureSize(uRelief, 0).x - 1;
  float zoom = uCamera.x / (2.0 * uCamera.w) * float(last);
  vec2 at = clamp(0.5 * float(last) + vec2(slope.x, -slope.y) * zoom, 0.0, float(last) - 0.001);
  ivec2 cell = ivec2(at);
  vec2 share = at - vec2(cell);
  float a = texelFetch(uRelief, cell, 0).r, b = texelFetch(uRelief, cell + ivec2(1, 0), 0).r;
  float c = texelFetch(uRelief, cell + ivec2(0, 1), 0).r, d = texelFetch(uRelief, cell + 1, 0).r;
  return mix(mix(a, b, share.x), mix(c, d, share.x), share.y);
}
void main() {
  vFrame = aAt * uFrame.xy;
  float zoom = uCamera.x * uFrame.z;
  float top = uFrame.y - uCamera.w * uFrame.z;
  vec2 want = vec2(vFrame.x - 0.5 * uFrame.x, top - vFrame.y) / zoom;
  vec2 slope = want;
  for (int i = 0; i < 8; i++) {
    float depth = depthAt(slope), away = depth + uCamera.y;
    vec4 p = vec4(slope.x * away, depth, slope.y * away + uCamera.z, 1);
    vec3 q = mix(uBody * p, uHead * p, smoothstep(uNeck.x, uNeck.y, p.z)).xyz;
    slope += want - vec2(q.x, q.z - uCamera.z) / (q.y + uCamera.y);
  }
  vec2 plate = uCamera.w + uCamera.x * vec2(slope.x, -slope.y);
  vCanvas = (plate - uRest.xy) / uRest.zw;
  gl_Position = vec4(aAt.x * 2.0 - 1.0, 1.0 - aAt.y * 2.0, 0, 1);
}`;

/** The canvas, what moves inside the whole, over the background; lids and lips cast a shadow on what is within. */
const FRAME = `${HEAD}
uniform vec4 uFrame;
uniform vec4 uEyes, uMouth; // of the shadow: reach in canvas pixels, strength; then canvas rows from, to in [0, 1]
uniform vec4 uInner;        // where uPicture and uWithinMap are on the canvas, in [0, 1]
uniform sampler2D uTexture, uPicture, uWithinMap, uBack;
in vec2 vCanvas, vFrame;
out vec4 colour;
float grain(vec2 at) { return fract(52.9829189 * fract(dot(floor(at), vec2(0.06711056, 0.00583715)))) - 0.5; }
void main() {
  vec2 back = vec2(textureSize(uBack, 0));
  float fit = min(back.x / uFrame.x, back.y / uFrame.y);
  vec2 at = (vCanvas - uInner.xy) / uInner.zw;
  bool moves = at == clamp(at, 0.0, 1.0);
  colour = moves ? texture(uPicture, at) : texture(uTexture, vCanvas);
  float within = moves ? texture(uWithinMap, at).r : 0.0;
  if (within > 0.02) {
    vec4 shadow = vCanvas.y < uEyes.w ? uEyes : uMouth;
    float up = 1.0 / float(textureSize(uWithinMap, 0).y), below = within;
    for (int k = 1; k < 14; k++) {
      float there = texture(uWithinMap, at - vec2(0, float(k) * up)).r;
      below += there;
      if (there < 0.05 || below > shadow.x + 1.0) break;
    }
    float fade = max(0.0, 1.0 - max(0.5, below - 0.5) / shadow.x);
    colour.rgb *= 1.0 - within * shadow.y * fade * fade;
  }
  vec3 room = texture(uBack, 0.5 + (vFrame - 0.5 * uFrame.xy) * fit / back).rgb + 4.0 / 255.0 * grain(vFrame);
  colour = vec4(colour.rgb + (1.0 - colour.a) * room, 1);
}`;

export const PROGRAMS = {
  shaded: [RECTANGLE, SHADED],
  copy: [RECTANGLE, COPY],
  part: [PART_AT, PART],
  skin: [SKIN_AT, SKIN],
  lid: [RECTANGLE, LID],
  frame: [FRAME_AT, FRAME],
};
