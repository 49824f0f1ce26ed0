/**
 * A person's side of calls: dials, waits for the server or for a place, opens the microphone, plays what comes,
 * keeps the words. It draws nothing: `<presencia-call>` does, and whoever wants another look can as well.
 */

import { Call } from "./call.js";
import { goingOn } from "./going_on.js";
import { preferredLanguage } from "./language.js";
import { Memory } from "./memory.js";
import { isMicrophoneAllowed, Microphone } from "./microphone.js";
import { microphoneNotice, noticeOf, queueNotice } from "./notices.js";
import { Phone } from "./phone.js";
import { Picture } from "./picture.js";
import { Playback } from "./playback.js";
import { Problem } from "./problem.js";
import { isRecorded, watchers } from "./protocol.js";
import { Signalling } from "./signalling.js";
import { Tools } from "./tools.js";
import { Transcript } from "./transcript.js";
import { throughTheLine } from "./waiting.js";

/** @typedef {import("./notices.js").Notice} Notice */
/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {import("./attributes.js").CallerOptions} CallerOptions */
/** @typedef {import("./problem.js").Standing} Standing */
/** @typedef {import("./call.js").Phase | "waiting"} CallerPhase `waiting`: for the server's models, or for a place */

/**
 * @typedef {object} CallerListener
 * @property {() => void} onchange what the getters tell may have changed
 * @property {(line: Line, change: "added" | "changed" | "removed") => void} online
 * @property {() => void} onclear a call begins without words
 * @property {() => void} onquiet nothing is shown or heard any more
 * @property {(level: number) => void} onlevel of the microphone, 0 to 1, about 16 times a second; 0 while nobody
 *     hears it
 * @property {(event: import("./protocol.js").ServerEvent) => void} onevent every event of the server
 * @property {(report: import("./tools.js").ToolReport) => void} ontool the avatar has called a tool
 */

/** Credentials of a relay end some time, and a page may stay open for weeks. */
const CONFIG_HOLDS_MS = 600_000;

export class Caller {
  /** Why there's no call, or what is awaited. @type {Notice | null} */
  callNotice = null;
  /** What is wrong with the microphone. @type {Notice | null} */
  microphoneNotice = null;
  /** Why the last call could not start or go on. @type {Problem | null} */
  problem = null;
  /** Where one stands in line; null while not in it. @type {Standing | null} */
  standing = null;
  /** On the clock of `performance.now()`; null while not connected. @type {number | null} */
  connectedAtMs = null;
  /** Until when the server wants not to be called again, on that clock. */
  retryAtMs = 0;
  /** @type {CallerPhase} */
  phase = "idle";
  /** Whether the server keeps a recording of this call. */
  isRecorded = false;
  /** Whether the person has had the recording deleted. */
  hasWithdrawn = false;
  /** How many others watch the avatar in this call. */
  watchers = 0;
  /** @type {import("./signalling.js").AvatarConfig | null} */
  config = null;

