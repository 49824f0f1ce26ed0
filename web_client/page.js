/** The call page: brings call, microphone, playback, transcript and view together. */

import { Call, pause } from "./call.js";
import { ConversationView } from "./conversation.js";
import { offerLanguages, preferredLanguage } from "./languages.js";
import { Microphone } from "./microphone.js";
import { microphoneNotice, noticeOf } from "./notices.js";
import { Picture } from "./picture.js";
import { Playback } from "./playback.js";
import * as preferences from "./preferences.js";
import { Problem } from "./problem.js";
import { Recording } from "./recording.js";
import { pictureChoice, Settings } from "./settings.js";
import { listenToKeys } from "./shortcuts.js";
import { Signalling } from "./signalling.js";
import { translate } from "./strings.js";
import { Transcript } from "./transcript.js";
import { part, View } from "./view.js";
import { Waterfall } from "./waterfall.js";

/** @typedef {import("./notices.js").Notice} Notice */
/** @typedef {import("./view.js").Model} Model */

const TICK_MS = 250;
const READY_EVERY_MS = 2_000;

export class CallPage {
  /** The words so far, of the call under way or the last one. */
  transcript = new Transcript((line, change) => this.#conversation.show(line, change));

  #preferences = preferences.load();
  #signalling = new Signalling("");
  /** @type {import("./signalling.js").AvatarConfig | null} */
  #config = null;
  /** @type {Call | null} */
  #call = null;
  /** @type {AbortController | null} of the call, from the press of the button to its end */
  #attempt = null;
  /** @type {Model["phase"]} */
  #phase = "idle";
  /** @type {Notice | null} */
  #callNotice = null;
  /** @type {Notice | null} */
  #microphoneNotice = null;
  #retryAtMs = 0;
  /** @type {number | null} */
  #connectedAtMs = null;
  #ticker = 0;

  #translate = /** @type {import("./view.js").Translate} */ (
    (key, values) => translate(this.#language, key, { name: this.#name, ...values })
  );
  #words = part("words", HTMLInputElement);
  #view = new View(this.#translate);
  #conversation = new ConversationView(this.#translate);
  #waterfall = new Waterfall(this.#translate, () => this.stats());
  #microphone = new Microphone({
    onlevel: (level) => this.#view.setLevel(level),
    ontrouble: (trouble) => this.#noticeMicrophone(trouble),
  });
  #playback = new Playback(part("video", HTMLVideoElement), {
    onpicture: (isLive) => this.#view.setPicture(isLive),
    onsound: () => this.#render(),
  });
  #picture = new Picture(
    part("video", HTMLVideoElement),
    part("drawn", HTMLCanvasElement),
    pictureChoice(this.#preferences.picture),
    () => this.#render(),
  );
  #recording = new Recording(this.#translate, () => this.#call?.stopRecording());
  #settings = new Settings(this.#preferences, this.#translate, {
    onmicrophone: (id) => this.#chooseMicrophone(id),
    onspeaker: (id) => this.#chooseSpeaker(id),
    onvolume: (volume) => this.#chooseVolume(volume),
    onpicture: (choice) => this.#choosePicture(choice),
    onshortcuts: (on) => this.#prefer({ shortcuts: on }),
  });

  /** Show the page and make its buttons work. */
  async open() {
    this.#conversation.setCaptions(this.#preferences.captions);
    this.#playback.volume = this.#preferences.volume;
    this.#listen();
    this.#render();
    try {
      if (!window.isSecureContext) throw new Problem("insecure");
      await this.#loadConfig();
    } catch (error) {
      this.#explain(error);
    }
  }

  /** @returns {Model["phase"]} */
  get phase() {
    return this.#phase;
  }

  /** What the avatar is doing, or null when not connected. */
  get state() {
    return this.#call?.state ?? null;
  }

  /** Who draws the face, and what is on the page. */
  get picture() {
    return this.#picture.state;
  }

  /** WebRTC statistics of the call, or null when not connected. */
  async stats() {
    return (await this.#call?.stats()) ?? null;
  }

  get #name() {
    return this.#config?.name ?? "Presencia";
  }

  get #language() {
    return preferredLanguage(this.#preferences.language, this.#config);
  }

  /** The server's sentence, or, since it has one in its own language only, ours in the person's. */
  get #disclosure() {
    if (!this.#config) return "";
    return this.#language === this.#config.language ? this.#config.disclosure : this.#translate("aiDisclosure");
  }

  #listen() {
    const onclick = (/** @type {string} */ id, /** @type {() => void} */ action) => (part(id, HTMLButtonElement).onclick = action);
    onclick("call", () => this.#start());
    for (const id of ["hang-up", "cancel"]) onclick(id, () => this.#hangUp());
    for (const id of ["settings-open", "settings-open-before"]) onclick(id, () => this.#openSettings());
    onclick("mute", () => this.#toggleMute());
    onclick("captions", () => this.#toggleCaptions());
    onclick("hear", () => this.#playback.play());
    onclick("stop", () => this.#call?.interrupt());
    onclick("notice-action", () => this.#actOnNotice());
    onclick("notice-dismiss", () => this.#dismissNotice());
    part("composer", HTMLFormElement).onsubmit = (event) => this.#say(event);
    this.#words.oninput = () => this.#render();
    window.addEventListener("pagehide", () => this.#hangUp());
    listenToKeys(() => this.#preferences.shortcuts && this.#attempt !== null && !this.#settings.isOpen, {
      m: () => this.#toggleMute(),
      c: () => this.#toggleCaptions(),
      l: () => this.#waterfall.toggle(),
      "/": () => this.#words.focus(),
      escape: () => this.#call?.interrupt(),
    });
  }

  // ---- The call ----

  async #start() {
    if (this.#attempt) return;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#dismissNotice();
    this.transcript = new Transcript((line, change) => this.#conversation.show(line, change));
    this.#conversation.clear();
    this.#enter("connecting");
    try {
      await this.#dial(attempt.signal);
    } catch (error) {
      if (!attempt.signal.aborted) this.#explain(error);
    } finally {
      if (attempt.signal.aborted) this.#callNotice = null;
      this.#attempt = null;
      this.#connectedAtMs = null;
      this.#enter("idle");
    }
  }

  /**
   * Call, again and again while the server is still loading its models.
   *
   * @param {AbortSignal} signal
   */
  async #dial(signal) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new Problem("insecure");
    await this.#loadConfig();
    for (;;) {
      await this.#untilReady(signal);
      this.#enter("connecting");
      try {
        return await this.#callOnce(signal);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "not_ready") throw error;
        await pause(READY_EVERY_MS, signal);
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #untilReady(signal) {
    while (!(await this.#signalling.isReady(signal))) {
      this.#callNotice = noticeOf(new Problem("not_ready"), false);
      this.#enter("waiting");
      await pause(READY_EVERY_MS, signal);
    }
    this.#callNotice = null;
  }

  /**
   * @param {AbortSignal} signal
   * @throws {Problem} why the call ended, if nobody hung up
   */
  async #callOnce(signal) {
    /** @type {Problem | null} */
    let reason = null;
    try {
      await this.#microphone.open(this.#preferences.microphone);
      signal.throwIfAborted();
      const call = new Call(
        { signalling: this.#signalling, iceServers: this.#config?.ice_servers ?? [], language: this.#language, mayRecord: this.#recording.isAgreedTo },
        {
          onphase: (phase, problem) => {
            if (phase === "ended") reason = problem;
            else this.#follow(phase, problem);
          },
          onstate: () => this.#render(),
          onmedia: (stream) => this.#show(stream),
          onevent: (event) => {
            this.#picture.hear(event);
            this.#recording.hear(event);
            this.transcript.apply(event);
            this.#waterfall.hear(event);
          },
        },
      );
      this.#call = call;
      signal.addEventListener("abort", () => call.hangUp());
      await call.run(this.#microphone.track);
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
    this.#callNotice = problem ? noticeOf(problem, false) : null;
    if (phase === "reconnecting") this.#quieten();
    if (phase === "connected") {
      if (this.#connectedAtMs !== null) this.transcript.note("reconnected");
      this.#connectedAtMs ??= performance.now();
      if (this.#call) this.#picture.join(this.#call);
    }
    this.#enter(phase);
  }

  #hangUp() {
    this.#attempt?.abort();
  }

  /** Let go of everything that a call holds. */
  #clean() {
    this.#call = null;
    this.#microphone.close();
    this.#quieten();
    this.#settings.close();
  }

  /** The connection is gone: no picture, no sound, no words to come. */
  #quieten() {
    this.#picture.leave();
    this.#recording.leave();
    this.#playback.stop();
    this.transcript.close();
    this.#conversation.end();
  }

  /** @param {unknown} error */
  #explain(error) {
    if (!(error instanceof Problem)) throw error;
    this.#callNotice = noticeOf(error, this.#connectedAtMs !== null);
    this.#retryAtMs = performance.now() + error.retryAfterS * 1000;
    this.#render();
  }

  async #loadConfig() {
    if (this.#config) return;
    this.#config = await this.#signalling.config();
    part("poster", HTMLImageElement).src = `./poster.webp?${this.#config.face?.name ?? ""}`; // It may have been loading still.
    this.#recording.offer(this.#config.recording?.keep_days);
    offerLanguages(this.#config.languages, this.#language, (code) => this.#chooseLanguage(code));
    this.#render();
  }

  /** @param {MediaStream} stream */
  async #show(stream) {
    if (this.#preferences.speaker) await this.#chooseSpeaker(this.#preferences.speaker);
    await this.#playback.show(stream);
  }

  /** @param {SubmitEvent} event */
  #say(event) {
    event.preventDefault();
    const words = this.#words.value.trim();
    if (!words || this.#call?.phase !== "connected") return;
    this.#call.say(words);
    this.#words.value = "";
    this.#render();
  }

  // ---- The person's choices ----

  #toggleMute() {
    this.#microphone.toggleMute();
    this.#render();
  }

  #toggleCaptions() {
    this.#prefer({ captions: !this.#preferences.captions });
    this.#conversation.setCaptions(this.#preferences.captions);
    this.#render();
  }

  #openSettings() {
    void this.#settings.open(this.#microphone.deviceId);
  }

  /** @param {string} deviceId */
  async #chooseMicrophone(deviceId) {
    this.#prefer({ microphone: deviceId });
    const call = this.#call;
    if (!call) return;
    await this.#microphone.open(deviceId);
    if (this.#call === call) await call.setMicrophone(this.#microphone.track);
    else this.#microphone.close();
    this.#render();
  }

  /** @param {string} deviceId */
  async #chooseSpeaker(deviceId) {
    const isUsed = await this.#playback.setSpeaker(deviceId);
    this.#prefer({ speaker: isUsed ? deviceId : "" });
  }

  /** @param {number} volume */
  #chooseVolume(volume) {
    this.#playback.volume = volume;
    this.#prefer({ volume });
  }

  /** @param {import("./picture.js").PictureChoice} choice */
  #choosePicture(choice) {
    this.#prefer({ picture: choice });
    this.#picture.choose(choice);
  }

  /** @param {string} code */
  #chooseLanguage(code) {
    this.#prefer({ language: code });
    this.#call?.setLanguage(code);
    this.#recording.render();
    this.#render();
    this.#conversation.relabel(this.transcript.lines);
  }

  /** @param {Partial<preferences.Preferences>} choice */
  #prefer(choice) {
    Object.assign(this.#preferences, choice);
    preferences.save(this.#preferences);
  }

  // ---- Notices ----

  /** @param {import("./microphone.js").MicrophoneTrouble | null} trouble */
  #noticeMicrophone(trouble) {
    if (trouble === "unplugged") void this.#call?.setMicrophone(null);
    this.#microphoneNotice = trouble ? microphoneNotice(trouble) : null;
    this.#render();
  }

  #actOnNotice() {
    if (this.#microphoneNotice?.action === "microphone") void this.#chooseMicrophone(this.#preferences.microphone);
    if (this.#microphoneNotice?.action === "settings") this.#openSettings();
  }

  #dismissNotice() {
    if (this.#callNotice) this.#callNotice = null;
    else this.#microphoneNotice = null;
    this.#render();
  }

  // ---- Drawing ----

  /** @param {Model["phase"]} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#render();
    this.#view.rescueFocus();
  }

  #render() {
    const now = performance.now();
    const retryInS = Math.ceil(Math.max(0, this.#retryAtMs - now) / 1000);
    this.#view.render({
      phase: this.#phase,
      state: this.#call?.state ?? null,
      name: this.#name,
      disclosure: this.#disclosure,
      language: this.#language,
      hasMicrophone: this.#microphone.track !== null,
      muted: this.#microphone.muted,
      captions: this.#preferences.captions,
      picture: this.#picture.state,
      soundBlocked: this.#playback.isBlocked,
      notice: this.#callNotice ?? this.#microphoneNotice,
      canCall: window.isSecureContext,
      retryInS,
      durationS: this.#connectedAtMs === null ? null : (now - this.#connectedAtMs) / 1000,
    });
    this.#tick(this.#connectedAtMs !== null || retryInS > 0);
  }

  /** @param {boolean} needed whether something on the page counts seconds */
  #tick(needed) {
    if (needed && !this.#ticker) this.#ticker = window.setInterval(() => this.#render(), TICK_MS);
    if (needed || !this.#ticker) return;
    window.clearInterval(this.#ticker);
    this.#ticker = 0;
  }
}
