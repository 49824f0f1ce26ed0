/** The call page: `<presencia-call>`, and what is around it. The call itself is all the element's. */

import { ConversationView } from "./conversation.js";
import { PresenciaCall } from "./element.js";
import { makeRoomForKeyboard } from "./keyboard.js";
import { offerLanguages } from "./languages.js";
import * as preferences from "./preferences.js";
import { Recording } from "./recording.js";
import { pictureChoice, Settings } from "./settings.js";
import { listenToKeys } from "./shortcuts.js";
import { part, View } from "./view.js";
import { Waterfall } from "./waterfall.js";

export class CallPage {
  call = part("presencia", PresenciaCall);

  #preferences = preferences.load();
  #translate = /** @type {import("./strings.js").Translate} */ ((key, values) => this.call.words(key, values));
  #words = part("words", HTMLInputElement);
  #view = new View(this.#translate);
  #conversation = new ConversationView(this.#translate);
  #waterfall = new Waterfall(this.#translate, () => this.call.stats());
  #recording = new Recording(this.#translate, (isGiven) => (this.call.mayRecord = isGiven));
  #settings = new Settings(this.#preferences, this.#translate, {
    onmicrophone: (id) => this.#chooseMicrophone(id),
    onspeaker: (id) => this.#chooseSpeaker(id),
    onvolume: (volume) => {
      this.call.volume = volume;
      this.#prefer({ volume });
    },
    onpicture: (choice) => {
      this.call.setAttribute("picture", choice);
      this.#prefer({ picture: choice });
    },
    onshortcuts: (on) => this.#prefer({ shortcuts: on }),
  });
  #offersLanguages = false;
  #language = "";

  /** Show the page and make its buttons work. */
  open() {
    const { call } = this;
    this.#listenToCall();
    this.#listenToPerson();
    makeRoomForKeyboard();
    call.captions = this.#preferences.captions;
    call.volume = this.#preferences.volume;
    call.setAttribute("picture", pictureChoice(this.#preferences.picture));
    if (this.#preferences.language) call.setLanguage(this.#preferences.language);
    void call.setMicrophone(this.#preferences.microphone);
    void call.setSpeaker(this.#preferences.speaker);
    this.#render();
  }

  #listenToCall() {
    const { call } = this;
    call.addEventListener("presencia-change", () => this.#render());
    call.addEventListener("presencia-phase", () => {
      if (call.phase === "idle") this.#settings.close();
      if (call.phase === "idle") call.mayRecord = false; // The next call may be another person's.
      this.#view.rescueFocus();
      this.#render();
    });
    call.addEventListener("presencia-clear", () => this.#conversation.clear());
    call.addEventListener("presencia-transcript", ({ detail: { line, change } }) => this.#conversation.show(line, change));
    call.addEventListener("presencia-event", ({ detail: event }) => this.#waterfall.hear(event));
    call.addEventListener("presencia-level", ({ detail: { level } }) => this.#view.setLevel(level));
  }

  #listenToPerson() {
    const { call } = this;
    const onclick = (/** @type {string} */ id, /** @type {() => void} */ action) => (part(id, HTMLButtonElement).onclick = action);
    onclick("call", () => void call.call());
    for (const id of ["hang-up", "cancel"]) onclick(id, () => call.hangUp());
    for (const id of ["settings-open", "settings-open-before"]) onclick(id, () => this.#openSettings());
    onclick("mute", () => call.mute(!call.muted));
    onclick("captions", () => this.#toggleCaptions());
    onclick("stop", () => call.interrupt());
    onclick("notice-action", () => this.#actOnNotice());
    onclick("notice-dismiss", () => call.dismissNotice());
    part("composer", HTMLFormElement).onsubmit = (event) => this.#say(event);
    this.#words.oninput = () => this.#render();
    listenToKeys(() => this.#preferences.shortcuts && call.phase !== "idle" && !this.#settings.isOpen, {
      m: () => call.mute(!call.muted),
      c: () => this.#toggleCaptions(),
      l: () => this.#waterfall.toggle(),
      "/": () => this.#words.focus(),
      escape: () => call.interrupt(),
    });
  }

  /** @param {SubmitEvent} event */
  #say(event) {
    event.preventDefault();
    const words = this.#words.value.trim();
    if (!words || this.call.phase !== "connected") return;
    this.call.say(words);
    this.#words.value = "";
    this.#render();
  }

  // ---- The person's choices ----

  #toggleCaptions() {
    this.call.captions = !this.call.captions;
    this.#prefer({ captions: this.call.captions });
  }

  #openSettings() {
    void this.#settings.open(this.call.microphoneInUse);
  }

  /** @param {string} deviceId */
  async #chooseMicrophone(deviceId) {
    this.#prefer({ microphone: deviceId });
    await this.call.setMicrophone(deviceId);
  }

  /** @param {string} deviceId */
  async #chooseSpeaker(deviceId) {
    const isUsed = await this.call.setSpeaker(deviceId);
    this.#prefer({ speaker: isUsed ? deviceId : "" });
  }

  /** @param {string} code */
  #chooseLanguage(code) {
    this.#prefer({ language: code });
    this.call.setLanguage(code);
  }

  /** @param {Partial<preferences.Preferences>} choice */
  #prefer(choice) {
    Object.assign(this.#preferences, choice);
    preferences.save(this.#preferences);
  }

  #actOnNotice() {
    const { action } = this.call.notice ?? {};
    if (action === "microphone") void this.#chooseMicrophone(this.#preferences.microphone);
    if (action === "settings") this.#openSettings();
  }

  #render() {
    const { call } = this;
    const { config } = call;
    if (config && !this.#offersLanguages) {
      this.#offersLanguages = true;
      this.#recording.offer(config.recording?.keep_days);
      offerLanguages(part("languages", HTMLFieldSetElement), config.languages, call.language, (code) => this.#chooseLanguage(code));
    }
    this.#view.render({
      phase: call.phase,
      state: call.state,
      name: call.name,
      disclosure: call.disclosure,
      language: call.language,
      hasMicrophone: call.hasMicrophone,
      muted: call.muted,
      captions: call.captions,
      shown: call.picture.shown,
      isLive: call.isLive,
      notice: call.notice,
      canCall: window.isSecureContext,
      retryInS: call.retryInS,
    });
    this.#recording.render(call.mayRecord);
    if (call.language === this.#language) return;
    this.#language = call.language;
    this.#conversation.relabel(call.lines);
  }
}
