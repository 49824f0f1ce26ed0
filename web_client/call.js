/**
 * A call with the avatar, and nothing of the page: this is what an SDK or web component builds on.
 *
 *     idle -> connecting -> connected <-> reconnecting
 *                 |             |              |
 *                 +-------> ended <------------+
 *
 * A call that can't start ends at once with its `Problem`; one that ran is dialled again, with longer and
 * longer pauses. Where the server gave a token for it, the same conversation goes on; else it begins anew.
 */

import { LEFT, Peer } from "./peer.js";
import { Problem } from "./problem.js";
import { answer, avatarState, faceUpdate, isResumed, resumption, session, userMessage, withdrawal } from "./protocol.js";
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
 * @property {(resumed: boolean, isFirst: boolean) => void} [onjoin] a connection's conversation: an earlier one goes
 *     on, or it is new; and whether it's this call's first connection
 * @property {(resumption: {token: string, lastsMs: number}) => void} [ontoken] what this conversation can be gone on
 *     with; the newest counts
 */

/**
 * @typedef {object} CallOptions
 * @property {Signalling} [signalling]
 * @property {RTCIceServer[]} [iceServers]
 * @property {string} language
 * @property {string} [instructions] for the language model
 * @property {boolean} [mayRecord] whether the person agrees to being recorded
 * @property {() => object[]} [tools] those to declare, asked at each connection
 * @property {string} [resumeToken] of an earlier call, whose conversation is to go on
 * @property {boolean} [waits] stands in line where every place is taken: the call ends with the problem `queued`
 * @property {string} [ticket] of the line, whose place is ready
 * @property {boolean} [showsWatchers] whether the person is shown how many watch (`avatar.watched`) and can forbid it;
 *     nobody may watch otherwise
 */

/** Dialling again: the pause before each try, and how long the server may take to answer it, in ms. */
const TRIES = [
  [0, 2_000],
  [300, 2_000],
  [700, 2_000],
  [1_000, 3_000],
  [2_000, 4_000],
  [4_000, 6_000],
  [8_000, 10_000],
  [15_000, 10_000],
  [15_000, 10_000],
];
/** Pauses differ by so much of themselves, so that not everyone dials a server that is back at once. */
const JITTER = 0.25;

export class Call {
  /** @type {Phase} */
  phase = "idle";
  /** @type {AvatarState | null} */
  state = null;

  #listener;
  #signalling;
  #iceServers;
  #language;
  #instructions;
  /** False: taken back; undefined: never asked or never given. @type {boolean | undefined} */
  #mayRecord;
  #tools;
  #token;
  #waits;
  #ticket;
  #showsWatchers;
  /** Whether the conversation of the first connection was joined: what comes then is no beginning. */
  #hasJoined = false;
  /** @type {MediaStreamTrack | null | Promise<MediaStreamTrack | null>} */
  #microphone = null;
  /** @type {Peer | null} */
  #peer = null;
  #ended = new AbortController();
  /** The server has said that the call's time is nearly over. */
  #isEnding = false;
  /** @type {ServerEvent[]} that came before the connection was taken into use */
  #early = [];

  /**
   * @param {CallOptions} options
   * @param {CallListener} listener
   */
  constructor(options, listener) {
    this.#signalling = options.signalling ?? new Signalling("");
    this.#iceServers = options.iceServers ?? [];
    this.#language = options.language;
    this.#instructions = options.instructions ?? "";
    this.#mayRecord = options.mayRecord || undefined; // A page that was loaded again asks anew, and takes nothing back.
    this.#tools = options.tools ?? (() => []);
    this.#token = options.resumeToken ?? "";
    this.#waits = options.waits ?? false;
    this.#ticket = options.ticket ?? "";
    this.#showsWatchers = options.showsWatchers ?? false;
    this.#listener = listener;
  }