  #loadedAtMs = 0;
  #options;
  #listener;
  #signalling = new Signalling("");
  #memory = new Memory("");
  /** @type {Call | null} */
  #call = null;
  /** Of the call, from its start to its end. @type {AbortController | null} */
  #attempt = null;

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas over it
   * @param {CallerOptions} options
   * @param {CallerListener} listener
   */
  constructor(video, canvas, options, listener) {
    this.#options = options;
    this.#listener = listener;
    this.transcript = this.#newTranscript();
    this.tools = new Tools((event) => this.#call?.send(event), (report) => listener.ontool(report));
    this.microphone = new Microphone({
      onlevel: (level) => listener.onlevel(this.phase === "connected" ? level : 0),
      ontrouble: (trouble) => this.#noticeMicrophone(trouble),
    });
    this.playback = new Playback(video, { onpicture: () => listener.onchange(), onsound: () => listener.onchange() });
    this.phone = new Phone(video);
    this.picture = new Picture(video, canvas, options.picture, () => listener.onchange());
  }

  /** What the avatar is doing, or null when not connected. */
  get state() {
    return this.#call?.state ?? null;
  }

  /** The language in use. */
  get language() {
    return preferredLanguage(this.#options.language, this.config);
  }

  /** The call under way, for what only it can do. */
  get current() {
    return this.#call;
  }

  /** @returns {Promise<RTCStatsReport | null>} of the call, or null when not connected */
  async stats() {
    return (await this.#call?.stats()) ?? null;
  }

  /**
   * Learn who answers there; that holds for a while, or until `reset`.
   *
   * @throws {Problem}
   */
  async load() {
    if (this.config && Date.now() - this.#loadedAtMs < CONFIG_HOLDS_MS) return;
    if (!window.isSecureContext) throw new Problem("insecure");
    this.#signalling = new Signalling(this.#options.server, () => this.#options.clientSecret?.() ?? "");
    this.config = await this.#signalling.config();
    this.#loadedAtMs = Date.now();
    this.#listener.onchange();
  }

  /** Another server is meant from now on: what is known of the last one is forgotten. */
  reset() {
    this.hangUp();
    this.config = null;
  }

  /** A call of this tab that a reload broke off and that may go on. */
  get isRemembered() {
    return new Memory(this.#options.memory).recall() !== null;
  }

  /**
   * Call, and go on with the conversation that a reload broke off, if there's one.
   *
   * @returns {Promise<void>} when the call is over; why, `problem` and `callNotice` tell
   */
  async call() {
    if (this.#attempt) return;
    this.phone.begin();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.callNotice = this.problem = null;
    this.#memory = new Memory(this.#options.memory);
    const remembered = this.#memory.recall();
    this.transcript = this.#newTranscript();
    this.#listener.onclear();
    if (remembered) this.transcript.restore(remembered.lines);
    this.#enter("connecting");
    try {
      await this.#dial(attempt.signal, remembered?.token ?? "");
    } catch (error) {
      if (!attempt.signal.aborted) this.explain(error);
    } finally {
      if (attempt.signal.aborted) this.callNotice = null;
      this.#attempt = null;
      this.phone.end();
      this.connectedAtMs = null;
      this.#enter("idle");
    }
  }

  /** End the call for good. */
  hangUp() {
    this.#memory.forget();
    this.#attempt?.abort();
  }

  /** The page goes, perhaps to come back: leave the call so that it may be gone on with, or end it. */
  leave() {
    if (this.#options.memory) this.#memory.note(this.transcript.lines);
    if (this.#options.memory) this.#call?.leave();
    this.#attempt?.abort();
  }

  /** @param {string} words typed in place of spoken */
  say(words) {
    if (this.#call?.phase === "connected") this.#call.say(words);
  }

  /** The language of the options has changed. */
  changeLanguage() {
    this.#call?.setLanguage(this.language);
    this.#listener.onchange();
  }

  /** Use the microphone of the options; also when one was allowed or plugged in meanwhile. */
  async changeMicrophone() {
    const call = this.#call;
    if (!call) return;
    await this.microphone.open(this.#options.microphone);
    if (this.#call === call) await call.setMicrophone(this.microphone.track);
    this.#listener.onchange();
  }

  /** @returns {Promise<boolean>} false where the speaker of the options can't be used */
  changeSpeaker() {
    return this.playback.setSpeaker(this.#options.speaker);
  }

  toggleMute() {
    this.microphone.toggleMute();
    this.#listener.onchange();
  }

  /** @param {unknown} error that keeps a call from starting @throws what is no `Problem` */
  explain(error) {
    if (!(error instanceof Problem)) throw error;
    this.problem = error;
    this.callNotice = noticeOf(error, this.connectedAtMs !== null);
    this.retryAtMs = performance.now() + error.retryAfterS * 1000;
    this.#listener.onchange();
  }

  /** Take the call's notice away, or else the microphone's. */
  dismissNotice() {
    if (this.callNotice) this.callNotice = null;
    else this.microphoneNotice = null;
    this.#listener.onchange();
  }

  /**
   * Call, through the line where there is one.
   *
   * @param {AbortSignal} signal
   * @param {string} resumeToken
   */
  async #dial(signal, resumeToken) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new Problem("insecure");
    await this.load();
    if (this.config?.access?.admitted === false) this.config = await this.#signalling.config(); // There may be a secret by now.
    const callOnce = (/** @type {string} */ ticket) => {
      this.callNotice = this.standing = null;
      this.#enter("connecting");
      return this.#callOnce(signal, resumeToken, ticket);
    };
    try {
      await throughTheLine(this.#signalling, signal, callOnce, (standing) => this.#wait(standing));
    } finally {
      this.standing = null;
    }
  }

  /** @param {Standing | null} standing in line; null: the server is loading its models */
  #wait(standing) {
    this.callNotice = standing ? queueNotice(standing) : noticeOf(new Problem("not_ready"), false);
    this.standing = standing;
    this.#enter("waiting");
  }

  /**
   * @param {AbortSignal} signal
   * @param {string} resumeToken
   * @param {string} ticket of the line
   * @throws {Problem} why the call ended, if nobody hung up
   */
  async #callOnce(signal, resumeToken, ticket) {
    /** @type {Problem | null} */
    let reason = null;
    try {
      const opening = this.microphone.open(this.#options.microphone).then(() => this.microphone.track);
      // Before the person has allowed it, the browser hides this machine's addresses: ask first, then find the way.
      const microphone = (await isMicrophoneAllowed()) ? opening : await Promise.race([opening, aborted(signal)]);
      signal.throwIfAborted();
      const call = new Call(
        {
          signalling: this.#signalling,
          iceServers: this.config?.ice_servers ?? [],
          language: this.language,
          instructions: this.#options.instructions,
          mayRecord: this.#options.mayRecord(),
          tools: () => this.tools.declared,
          resumeToken,
          waits: true,
          ticket,
          showsWatchers: true,
        },
        {
          onphase: (phase, problem) => {
            if (phase === "ended") reason = problem;
            else this.#follow(phase, problem);
          },
          onstate: () => this.#listener.onchange(),
          onmedia: (stream) => this.#show(stream),
          onevent: (event) => this.#hear(event),
          onjoin: (resumed, isFirst) => {
            const heard = this.transcript.takeBrokenOff();
            if (resumed && heard) this.#goOn(call, heard);
            if (!resumed && (resumeToken || !isFirst)) this.transcript.note("reconnected");
          },
          ontoken: (resumption) => this.#memory.keep(resumption),
        },
      );
      this.#call = call;
      signal.addEventListener("abort", () => call.hangUp());
      await call.run(microphone);
      if (reason) throw reason;
    } finally {
      this.#clean();
    }
  }

  /**
   * @param {import("./call.js").Phase} phase
   * @param {Problem | null} problem
   */
  #follow(phase, problem) {
    this.callNotice = problem ? noticeOf(problem, false) : null;
    if (phase === "reconnecting") this.#quieten();
    if (phase === "connected") this.connectedAtMs ??= performance.now();
    if (phase === "connected" && this.#call) this.picture.join(this.#call, this.#options.server);
    this.#enter(phase);
  }

  /** @param {import("./protocol.js").ServerEvent} event */
  #hear(event) {
    if (event.type === "session.created" || event.type === "session.updated") this.isRecorded = isRecorded(event);
    if (event.type === "avatar.watched") this.watchers = watchers(event);
    this.picture.hear(event);
    this.transcript.apply(event);
    this.tools.hear(event);
    this.#listener.onevent(event);
  }

  /**
   * Have an answer said to its end that the lost connection broke off.
   *
   * @param {Call} call
   * @param {string} heard of it
   */
  #goOn(call, heard) {
    this.transcript.note("goingOn");
    for (const event of goingOn(this.language, heard)) call.send(event);
  }

  #newTranscript() {
    return new Transcript((line, change) => {
      if (line.isFinal) this.#memory.note(this.transcript.lines);
      this.#listener.online(line, change);
    });
  }

  /** Let go of everything that a call holds. */
  #clean() {
    this.#call = null;
    this.microphone.close();
    this.#quieten();
  }

  /** The connection is gone: no picture, no sound, no words to come. */
  #quieten() {
    this.isRecorded = this.hasWithdrawn = false;
    this.watchers = 0;
    this.picture.leave();
    this.playback.stop();
    this.transcript.close();
    this.#listener.onquiet();
  }

  /** @param {MediaStream} stream */
  async #show(stream) {
    if (this.#options.speaker) await this.changeSpeaker();
    if (this.#call?.phase === "connected") await this.playback.show(stream); // It may be over by then.
  }

  /** @param {import("./microphone.js").MicrophoneTrouble | null} trouble */
  #noticeMicrophone(trouble) {
    if (trouble === "unplugged") void this.#call?.setMicrophone(null);
    this.microphoneNotice = trouble ? microphoneNotice(trouble) : null;
    this.#listener.onchange();
  }

  /** @param {CallerPhase} phase */
  #enter(phase) {
    this.phase = phase;
    this.#listener.onchange();
  }
}

/** @param {AbortSignal} signal @returns {Promise<null>} once it is aborted */
function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
