/** The ways to the server: HTTP, WebRTC over UDP, every relay by itself; and the codecs on them. */

import { failed, good, skipped, warning } from "./finding.js";
import { tryCall } from "./trial.js";

/** @typedef {import("./finding.js").Finding} Finding */
/** @typedef {import("./trial.js").Outcome} Outcome */

const HTTP_LIMIT_MS = 10_000;
const BUSY = 0.85;
const LATE_MS = 100;
const FAR_MS = 200;
const LOSSY_PERCENT = 3;

/**
 * @typedef {object} Server
 * @property {Finding} finding
 * @property {RTCIceServer[]} iceServers
 * @property {boolean} answers whether trial calls make sense
 */

/** @returns {Promise<Server>} */
export async function server() {
  try {
    const config = await get("/v1/avatar/config");
    if (config.status === 503) return unusable(failed("serverLoading", "serverLoadingFix"));
    if (!config.ok) return unusable(failed("serverOdd", "serverOddFix", { status: config.status }));
    const { ice_servers: iceServers = [], access } = await config.json();
    // Keys are given to pages, and this one has none.
    if (access?.key_required && !access.admitted) return unusable(warning("serverLocked", "serverLockedFix"));
    const diagnosis = await get("/v1/avatar/diagnosis");
    return { finding: await busyness(diagnosis), iceServers, answers: true };
  } catch {
    return unusable(failed("serverNone", "serverNoneFix"));
  }
}

/**
 * @typedef {object} Way that was tried
 * @property {Finding} finding
 * @property {Outcome} outcome
 */

/**
 * @param {MediaStreamTrack | null} microphone
 * @returns {Promise<Way>}
 */
export async function udp(microphone) {
  const outcome = await tryCall({ microphone });
  const values = { connect: outcome.connectMs, trip: outcome.roundTripMs, lost: outcome.lostPercent };
  if (outcome.result !== "flows") return { finding: notFlowing(outcome, "udpFailed", "udpFix"), outcome };
  const isPoor = outcome.roundTripMs > FAR_MS || outcome.lostPercent > LOSSY_PERCENT;
  return { finding: isPoor ? warning("udpPoor", "udpPoorFix", values) : good("udpGood", values), outcome };
}

/**
 * One relay, one URL, and nothing but it.
 *
 * @param {RTCIceServer} iceServer with one URL
 * @param {MediaStreamTrack | null} microphone
 * @returns {Promise<Way>}
 */
export async function relay(iceServer, microphone) {
  const outcome = await tryCall({ iceServers: [iceServer], relayed: true, microphone });
  if (outcome.result === "noRelay") return { finding: failed("relayNone", "relayNoneFix"), outcome };
  if (outcome.result !== "flows") return { finding: notFlowing(outcome, "relayBlocked", "relayBlockedFix"), outcome };
  return { finding: good("relayGood", { connect: outcome.connectMs, trip: outcome.roundTripMs }), outcome };
}

/**
 * Every TURN URL as a server of its own.
 *
 * @param {RTCIceServer[]} iceServers
 * @returns {{way: "udp" | "tcp" | "tls", server: RTCIceServer}[]}
 */
export function relays(iceServers) {
  return iceServers.flatMap((each) =>
    [each.urls].flat().filter((url) => /^turns?:/.test(url)).map((url) => ({ way: wayOf(url), server: { ...each, urls: [url] } })),
  );
}

/**
 * Whether this browser takes the call's codecs; H.264 is tried out where a way is open.
 *
 * @param {Outcome | null} seen the trial call whose picture came; null: none did
 * @param {RTCIceServer | null} through the relay that it came through; null: none
 * @returns {Promise<Finding>}
 */
export async function codecs(seen, through) {
  const opus = offers("audio", "audio/opus");
  const able = ["VP8", "H264"].filter((name) => offers("video", `video/${name}`));
  if (!opus) return failed("codecsNoOpus", "codecsFix");
  if (!able.length) return failed("codecsNoVideo", "codecsFix");
  if (!seen) return good("codecsOffered", { codecs: ["Opus", ...able].join(", ") });
  const shown = [seen.codec];
  if (able.includes("H264") && seen.codec !== "H264") {
    const iceServers = through ? [through] : [];
    const { codec } = await tryCall({ iceServers, relayed: through !== null, codec: "video/H264" });
    if (codec) shown.push(codec);
  }
  return good("codecsGood", { codecs: ["Opus", ...shown.filter(Boolean)].join(", ") });
}

/** @param {Response} diagnosis */
async function busyness(diagnosis) {
  if (!diagnosis.ok) return good("serverGood", { version: "?" });
  const { version, calls, max_calls: places, busy, late_ms: lateMs } = await diagnosis.json();
  const values = { version, calls, places, busy: Math.round(100 * busy), late: Math.round(lateMs) };
  if (busy > BUSY || lateMs > LATE_MS) return warning("serverBusy", "serverBusyFix", values);
  if (calls >= places) return warning("serverFull", "serverFullFix", values);
  return good("serverGood", values);
}

/**
 * @param {Outcome} outcome
 * @param {import("./strings.js").StringKey} says where no packet passed
 * @param {import("./strings.js").StringKey} fix
 */
function notFlowing({ result }, says, fix) {
  if (result === "busy") return skipped("trialBusy");
  if (result === "refused") return failed("trialRefused", "serverOddFix", { status: "400" });
  if (result === "connected") return failed("trialSilent", "trialSilentFix");
  return failed(says, fix);
}

/** @param {Finding} finding @returns {Server} */
function unusable(finding) {
  return { finding, iceServers: [], answers: false };
}

/** @param {string} path */
function get(path) {
  return fetch(path, { cache: "no-store", signal: AbortSignal.timeout(HTTP_LIMIT_MS) });
}

/** @param {string} url */
function wayOf(url) {
  if (url.startsWith("turns:")) return "tls";
  return url.includes("transport=tcp") ? "tcp" : "udp";
}

/**
 * @param {"audio" | "video"} kind
 * @param {string} mimeType
 */
function offers(kind, mimeType) {
  const known = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
  return known.some((codec) => codec.mimeType.toLowerCase() === mimeType.toLowerCase());
}
