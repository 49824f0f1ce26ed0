/**
 * A call with the avatar, and nothing of the page: this is what an SDK or web component builds on.
 *
 *     idle -> connecting -> connected <-> reconnecting
 *                 |             |              |
 *                 +-------> ended <------------+
 *
 * A call that can't start ends at once with its `Problem`; one that ran is dialled again, with longer and
 * longer pauses. A new connection is a new call: the server remembers nothing of the last one.
 */

import { Peer } from "./peer.js";
import { Problem } from "./problem.js";
import { avatarState, faceUpdate, session, userMessage, withdrawal } from "./protocol.js";
import { Signalling } from "./signalling.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {import("./protocol.js").AvatarState} AvatarState */
/** @typedef {"idle" | "connecting" | "connected" | "reconnecting" | "ended"} Phase */

/**
 * @typedef {object} CallListener what a call reports
 * @property {(phase: Phase, problem: Problem | null) => void} onphase `problem` says why it ended or dials again
 * @property {(state: AvatarState | null) => void} onstate null when not connected
 * @property {(stream: MediaStream) => void} onmedia face and voice; again after each reconnection
 * @property {(event: ServerEvent) => void} onevent every event of the server
 */

/** Pauses before dialling again, about half a minute in all. */
const RECONNECT_PAUSES_MS = [0, 1_000, 2_000, 4_000, 8_000, 15_000];

export class Call {
  /** @type {Phase} */
  phase = "idle";
  /** @type {AvatarState | null} */
  state = null;

  #listener;
  #signalling;
  #iceServers;
  #language;
  #mayRecord;
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** @type {Peer | null} */
  #peer = null;
  #ended = new AbortController();

  /**
   * @param {{signalling?: Signalling, iceServers?: RTCIceServer[], language: string, mayRecord?: boolean}} options
   *     `mayRecord`: whether the person agrees to being recorded
   * @param {CallListener} listener
   */
  constructor({ signalling = new Signalling(""), iceServers = [], language, mayRecord = false }, listener) {
    this.#signalling = signalling;
    this.#iceServers = iceServers;
    this.#language = language;
    this.#mayRecord = mayRecord;
    this.#listener = listener;
  }

  /**
   * Dial, and stay connected until `hangUp` or until dialling again fails for good.
   *
   * @param {MediaStreamTrack | null} microphone stays the caller's: the call never stops it
   * @returns {Promise<void>} when the call has ended; problems come through the listener
   */
  async run(microphone) {
    this.#microphone = microphone;
    let problem = null;
    try {
      if (!isSupported()) throw new Problem("unsupported");
      this.#enter("connecting");
      await this.#connect();
      this.#peer?.send({ type: "response.create" }); // nothing was said yet: the avatar greets
      for (;;) {
        await this.#peer?.closed;
        this.#setState(null);
        if (this.#ended.signal.aborted) break;
        this.#enter("reconnecting", new Problem("lost"));
        await this.#reconnect();
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        if (!(error instanceof Problem)) throw error;
        problem = error;
      }
    } finally {
      this.#peer?.close();
      this.#peer = null;
      this.#enter("ended", problem);
    }
  }

  /** End the call for good, at any time. */
  hangUp() {
    this.#ended.abort();
    this.#peer?.close();
  }

  /**
   * Say something by typing; it interrupts the answer under way.
   *
   * @param {string} words
   */
  say(words) {
    this.#peer?.send(userMessage(words));
    this.#peer?.send({ type: "response.create" });
  }

  /** Stop the answer under way, as speaking over it does. */
  interrupt() {
    this.#peer?.send({ type: "response.cancel" });
  }

  /** @param {string} language from now on */
  setLanguage(language) {
    this.#language = language;
    this.#peer?.send({ type: "session.update", session: session(language) });
  }

  /** Have the recording of this call stopped and deleted; later connections are not recorded either. */
  stopRecording() {
    this.#mayRecord = false;
    this.#peer?.send(withdrawal());
  }

  /** @param {MediaStreamTrack | null} track from now on */
  async setMicrophone(track) {
    this.#microphone = track;
    await this.#peer?.setMicrophone(track);
  }

  /**
   * Ask who draws the face from now on; `avatar.face.updated` tells what comes of it.
   *
   * @param {import("./protocol.js").FaceMode} mode
   * @param {boolean} automatic whether the server may show less while it is busy
   * @param {import("./protocol.js").FaceReason} reason
   */
  showFace(mode, automatic, reason) {
    this.#peer?.send(faceUpdate(mode, automatic, reason));
  }

  /**
   * Take poses, as `Peer.openPoses` does.
   *
   * @param {(message: unknown) => void} onposes
   */
  openPoses(onposes) {
    return this.#peer?.openPoses(onposes) ?? null;
  }

  /** The receiver of the voice; null when not connected. */
  get voice() {
    return this.#peer?.voice ?? null;
  }

  /** @returns {Promise<RTCStatsReport | null>} null when not connected */
  async stats() {
    return this.#peer?.stats() ?? null;
  }

  async #connect() {
    const options = {
      signalling: this.#signalling,
      iceServers: this.#iceServers,
      language: this.#language,
      mayRecord: this.#mayRecord,
      microphone: this.#microphone,
      onevent: (/** @type {ServerEvent} */ event) => this.#hear(event),
    };
    const peer = await Peer.connect(options, this.#ended.signal);
    this.#peer = peer;
    if (this.#language !== options.language) this.setLanguage(this.#language);
    if (this.#microphone !== options.microphone) await this.setMicrophone(this.#microphone);
    this.#enter("connected");
    this.#listener.onmedia(peer.stream);
  }

  /** @throws {Problem} of the last attempt */
  async #reconnect() {
    /** @type {unknown} */
    let last;
    for (const pauseMs of RECONNECT_PAUSES_MS) {
      const askedMs = last instanceof Problem ? last.retryAfterS * 1000 : 0;
      await pause(Math.max(pauseMs, askedMs), this.#ended.signal);
      try {
        return await this.#connect();
      } catch (error) {
        if (!(error instanceof Problem) || error.code === "refused") throw error;
        last = error;
      }
    }
    throw last;
  }

  /** @param {ServerEvent} event */
  #hear(event) {
    if (event.type === "avatar.state") this.#setState(avatarState(event) ?? this.state);
    this.#listener.onevent(event);
  }

  /** @param {AvatarState | null} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#listener.onstate(state);
  }

  /**
   * @param {Phase} phase
   * @param {Problem | null} [problem]
   */
  #enter(phase, problem = null) {
    this.phase = phase;
    this.#listener.onphase(phase, problem);
  }
}

/** Whether this browser has what a call needs: WebRTC, and the youngest feature used here. */
function isSupported() {
  return typeof RTCPeerConnection !== "undefined" && "any" in AbortSignal;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects when aborted
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = window.setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    const abort = () => {
      window.clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}
