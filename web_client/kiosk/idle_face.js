/** The face while nobody is there: a connection without a microphone, which may greet aloud. */

import { Peer } from "../peer.js";
import { Problem } from "../problem.js";
import { avatarState } from "../protocol.js";

const AGAIN_MS = 5_000;

/**
 * @typedef {object} IdleListener
 * @property {(stream: MediaStream) => void} onmedia
 * @property {(isSpeaking: boolean) => void} onspeaking
 */

export class IdleFace {
  #signalling;
  #listener;
  /** @type {AbortController | null} of the face that is wanted */
  #wanted = null;

  /**
   * @param {import("../signalling.js").Signalling} signalling
   * @param {IdleListener} listener
   */
  constructor(signalling, listener) {
    this.#signalling = signalling;
    this.#listener = listener;
  }

  /**
   * Show it; a new connection each time, since only a new one greets.
   *
   * @param {string} language
   * @param {boolean} aloud whether it greets
   */
  show(language, aloud) {
    this.hide();
    this.#wanted = new AbortController();
    void this.#keep(language, aloud, this.#wanted.signal);
  }

  /** Give the connection back. Again is harmless. */
  hide() {
    this.#wanted?.abort();
    this.#wanted = null;
    this.#listener.onspeaking(false);
  }

  /**
   * @param {string} language
   * @param {boolean} aloud the first time only
   * @param {AbortSignal} signal
   */
  async #keep(language, aloud, signal) {
    for (let greets = aloud; !signal.aborted; greets = false) {
      try {
        const peer = await Peer.connect(this.#options(language), signal);
        const close = () => peer.close();
        signal.addEventListener("abort", close);
        this.#listener.onmedia(peer.stream);
        if (greets) peer.send({ type: "response.create" });
        await peer.closed;
        signal.removeEventListener("abort", close);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
      }
      if (!signal.aborted) await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
    }
  }

  /** @param {string} language */
  #options(language) {
    return {
      signalling: this.#signalling,
      iceServers: [],
      wishes: { language },
      microphone: null,
      onevent: (/** @type {import("../protocol.js").ServerEvent} */ event) => {
        if (event.type === "avatar.state") this.#listener.onspeaking(avatarState(event) === "speaking");
      },
    };
  }
}
