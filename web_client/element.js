/**
 * `<presencia-call>`: a call with the avatar as one HTML element. docs/sdk.md tells how to use it.
 *
 * Its parts do the work: `Caller` holds calls, `Stage` draws. Here are the attributes, methods and events.
 */

import { optionsOf, takeEarly } from "./attributes.js";
import { Caller } from "./caller.js";
import { Stage } from "./stage.js";
import { translate } from "./strings.js";

/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {import("./caller.js").CallerPhase} CallerPhase */
/** @typedef {import("./call.js").AvatarState} AvatarState */
/** @typedef {import("./problem.js").Standing} Standing */
/** @typedef {import("./tools.js").ToolSchema} ToolSchema */
/** @typedef {import("./tools.js").ToolFunction} ToolFunction */

/** @typedef {import("./globals.js").PresenciaEvents} PresenciaEvents */

const TICK_MS = 250;

export class PresenciaCall extends HTMLElement {
  static observedAttributes = ["server", "language", "captions", "poster", "picture", "controls", "instructions", "remember"];

  #stage = new Stage(this.attachShadow({ mode: "open" }), (key, values) => this.words(key, values), (action) => this.#act(action));
  /** @type {import("./caller.js").CallerOptions} */
  #options = {
    ...optionsOf(this),
    clientSecret: null,
    microphone: "",
    speaker: "",
    mayRecord: () => this.mayRecord,
  };
  #caller = new Caller(this.#stage.video, this.#stage.canvas, this.#options, {
    onchange: () => this.#render(),
    online: (line, change) => {
      this.#stage.captions.show(line, change);
      this.#tell("presencia-transcript", { line, change });
    },
    onclear: () => {
      this.#stage.captions.clear();
      this.#tell("presencia-clear", undefined);
    },
    onquiet: () => this.#stage.captions.hide(),
    onlevel: (level) => {
      this.#stage.level = level;
      this.#tell("presencia-level", { level });
    },
    onevent: (event) => this.#tell("presencia-event", event),
    ontool: (report) => this.#tell("presencia-tool", report),
  });
  /** What was told last. */
  #told = { phase: /** @type {CallerPhase} */ ("idle"), state: /** @type {AvatarState | null} */ (null), picture: "", standing: /** @type {Standing | null} */ (null) };
  #ticker = 0;
  #leave = () => this.#caller.leave();

  /** Whether the person agrees to being recorded; asked as each call begins. @type {boolean} */
  mayRecord = Reflect.get(this, "mayRecord") === true; // As it may have been set before this class was there.

  connectedCallback() {
    takeEarly(this);
    window.addEventListener("pagehide", this.#leave);
    this.#render();
    void this.#open();
  }

  /** Out of the page: the call is over, and the microphone is let go. */
  disconnectedCallback() {
    window.removeEventListener("pagehide", this.#leave);
    this.#caller.hangUp();
  }

  /**
   * @param {string} name
   * @param {string | null} old
   * @param {string | null} value
   */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    const wasServer = this.#options.server;
    Object.assign(this.#options, optionsOf(this));
    this.#stage.captions.isWanted = this.captions;
    if (name === "picture") this.#caller.picture.choose(this.#options.picture);
    if (name === "language") this.#caller.changeLanguage();
    if (this.#options.server !== wasServer) {
      this.#caller.reset();
      if (this.isConnected) void this.#open();
    }
    this.#render();
  }

  /** Gives a client secret for a server that asks for one. @type {import("./signalling.js").ClientSecret | null} */
  get clientSecret() {
    return this.#options.clientSecret;
  }

  set clientSecret(give) {
    this.#options.clientSecret = give;
  }

  // ---- What it tells ----

  /** @returns {CallerPhase} */
  get phase() {
    return this.#caller.phase;
  }

  /** What the avatar is doing, or null when not connected. */
  get state() {
    return this.#caller.state;
  }

  /** The words so far, of the call under way or the last one. @returns {readonly Line[]} */
  get lines() {
    return this.#caller.transcript.lines;
  }

  /** Who draws the face, and what is shown. @returns {import("./picture.js").PictureState} */
  get picture() {
    return this.#caller.picture.state;
  }

  set picture(/** @type {import("./picture.js").PictureState | string} */ choice) {
    this.setAttribute("picture", String(choice));
  }

  /** What the server tells about itself; null before it was reached. */
  get config() {
    return this.#caller.config;
  }

  /** The avatar's. */
  get name() {
    return this.config?.name ?? "Presencia";
  }

  /** A sentence that says that this is an AI; "" before the server was reached. */
  get disclosure() {
    if (!this.config) return "";
    // The server has one in its own language only.
    return this.language === this.config.language ? this.config.disclosure : this.words("aiDisclosure");
  }

  get isRecorded() {
    return this.#caller.isRecorded;
  }

  get isLive() {
    return this.#caller.playback.isLive;
  }

  get hasMicrophone() {
    return this.#caller.microphone.track !== null;
  }

  /** Id of the microphone in use, or null while none is open. */
  get microphoneInUse() {
    return this.#caller.microphone.deviceId;
  }

  /** What is wrong, as a page may show it; null when nothing is. */
  get notice() {
    return this.#caller.callNotice ?? this.#caller.microphoneNotice;
  }

  /** Where one stands in line for a place; null: not in it. */
  get standing() {
    return this.#caller.standing;
  }

  /** Why the last call could not start or go on. */
  get problem() {
    return this.#caller.problem;
  }

  /** Seconds until the server wants to be called again. */
  get retryInS() {
    return Math.ceil(Math.max(0, this.#caller.retryAtMs - performance.now()) / 1000);
  }

  /** The video element, for a page that wants it elsewhere too. */
  get video() {
    return this.#stage.video;
  }

  /** @returns {Promise<RTCStatsReport | null>} WebRTC statistics, or null when not connected */
  stats() {
    return this.#caller.stats();
  }

  // ---- What it does ----

  /** Call. @returns {Promise<void>} when the call is over */
  call() {
    return this.#caller.call();
  }

  /** End the call. Again is harmless. */
  hangUp() {
    this.#caller.hangUp();
  }

  /** Say something in writing; the avatar answers aloud. @param {string} words */
  say(words) {
    this.#caller.say(words);
  }

  /** Stop the answer under way. */
  interrupt() {
    this.#caller.current?.interrupt();
  }

  /** Close the microphone's ear, or open it again. @param {boolean} [muted] */
  mute(muted = true) {
    if (muted !== this.muted) this.#caller.toggleMute();
  }

  get muted() {
    return this.#caller.microphone.muted;
  }

  /** Speak another language from now on. @param {string} code as "es" */
  setLanguage(code) {
    this.setAttribute("language", code);
  }

  /** The language in use; set, it is the attribute's. */
  get language() {
    return this.#caller.language;
  }

  set language(code) {
    this.setLanguage(code);
  }

  /** @returns {boolean} */
  get captions() {
    return this.getAttribute("captions") !== "off";
  }

  set captions(/** @type {boolean | string} */ wanted) {
    this.setAttribute("captions", wanted && wanted !== "off" ? "on" : "off");
  }

  /** 0 to 1. */
  get volume() {
    return this.#stage.video.volume;
  }

  set volume(volume) {
    this.#caller.playback.volume = volume;
  }

  /** Play the voice where the browser wanted a tap first: call it in a click. */
  async hear() {
    await this.#caller.playback.play();
  }

  /**
   * Let the avatar call a function of this page.
   *
   * @param {string} name letters, digits, "_" and "-"
   * @param {ToolSchema} schema what it does and takes
   * @param {ToolFunction} run
   * @returns {() => void} takes it back
   */
  registerTool(name, schema, run) {
    this.#caller.tools.add(name, schema, run);
    this.#caller.current?.declareTools();
    return () => {
      this.#caller.tools.remove(name);
      this.#caller.current?.declareTools();
    };
  }

  /** Send the server an event of docs/protocol.md; lost while not connected. @param {object} event */
  send(event) {
    this.#caller.current?.send(event);
  }

  /** @param {string} deviceId "" lets the browser choose; again, to ask for it again */
  async setMicrophone(deviceId) {
    this.#options.microphone = deviceId;
    await this.#caller.changeMicrophone();
  }

  /** @param {string} deviceId "" is the system's own @returns {Promise<boolean>} false where it can't be used */
  async setSpeaker(deviceId) {
    this.#options.speaker = deviceId;
    return this.#caller.changeSpeaker();
  }

  /** Have the recording of this call stopped and deleted. */
  stopRecording() {
    this.mayRecord = false;
    this.#caller.hasWithdrawn = true;
    this.#caller.current?.stopRecording();
  }

  /** Take the notice away. */
  dismissNotice() {
    this.#caller.dismissNotice();
  }

  focus() {
    this.#stage.focus();
  }

  /**
   * @param {import("./strings.js").StringKey} key
   * @param {{[placeholder: string]: string | number}} [values]
   */
  words(key, values) {
    return translate(this.language, key, { name: this.name, ...values });
  }

  /** Learn who answers; and go on with a call that a reload broke off. */
  async #open() {
    try {
      await this.#caller.load();
      if (this.isConnected && this.#caller.isRemembered) await this.call();
    } catch (error) {
      this.#caller.explain(error);
    }
  }

  /** @param {import("./stage.js").StageAction} action */
  #act(action) {
    if (action === "call") void this.call();
    if (action === "hangUp") this.hangUp();
    if (action === "mute") this.mute(!this.muted);
    if (action === "captions") this.captions = !this.captions;
    if (action === "hear") void this.hear();
    if (action === "stopRecording") this.stopRecording();
    if (action === "forbidWatching") this.send({ type: "avatar.watching.forbid" });
  }

  #render() {
    const { connectedAtMs } = this.#caller;
    const { retryInS, notice } = this;
    this.#stage.poster = this.getAttribute("poster") ?? [`${this.#options.server}/poster.webp`, this.config?.face?.name].filter(Boolean).join("?");
    this.#stage.render({
      phase: this.phase,
      isQueued: this.standing !== null,
      state: this.state,
      name: this.name,
      disclosure: this.disclosure,
      language: this.language,
      picture: this.picture,
      isLive: this.isLive,
      isRecorded: this.isRecorded,
      hasWithdrawn: this.#caller.hasWithdrawn,
      watchers: this.#caller.watchers,
      soundBlocked: this.#caller.playback.isBlocked,
      captions: this.captions,
      hasControls: this.getAttribute("controls") !== "none",
      hasMicrophone: this.hasMicrophone,
      muted: this.muted,
      notice: notice && {
        title: this.words(notice.title, notice.values),
        text: notice.detail || this.words(notice.alone ?? notice.text, notice.values),
      },
      retryInS,
      durationS: connectedAtMs === null ? null : (performance.now() - connectedAtMs) / 1000,
    });
    this.#tick(connectedAtMs !== null || retryInS > 0);
    this.#tellChanges();
  }

  /** @param {boolean} needed whether something shown counts seconds */
  #tick(needed) {
    if (needed && !this.#ticker) this.#ticker = window.setInterval(() => this.#render(), TICK_MS);
    if (needed || !this.#ticker) return;
    window.clearInterval(this.#ticker);
    this.#ticker = 0;
  }

  #tellChanges() {
    const told = this.#told;
    const { phase, state, picture, standing } = this;
    const seen = JSON.stringify(picture);
    this.#told = { phase, state, picture: seen, standing };
    this.#tell("presencia-change", undefined);
    if (phase !== told.phase) this.#tell("presencia-phase", { phase, problem: this.problem });
    if (state !== told.state) this.#tell("presencia-state", { state });
    if (standing !== told.standing) this.#tell("presencia-queue", standing);
    if (seen !== told.picture) this.#tell("presencia-picture", picture);
  }

  /**
   * @template {keyof PresenciaEvents} K
   * @param {K} type
   * @param {PresenciaEvents[K]} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}
