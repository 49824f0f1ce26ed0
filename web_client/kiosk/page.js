/** The kiosk's page: gives the rules what happens, and does what they want done. */

import { Playback } from "../playback.js";
import { Signalling } from "../signalling.js";
import { KioskApi } from "./api.js";
import { IdleFace } from "./idle_face.js";
import { step } from "./machine.js";
import { Pulse } from "./pulse.js";
import { DEFAULT_RULES, initialState } from "./rules.js";
import { element, Screens, VOLUME_STEPS } from "./screens.js";
import { Ear, Eye } from "./senses.js";
import { StaffPanel } from "./staff.js";
import { Visit } from "./visit.js";
import { wipeStorage } from "./wipe.js";

const TICK_MS = 200;
/** Until the service says how loud. */
const DEFAULT_VOLUME = 0.8;
/** The corner that opens the staff's panel is held for so long. */
const HOLD_MS = 1_500;

export class KioskPage {
  rules = DEFAULT_RULES;
  state = initialState(DEFAULT_RULES, performance.now(), deafMs());
  /** @type {Visit | null} */
  visit = null;

  #api = new KioskApi();
  #signalling = new Signalling("");
  /** @type {import("./api.js").KioskConfig | null} */
  #config = null;
  #name = "";
  #volume = DEFAULT_VOLUME;
  #visits = 0;
  /** @type {import("../call.js").Phase | null} */
  #phase = null;
  /** @type {import("../call.js").AvatarState | null} */
  #avatar = null;
  #screen = { video: element("video", HTMLVideoElement), canvas: element("drawn", HTMLCanvasElement) };

