/** One media connection to the server: peer connection, data channel, heartbeat. */

import { LipSync } from "./lip_sync.js";
import { Problem } from "./problem.js";
import { parse } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {import("./signalling.js").Signalling} Signalling */

const CHANNEL = "oai-events";
const POSES_CHANNEL = "avatar.poses";
const GATHERING_LIMIT_MS = 2_000;
const CONNECT_LIMIT_MS = 15_000;
const PING_EVERY_MS = 1_000;
/**
 * How long nothing may be heard, sooner than the server's own limit of 10 s; and how long ICE may be
 * "disconnected", from which it often comes back by itself. Where the conversation survives, dialling again is cheap.
 */
const PATIENT = { silenceMs: 8_000, disconnectedMs: 4_000 };
const RESUMABLE = { silenceMs: 4_000, disconnectedMs: 500 };

/** Why a call is given up that somebody may go on with. */
export const LEFT = "left";

/**
 * @typedef {object} PeerOptions
 * @property {Signalling} signalling
 * @property {RTCIceServer[]} iceServers
 * @property {import("./protocol.js").Wishes} wishes
 * @property {MediaStreamTrack | null | Promise<MediaStreamTrack | null>} microphone null: the call goes on without
 *     one, and one can be set later; what is promised is waited for while the way is being found
 * @property {number} [limitMs] how long the server may take to answer
 * @property {(event: ServerEvent) => void} onevent
 */

export class Peer {
  /** The face and the voice, in one stream so that the browser keeps them in sync. */
  stream = new MediaStream();
  /** @type {Promise<void>} resolves when the connection is gone, whoever ended it */
  closed;

  #pc;
  #channel;
  #signalling;
  #callId = "";
  #isOver = false;
  #limits = PATIENT;
  #lastHeardMs = 0;
  #lipSync;
  #ping = 0;
  #grace = 0;
  /** @type {() => void} */
  #resolveClosed = () => {};

