/** The browser and the machine it runs on: security, features, drawing, speed. */

import { hasGraphicsHardware } from "../graphics.js";
import { failed, good, pause, warning } from "./finding.js";

/** @typedef {import("./finding.js").Finding} Finding */

const FRAMES = 60;
/** 25 pictures a second are shown: a page that draws fewer shows the face in jerks. */
const SLOW_FRAME_MS = 40;
/** A timer later than this also makes the voice late. */
const LATE_MS = 80;

/** @returns {Finding} whether the browser gives this page a microphone at all */
export function secure() {
  return window.isSecureContext ? good("secureGood", { scheme: location.protocol.replace(":", "") }) : failed("secureFailed", "secureFix");
}

/** @returns {Finding} whether this browser can hold a call */
export function browser() {
  const missing = [];
  if (typeof RTCPeerConnection === "undefined") missing.push("WebRTC");
  if (!navigator.mediaDevices?.getUserMedia && window.isSecureContext) missing.push("getUserMedia");
  if (typeof AudioContext === "undefined") missing.push("AudioContext");
  if (!("any" in AbortSignal)) missing.push("AbortSignal.any");
  if (missing.length) return failed("browserFailed", "browserFix", { missing: missing.join(", ") });
  return good("browserGood", { browser: browserName() });
}

/** @returns {Finding} whether this browser can draw the face by itself; else the server does, as well */
export function drawing() {
  return good(hasGraphicsHardware() ? "drawingGood" : "drawingByServer");
}

/** @returns {Promise<Finding>} whether the page keeps up: the time between frames, and how late timers are */
export async function speed() {
  if (document.visibilityState !== "visible") return warning("speedHidden", "speedHiddenFix");
  const gaps = await frameGaps();
  let lateMs = 0;
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    await pause(20);
    lateMs = Math.max(lateMs, performance.now() - before - 20);
  }
  gaps.sort((a, b) => a - b);
  const frameMs = gaps[Math.floor(gaps.length * 0.9)] ?? Infinity;
  const values = { frame: Math.round(frameMs), late: Math.round(lateMs) };
  return frameMs > SLOW_FRAME_MS || lateMs > LATE_MS ? warning("speedSlow", "speedFix", values) : good("speedGood", values);
}

/** @returns {Promise<number[]>} ms between frames */
function frameGaps() {
  return new Promise((resolve) => {
    /** @type {number[]} */
    const gaps = [];
    let last = 0;
    const limit = window.setTimeout(() => resolve(gaps), 4_000);
    /** @param {number} now */
    const next = (now) => {
      if (last) gaps.push(now - last);
      last = now;
      if (gaps.length < FRAMES) return requestAnimationFrame(next);
      window.clearTimeout(limit);
      resolve(gaps);
      return 0;
    };
    requestAnimationFrame(next);
  });
}

/** Name and main version: what a developer needs to know, and nothing that tells people apart. */
function browserName() {
  const agent = navigator.userAgent;
  const found = /(Firefox|FxiOS|Edg|CriOS|Chrome)\/(\d+)/.exec(agent) ?? /(Version)\/(\d+).*Safari/.exec(agent);
  if (!found) return "?";
  const names = { Edg: "Edge", CriOS: "Chrome", FxiOS: "Firefox", Version: "Safari" };
  const name = found[1] ?? "";
  return `${names[/** @type {keyof typeof names} */ (name)] ?? name} ${found[2]}`;
}