  /**
   * Dial, and stay connected until `hangUp` or until dialling again fails for good.
   *
   * @param {MediaStreamTrack | null | Promise<MediaStreamTrack | null>} microphone stays the caller's: the call never
   *     stops it; a promise is waited for before the server is asked
   * @returns {Promise<void>} when the call has ended; problems come through the listener
   */
  async run(microphone) {
    this.#microphone = microphone;
    let problem = null;
    try {
      if (!isSupported()) throw new Problem("unsupported");
      this.#enter("connecting");
      await this.#connect();
      for (;;) {
        await this.#peer?.closed;
        this.#setState(null);
        if (this.#ended.signal.aborted || this.#isEnding) break;
        this.#enter("reconnecting", new Problem("lost"));
        await this.#reconnect();
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        if (!(error instanceof Problem)) throw error;
        problem = error;
      }
    } finally {
      this.#peer?.leave();
      this.#peer = null;
      this.#enter("ended", problem);
    }
  }

  /** End the call for good, at any time; one that was left stays left. */
  hangUp() {
    if (this.#ended.signal.aborted) return;
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
    this.#peer?.send(answer(true));
  }

  /** Stop the answer under way, as speaking over it does. */
  interrupt() {
    this.#peer?.send({ type: "response.cancel" });
  }

  /** @param {string} language from now on */
  setLanguage(language) {
    this.#language = language;
    this.#peer?.send({ type: "session.update", session: session({ language }) });
  }

  /** Tell the server of the tools of now; also when one was taken back. */
  declareTools() {
    this.#peer?.send({ type: "session.update", session: { type: "realtime", tools: this.#tools() } });
  }

  /**
   * Send the server an event of docs/protocol.md; lost while not connected.
   *
   * @param {object} event
   */
  send(event) {
    this.#peer?.send(event);
  }

  /** End the call here and let the server keep the conversation, for a page that is loaded again. */
  leave() {
    this.#ended.abort(LEFT);
    this.#peer?.leave();
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

  /** @param {number} [limitMs] */
  async #connect(limitMs) {
    try {
      await this.#dial(limitMs);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "resume_expired" || !this.#token) throw error;
      this.#token = ""; // What was said is forgotten there: begin anew.
      await this.#dial(limitMs);
    }
  }

  /** @param {number} [limitMs] */
  async #dial(limitMs) {
    this.#early = [];
    const [language, microphone, mayRecord] = [this.#language, this.#microphone, this.#mayRecord];
    const wishes = {
      language,
      instructions: this.#instructions,
      mayRecord,
      tools: this.#tools(),
      resumeToken: this.#token,
      waits: this.#waits && !this.#hasJoined,
      ticket: this.#ticket,
      showsWatchers: this.#showsWatchers,
    };
    const options = {
      signalling: this.#signalling,
      iceServers: this.#iceServers,
      wishes,
      microphone,
      ...(limitMs ? { limitMs } : {}),
      onevent: (/** @type {ServerEvent} */ event) => this.#hear(event),
    };
    const peer = await Peer.connect(options, this.#ended.signal);
    this.#peer = peer;
    this.#ticket = ""; // It's good for one call.
    if (this.#language !== language) this.setLanguage(this.#language);
    if (this.#mayRecord !== mayRecord) this.stopRecording();
    if (this.#microphone !== microphone) await this.setMicrophone(await this.#microphone);
    this.#enter("connected");
    this.#listener.onmedia(peer.stream);
    for (const event of this.#early.splice(0)) this.#hear(event);
  }

  /** @throws {Problem} of the last attempt */
  async #reconnect() {
    /** @type {unknown} */
    let last;
    for (const [pauseMs = 0, limitMs] of TRIES) {
      const askedMs = last instanceof Problem ? last.retryAfterS * 1000 : 0;
      const jitter = 1 + JITTER * (2 * Math.random() - 1);
      await pauseUntilOnline(Math.max(pauseMs * jitter, askedMs), this.#ended.signal);
      try {
        return await this.#connect(limitMs);
      } catch (error) {
        if (!(error instanceof Problem) || error.code === "refused" || error.code === "unauthorized") throw error;
        last = error;
      }
    }
    throw last;
  }

  /** @param {ServerEvent} event */
  #hear(event) {
    if (this.phase !== "connected") return void this.#early.push(event);
    if (event.type === "avatar.state") this.#setState(avatarState(event) ?? this.state);
    if (event.type === "session.created") this.#join(isResumed(event));
    if (event.type === "avatar.ending") this.#isEnding = true;
    this.#keep(resumption(event));
    this.#listener.onevent(event);
  }

  /** @param {boolean} resumed */
  #join(resumed) {
    const isFirst = !this.#hasJoined;
    this.#hasJoined = true;
    if (isFirst && !resumed) this.#peer?.send(answer()); // Nothing was said yet: the avatar greets.
    this.#listener.onjoin?.(resumed, isFirst);
  }

  /** @param {{token: string, lastsMs: number} | null} resumption */
  #keep(resumption) {
    if (!resumption) return;
    this.#token = resumption.token;
    this.#peer?.becomeResumable();
    this.#listener.ontoken?.(resumption);
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
 * A pause that ends when the browser says that the network is back.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 */
async function pauseUntilOnline(ms, signal) {
  const over = new AbortController();
  const online = () => over.abort();
  window.addEventListener("online", online);
  try {
    await pause(ms, AbortSignal.any([signal, over.signal]));
  } catch {
    signal.throwIfAborted();
  } finally {
    window.removeEventListener("online", online);
  }
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