  /** @param {PeerOptions} options */
  constructor({ signalling, iceServers, wishes, microphone, onevent }) {
    this.#signalling = signalling;
    if (wishes.resumeToken) this.becomeResumable();
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    // Without a microphone the line is still offered both ways: a track can join it without a new offer.
    const line = microphone instanceof MediaStreamTrack ? microphone : "audio";
    const { receiver: voice } = this.#pc.addTransceiver(line, { direction: "sendrecv" });
    const { receiver: face } = this.#pc.addTransceiver("video", { direction: "recvonly" });
    this.#lipSync = new LipSync(voice, face);
    this.#pc.ontrack = ({ track }) => this.stream.addTrack(track);
    this.#pc.onconnectionstatechange = () => this.#watchConnection();
    this.#channel = this.#pc.createDataChannel(CHANNEL);
    this.#channel.onclose = () => this.leave();
    this.#channel.onmessage = ({ data }) => {
      this.#lastHeardMs = performance.now();
      const event = parse(data);
      if (event) onevent(event);
    };
  }

  /**
   * Connect.
   *
   * @param {PeerOptions} options
   * @param {AbortSignal} signal gives up at once; with the reason `LEFT`, as `leave` does
   * @returns {Promise<Peer>} with its data channel open
   * @throws {Problem} what `Signalling.call` throws, or no_route
   */
  static async connect(options, signal) {
    const peer = new Peer(options);
    const abort = () => (signal.reason === LEFT ? peer.leave() : peer.close());
    signal.addEventListener("abort", abort);
    try {
      const { signalling, wishes, limitMs } = options;
      const prepared = await Promise.race([Promise.all([peer.#offer(), options.microphone]), peer.closed]);
      signal.throwIfAborted();
      if (!prepared) throw new Problem("no_route");
      const [sdp, microphone] = prepared;
      if (options.microphone instanceof Promise) await peer.setMicrophone(microphone);
      const { id, answer } = await signalling.call({ sdp, wishes, ...(limitMs ? { limitMs } : {}) }, signal);
      peer.#callId = id;
      await peer.#accept(answer);
      await peer.#opened();
      signal.throwIfAborted();
      return peer;
    } catch (error) {
      if (signal.aborted) abort();
      else peer.leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** @param {object} event */
  send(event) {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(event));
  }

  /**
   * Speak through another microphone, or none; nothing happens where the connection is gone.
   *
   * @param {MediaStreamTrack | null} track
   */
  async setMicrophone(track) {
    if (this.#pc.signalingState !== "closed") await this.#pc.getSenders()[0]?.replaceTrack(track);
  }

  /**
   * Tell the server that this end can draw the face now, and take the poses that it then may send.
   *
   * @param {(message: unknown) => void} onposes
   * @returns {RTCDataChannel | null} to close when it can't any more; null when the connection is gone
   */
  openPoses(onposes) {
    if (this.#pc.signalingState === "closed") return null;
    // A pose that is late is of no use, and the next one does not wait for it.
    const channel = this.#pc.createDataChannel(POSES_CHANNEL, { ordered: false, maxRetransmits: 0 });
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => onposes(data);
    return channel;
  }

  /** From now on the conversation survives this connection: it is given up sooner, and its call not hung up. */
  becomeResumable() {
    this.#limits = RESUMABLE;
  }

  /** The receiver of the voice. */
  get voice() {
    return this.#pc.getReceivers().find(({ track }) => track.kind === "audio") ?? null;
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.#pc.getStats();
  }

  /** End the call for good and tell the server; also after `leave`, when the conversation was kept. Again is harmless. */
  close() {
    this.#end(true);
  }

  /** End the connection, and let the server keep the conversation if it does so. Again is harmless. */
  leave() {
    this.#end(this.#limits === PATIENT);
  }

  /** @param {boolean} hangsUp whether the call is over for good */
  #end(hangsUp) {
    const wasOpen = this.#pc.signalingState !== "closed";
    if (wasOpen) this.#disconnect();
    if (!this.#callId || this.#isOver || !(wasOpen || hangsUp)) return;
    this.#isOver = hangsUp;
    this.#signalling.hangUp(this.#callId, hangsUp);
  }

  #disconnect() {
    window.clearInterval(this.#ping);
    this.#lipSync.stop();
    window.clearTimeout(this.#grace);
    this.#channel.onclose = null;
    this.#channel.onmessage = null;
    this.#channel.close();
    this.#pc.close();
    for (const track of this.stream.getTracks()) track.stop();
    this.#resolveClosed();
  }

  /** @returns {Promise<string>} the offer with its candidates, or with those found in time */
  async #offer() {
    const pc = this.#pc;
    await pc.setLocalDescription();
    if (pc.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        const limit = window.setTimeout(resolve, GATHERING_LIMIT_MS);
        pc.onicegatheringstatechange = () => {
          if (pc.iceGatheringState !== "complete") return;
          window.clearTimeout(limit);
          resolve(null);
        };
      });
    }
    return pc.localDescription?.sdp ?? "";
  }

  /** @param {string} answer */
  async #accept(answer) {
    try {
      await this.#pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch {
      throw new Problem("refused"); // The browser finds no media in it that it can play.
    }
  }

  /** Wait for the data channel, then keep it alive. */
  async #opened() {
    const channel = this.#channel;
    const opened = new Promise((resolve) => {
      if (channel.readyState === "open") resolve(null);
      channel.onopen = resolve;
    });
    let limit = 0;
    const tooLong = new Promise((_, reject) => {
      limit = window.setTimeout(() => reject(new Problem("no_route")), CONNECT_LIMIT_MS);
    });
    const gone = this.closed.then(() => Promise.reject(new Problem("no_route")));
    try {
      await Promise.race([opened, tooLong, gone]);
    } finally {
      window.clearTimeout(limit);
      gone.catch(() => {}); // The winner is known; a later close is reported by `closed`.
    }
    this.#lastHeardMs = performance.now();
    this.#lipSync.follow(() => this.stats());
    this.#ping = window.setInterval(() => this.#beat(), PING_EVERY_MS);
    this.#beat();
  }

  #beat() {
    if (performance.now() - this.#lastHeardMs > this.#limits.silenceMs) this.leave();
    else this.send({ type: "avatar.ping" });
  }

  #watchConnection() {
    const state = this.#pc.connectionState;
    window.clearTimeout(this.#grace);
    if (state === "failed") this.leave();
    if (state === "disconnected") this.#grace = window.setTimeout(() => this.leave(), this.#limits.disconnectedMs);
  }
}