  #mark = element("mark", HTMLElement);
  #screens = new Screens((language) => this.tell({ type: "choose", language }));
  #playback = new Playback(this.#screen.video, {
    onpicture: () => {},
    onsound: () => {},
  });
  #idle = new IdleFace(this.#signalling, {
    onmedia: (stream) => void this.#playback.show(stream),
    onspeaking: (isSpeaking) => (this.#ear.isAlert = !isSpeaking),
  });
  #eye = new Eye((present) => this.tell({ type: "presence", present }));
  #ear = new Ear({
    onvoice: () => this.#config?.voice && this.tell({ type: "voice" }),
    onlevel: (level) => this.#mark.style.setProperty("--level", level.toFixed(2)),
    onchange: () => this.visit?.setMicrophone(this.#ear.track),
  });
  #staff = new StaffPanel(
    this.#api,
    () => this.state.language,
    () => this.#config,
    () => this.tell({ type: "staffClose" }),
  );
  #pulse = new Pulse(this.#api, () => this.#self(), {
    onreload: (why) => this.tell({ type: "reload", why }),
    onservice: (trouble) => this.#note(trouble),
  });

  /** Show the page and make it live. */
  open() {
    this.#listen();
    window.setInterval(() => this.tell({ type: "tick" }), TICK_MS);
    this.#pulse.start();
    void this.#ear.open();
    this.#render();
  }

  /** @param {import("./rules.js").KioskEvent} event */
  tell(event) {
    const { screen } = this.state;
    const { state, effects } = step(this.state, event, performance.now(), this.rules);
    this.state = state;
    if (state.screen === "staff" && screen !== "staff") this.#staff.open();
    for (const effect of effects) this.#obey(effect);
    this.#render();
  }

  #listen() {
    const onclick = (/** @type {string} */ id, /** @type {() => void} */ action) => (element(id, HTMLElement).onclick = action);
    onclick("stage", () => this.tell({ type: "touch" }));
    onclick("finish", () => this.tell({ type: "leave" }));
    onclick("finish-now", () => this.tell({ type: "leave" }));
    onclick("stay", () => this.tell({ type: "stay" }));
    onclick("watched", () => this.visit?.forbidWatching());
    onclick("quieter", () => this.#turn(-1));
    onclick("louder", () => this.#turn(1));
    element("staff", HTMLElement).onpointerdown = () => this.tell({ type: "touch" });
    const corner = element("corner", HTMLElement);
    let holding = 0;
    corner.onpointerdown = () => (holding = window.setTimeout(() => this.tell({ type: "staffOpen" }), HOLD_MS));
    corner.onpointerup = corner.onpointerleave = corner.onpointercancel = () => window.clearTimeout(holding);
    for (const type of ["contextmenu", "dragstart", "selectstart"]) document.addEventListener(type, (event) => event.preventDefault());
    window.addEventListener("pagehide", () => this.#hangUp());
    const { video } = this.#screen;
    const awaitPicture = () => {
      document.body.dataset.picture = "";
      video.requestVideoFrameCallback(() => (document.body.dataset.picture = "live"));
    };
    video.addEventListener("emptied", awaitPicture);
    awaitPicture();
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    this.#stayAwake();
  }

  /** Keep the screen lit, where the browser lets a page do so. */
  #stayAwake() {
    if (!document.hidden && "wakeLock" in navigator) void navigator.wakeLock.request("screen").catch(() => {});
  }

  // ---- What the rules want done ----

  /** @param {import("./rules.js").Effect} effect */
  #obey(effect) {
    switch (effect.do) {
      case "attract":
        this.#playback.stop(); // The poster stands in until the new picture is there.
        return this.#idle.show(effect.language, effect.aloud);
      case "dial":
        return this.#dial(effect.language);
      case "switch":
        return this.visit?.setLanguage(effect.language);
      case "hangUp":
        return this.#hangUp();
      case "wipe":
        return void this.#wipe();
      case "reload":
        return reload(effect.deafMs);
    }
  }

  /** @param {string} language */
  #dial(language) {
    this.#hangUp(); // The idling face gives way: until the call is there, the poster stands in.
    this.#visits += 1;
    const visit = new Visit(this.#signalling, language, this.#screen, {
      onmedia: (stream) => void this.#playback.show(stream),
      onphase: (phase) => {
        this.#phase = phase;
        if (phase === "connected") this.tell({ type: "connected" });
        else this.#render();
      },
      onended: (trouble) => visit === this.visit && this.tell({ type: "ended", trouble }),
      onstate: (state) => {
        this.#avatar = state;
        this.tell({ type: "answering", on: state === "thinking" || state === "speaking" });
      },
      onwords: () => this.tell({ type: "words" }),
      onlines: () => this.#render(),
      onwatched: () => this.#render(),
    });
    this.visit = visit;
    visit.start(this.#ear.track);
  }

  #hangUp() {
    this.#idle.hide();
    this.visit?.end();
    this.visit = null;
    this.#phase = null;
    this.#avatar = null;
    this.#playback.stop();
  }

  async #wipe() {
    this.#staff.wipe();
    await wipeStorage();
    try {
      await this.#api.wiped();
    } catch {
      return; // The service is away: the next page asks again before it meets anybody.
    }
    this.tell({ type: "wiped" });
  }

  /** @param {number} steps louder */
  #turn(steps) {
    this.#setVolume(Math.max(1, Math.min(VOLUME_STEPS, Math.round(this.#volume * VOLUME_STEPS) + steps)) / VOLUME_STEPS);
    this.tell({ type: "touch" });
  }

  /** @param {number} volume */
  #setVolume(volume) {
    this.#volume = volume;
    this.#playback.volume = volume;
  }

  // ---- The service ----

  /** @param {"offline" | "loading" | null} trouble */
  async #note(trouble) {
    if (!trouble && !this.#config) await this.#settle();
    this.tell({ type: "service", trouble });
  }

  /** Before the first visitor of this page: nothing is left of the one before, and the settings are known. */
  async #settle() {
    await this.#api.wiped();
    await wipeStorage();
    this.#name = (await this.#signalling.config()).name;
    const config = await this.#api.config();
    this.rules = {
      languages: config.languages,
      idleMs: 1000 * config.idle_s,
      countdownMs: 1000 * config.countdown_s,
      chooseMs: 1000 * config.choose_s,
      longestVisitMs: 1000 * config.longest_visit_s,
      inviteEveryMs: 1000 * config.invite_every_s,
      speakEveryMs: 1000 * config.speak_every_s,
    };
    this.state.language = config.languages[0] ?? this.state.language;
    this.#pulse.everyMs = 1000 * config.beat_every_s;
    this.#setVolume(config.volume);
    this.#config = config;
    if (config.camera) void this.#eye.open();
  }

  #self() {
    const { screen } = this.state;
    const visits = this.#visits;
    this.#visits = 0;
    const occupied = screen !== "attract" && screen !== "broken";
    return { screen, occupied, visits, camera: this.#eye.works, microphone: this.#ear.track !== null };
  }

  #render() {
    this.#screens.render({
      state: this.state,
      rules: this.rules,
      nowMs: performance.now(),
      name: this.#name,
      phase: this.#phase,
      avatar: this.#avatar,
      lines: this.visit?.transcript.lines ?? [],
      hears: this.#ear.track !== null,
      volume: this.#volume,
      watchers: this.visit?.watchers ?? 0,
    });
  }
}

/** @returns {number} what the page before handed on: for how long loud sounds begin no visit */
function deafMs() {
  const found = /^#deaf=(\d{1,7})$/.exec(location.hash);
  return found ? Number(found[1]) : 0;
}

/** @param {number} deafMs */
function reload(deafMs) {
  history.replaceState(null, "", deafMs ? `#deaf=${deafMs}` : location.pathname);
  location.reload();
}
