/** A visitor's call: what it shows and says goes to the page, and is gone when it ends. */

import { Call } from "../call.js";
import { goingOn } from "../going_on.js";
import { Picture } from "../picture.js";
import { text, watchers } from "../protocol.js";
import { Transcript } from "../transcript.js";

/** @typedef {import("./rules.js").Trouble} Trouble */

/**
 * @typedef {object} VisitListener
 * @property {(stream: MediaStream) => void} onmedia
 * @property {(phase: import("../call.js").Phase) => void} onphase
 * @property {(trouble: Trouble | null) => void} onended
 * @property {(state: import("../call.js").AvatarState | null) => void} onstate
 * @property {() => void} onwords the visitor was understood
 * @property {() => void} onlines the transcript changed
 * @property {() => void} onwatched others began or ceased to watch
 */

/** @type {Partial<Record<import("../problem.js").ProblemCode, Trouble>>} */
const TROUBLES = { server_full: "busy", not_ready: "loading", unreachable: "offline" };

export class Visit {
  transcript = new Transcript(() => this.#listener.onlines());
  /** How many others watch the avatar. */
  watchers = 0;

  #listener;
  #language;
  #call;
  #picture;

  /**
   * @param {import("../signalling.js").Signalling} signalling
   * @param {string} language
   * @param {{video: HTMLVideoElement, canvas: HTMLCanvasElement}} screen
   * @param {VisitListener} listener
   */
  constructor(signalling, language, screen, listener) {
    this.#listener = listener;
    this.#language = language;
    this.#picture = new Picture(screen.video, screen.canvas, "auto", () => {
      document.body.dataset.shown = this.#picture.state.shown;
    });
    this.#call = new Call(
      { signalling, language, showsWatchers: true },
      {
        onphase: (phase, problem) => this.#follow(phase, problem),
        onstate: (state) => listener.onstate(state),
        onmedia: (stream) => listener.onmedia(stream),
        onevent: (event) => this.#hear(event),
        onjoin: (resumed) => this.#goOn(resumed),
      },
    );
  }

  /** @param {MediaStreamTrack | null} microphone */
  start(microphone) {
    void this.#call.run(microphone);
  }

  /** @param {string} language */
  setLanguage(language) {
    this.#language = language;
    this.#call.setLanguage(language);
  }

  /** @param {MediaStreamTrack | null} track */
  setMicrophone(track) {
    this.#call.setMicrophone(track).catch(() => {}); // The connection is just gone: the next one takes it.
  }

  /** Let nobody watch in this visit. */
  forbidWatching() {
    this.#call.send({ type: "avatar.watching.forbid" });
  }

  /** End it; nothing of it is kept. */
  end() {
    this.#picture.leave();
    this.#call.hangUp();
    this.transcript = new Transcript(() => {});
  }

  /** @returns {Promise<RTCStatsReport | null>} */
  stats() {
    return this.#call.stats();
  }

  /**
   * @param {import("../call.js").Phase} phase
   * @param {import("../problem.js").Problem | null} problem
   */
  #follow(phase, problem) {
    if (phase === "connected") this.#picture.join(this.#call, "");
    if (phase === "reconnecting") {
      this.#picture.leave();
      this.transcript.close();
      this.watchers = 0;
    }
    if (phase === "ended") this.#listener.onended(problem ? (TROUBLES[problem.code] ?? "failed") : null);
    else this.#listener.onphase(phase);
  }

  /**
   * Have an answer said to its end that a lost connection broke off.
   *
   * @param {boolean} resumed whether the conversation before goes on
   */
  #goOn(resumed) {
    const heard = this.transcript.takeBrokenOff();
    if (!resumed || !heard) return;
    for (const event of goingOn(this.#language, heard)) this.#call.send(event);
  }

  /** @param {import("../protocol.js").ServerEvent} event */
  #hear(event) {
    this.#picture.hear(event);
    this.transcript.apply(event);
    if (event.type === "avatar.watched") {
      this.watchers = watchers(event);
      this.#listener.onwatched();
    }
    const isHeard = event.type === "avatar.input_transcript.interim" && text(event, "text").trim();
    const isFinal = event.type === "conversation.item.input_audio_transcription.completed" && text(event, "transcript").trim();
    if (isHeard || isFinal) this.#listener.onwords();
  }
}
