/** A trial call: real media to the server and back, over one way, without an avatar (docs/protocol.md). */

import { pause } from "./finding.js";

const GATHERING_LIMIT_MS = 5_000;
const CONNECT_LIMIT_MS = 10_000;
/** For sound and pictures to flow, once connected. */
const FLOW_LIMIT_MS = 6_000;
const HEARD_MS = 300;
const PATH = "/v1/avatar/diagnosis/calls";

/**
 * @typedef {object} Outcome
 * @property {"flows" | "connected" | "blocked" | "noRelay" | "refused" | "busy"} result
 *   `connected`: but sound or picture stayed away; `noRelay`: the TURN server gave no address
 * @property {number} connectMs
 * @property {number} roundTripMs
 * @property {number} lostPercent of the sound's packets
 * @property {string} codec of the picture, as "VP8"; "" where none came
 */

/** @type {Outcome} */
const NOTHING = { result: "blocked", connectMs: 0, roundTripMs: 0, lostPercent: 0, codec: "" };

/**
 * @param {{iceServers?: RTCIceServer[], relayed?: boolean, microphone?: MediaStreamTrack | null, codec?: string}} way
 *     `relayed`: through a TURN server alone; `codec`: as "video/H264", the only one offered
 * @returns {Promise<Outcome>}
 */
export async function tryCall({ iceServers = [], relayed = false, microphone = null, codec = "" }) {
  const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: relayed ? "relay" : "all", bundlePolicy: "max-bundle" });
  try {
    const channel = pc.createDataChannel("oai-events");
    pc.addTransceiver(microphone ?? "audio", { direction: "sendrecv" });
    const video = pc.addTransceiver("video", { direction: "recvonly" });
    if (codec) restrict(video, codec);
    await pc.setLocalDescription();
    await gathered(pc);
    const sdp = pc.localDescription?.sdp ?? "";
    if (relayed && !sdp.includes(" typ relay")) return { ...NOTHING, result: "noRelay" };
    const response = await fetch(PATH, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: sdp });
    if (!response.ok) return { ...NOTHING, result: response.status === 429 ? "busy" : "refused" };
    const began = performance.now();
    await pc.setRemoteDescription({ type: "answer", sdp: await response.text() });
    if (!(await opened(channel))) return NOTHING;
    const connectMs = Math.round(performance.now() - began);
    return { ...(await flow(pc, channel, microphone !== null)), connectMs };
  } finally {
    pc.close();
  }
}

/**
 * @param {RTCRtpTransceiver} transceiver
 * @param {string} mimeType
 */
function restrict(transceiver, mimeType) {
  const known = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  transceiver.setCodecPreferences(known.filter((codec) => codec.mimeType === mimeType));
}

/** @param {RTCPeerConnection} pc */
function gathered(pc) {
  const complete = new Promise((resolve) => {
    const look = () => pc.iceGatheringState === "complete" && resolve(null);
    pc.onicegatheringstatechange = look;
    look();
  });
  return Promise.race([complete, pause(GATHERING_LIMIT_MS)]);
}

/** @param {RTCDataChannel} channel */
function opened(channel) {
  const open = new Promise((resolve) => (channel.onopen = () => resolve(true)));
  return Promise.race([open, pause(CONNECT_LIMIT_MS).then(() => false)]);
}

/**
 * Wait until sound and pictures come, and until the server has heard us.
 *
 * @param {RTCPeerConnection} pc
 * @param {RTCDataChannel} channel
 * @param {boolean} speaks
 * @returns {Promise<Outcome>}
 */
async function flow(pc, channel, speaks) {
  let heardMs = speaks ? 0 : HEARD_MS;
  channel.onmessage = ({ data }) => (heardMs = Math.max(heardMs, Number(JSON.parse(data).heard_ms)));
  const outcome = { ...NOTHING };
  for (let ms = 0; ms < FLOW_LIMIT_MS; ms += 200) {
    channel.send("heard?");
    await pause(200);
    const { sound, pictures } = read(await pc.getStats(), outcome);
    if (sound && pictures && heardMs >= HEARD_MS) return { ...outcome, result: "flows" };
  }
  return { ...outcome, result: "connected" };
}

/**
 * @param {RTCStatsReport} report
 * @param {Outcome} outcome told what the report says of it
 */
function read(report, outcome) {
  let sound = 0;
  let pictures = 0;
  for (const stats of report.values()) {
    if (stats.type === "inbound-rtp" && stats.kind === "audio") {
      sound = stats.packetsReceived;
      outcome.lostPercent = Math.round((100 * Math.max(0, stats.packetsLost)) / Math.max(1, stats.packetsReceived + stats.packetsLost));
    }
    if (stats.type === "inbound-rtp" && stats.kind === "video") {
      pictures = stats.framesDecoded ?? 0;
      outcome.codec = pictures ? String(report.get(stats.codecId)?.mimeType ?? "").split("/")[1] ?? "" : "";
    }
    if (stats.type === "candidate-pair" && stats.nominated) outcome.roundTripMs = Math.round(1000 * (stats.currentRoundTripTime ?? 0));
  }
  return { sound: sound >= 10, pictures: pictures >= 2 };
}
