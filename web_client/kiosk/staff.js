/** The staff's PIN and settings. Nothing here is kept: the page is reloaded when it is closed. */

import { Refused } from "./api.js";
import { element, write } from "./screens.js";
import { autonym, words } from "./strings.js";

/** @typedef {import("./strings.js").KioskKey} KioskKey */
/** @typedef {import("./api.js").KioskConfig} KioskConfig */

const LONGEST_PIN = 12;
/** @type {Record<string, number[]>} */
const SECONDS = { idle_s: [15, 20, 30, 45, 60, 90], countdown_s: [5, 10, 15, 20, 30], speak_every_s: [0, 60, 180, 300, 600] };

export class StaffPanel {
  #api;
  #close;
  #language = () => "en";
  #pin = "";
  #config;
  /** @type {Record<string, () => unknown>} */
  #read = {};

  /**
   * @param {import("./api.js").KioskApi} api
   * @param {() => string} language
   * @param {() => KioskConfig | null} config
   * @param {() => void} close
   */
  constructor(api, language, config, close) {
    this.#api = api;
    this.#language = language;
    this.#config = config;
    this.#close = close;
  }

  /** Ask for the PIN. */
  open() {
    this.#pin = "";
    element("pin-card", HTMLElement).hidden = false;
    element("settings-card", HTMLElement).hidden = true;
    write("staff-title", this.#say("pinTitle"));
    write("pin-close", this.#say("close"));
    write("pin-note", this.#config()?.has_pin === false ? this.#say("pinNone") : "");
    const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "enter"];
    element("pad", HTMLElement).replaceChildren(...keys.map((key) => this.#key(key)));
    element("pin-close", HTMLButtonElement).onclick = () => this.#close();
    this.#showDots();
  }

  /** Forget what was typed. */
  wipe() {
    this.#pin = "";
    this.#showDots();
    for (const id of ["pad", "fields", "facts", "restarts"]) element(id, HTMLElement).replaceChildren();
  }

  /** @param {KioskKey} key @param {Record<string, string | number>} [values] */
  #say(key, values) {
    return words(this.#language(), key, values);
  }

  // ---- The PIN ----

  /** @param {string} key */
  #key(key) {
    const isDigit = key.length === 1;
    const made = button(isDigit ? key : this.#say(key === "erase" ? "erase" : "enter"), () => void this.#press(key));
    if (!isDigit) made.classList.add("word");
    return made;
  }

  /** @param {string} key */
  async #press(key) {
    if (key === "erase") this.#pin = this.#pin.slice(0, -1);
    else if (key !== "enter") this.#pin = (this.#pin + key).slice(0, LONGEST_PIN);
    this.#showDots();
    if (key !== "enter" || !this.#pin) return;
    const pin = this.#pin;
    this.#pin = "";
    this.#showDots();
    try {
      await this.#api.enter(pin);
    } catch (error) {
      return write("pin-note", this.#why(error));
    }
    try {
      await this.#openSettings();
    } catch {
      write("settings-note", this.#say("pinFailed"));
    }
  }

  #showDots() {
    write("dots", "●".repeat(this.#pin.length));
    element("dots", HTMLElement).setAttribute("aria-label", this.#say("digits", { count: this.#pin.length }));
  }

  /** @param {unknown} error */
  #why(error) {
    if (!(error instanceof Refused)) return this.#say("pinFailed");
    return error.status === 429 ? this.#say("pinLocked", { seconds: error.retryAfterS }) : this.#say("pinWrong");
  }

  // ---- The settings ----

  async #openSettings() {
    element("pin-card", HTMLElement).hidden = true;
    element("settings-card", HTMLElement).hidden = false;
    write("settings-title", this.#say("settings"));
    write("settings-note", "");
    write("settings-save", this.#say("save"));
    write("settings-close", this.#say("close"));
    write("restart-title", this.#say("restart"));
    write("diagnostics-title", this.#say("diagnostics"));
    element("settings-save", HTMLButtonElement).onclick = () => void this.#save();
    element("settings-close", HTMLButtonElement).onclick = () => this.#close();
    const config = await this.#api.config();
    element("fields", HTMLElement).replaceChildren(
      this.#volume(config.volume),
      this.#languages(config.languages),
      this.#seconds("idle", "idle_s", config.idle_s),
      this.#seconds("countdown", "countdown_s", config.countdown_s),
      this.#seconds("speakEvery", "speak_every_s", config.speak_every_s),
      this.#switch("camera", config.camera),
      this.#switch("voice", config.voice),
    );
    element("restarts", HTMLElement).replaceChildren(this.#restart("restartPage", "page"), this.#restart("restartBrowser", "browser"), this.#restart("restartService", "service"));
    this.#showFacts(await this.#api.diagnostics());
  }

  async #save() {
    const choices = Object.fromEntries(Object.entries(this.#read).map(([name, read]) => [name, read()]));
    try {
      await this.#api.choose(choices);
      write("settings-note", this.#say("saved"));
    } catch {
      write("settings-note", this.#say("notSaved"));
    }
  }

  /** @param {KioskKey} key @param {HTMLElement} control */
  #field(key, control) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = this.#say(key);
    label.append(name, control);
    return label;
  }

  /** @param {number} value */
  #volume(value) {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: "0", max: "1", step: "0.05", value: String(value) });
    this.#read["volume"] = () => Number(slider.value);
    return this.#field("startVolume", slider);
  }

  /** @param {string[]} offered */
  #languages(offered) {
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = this.#say("languages");
    const all = [...new Set([...offered, ...(this.#config()?.languages ?? []), "en", "es"])];
    const boxes = all.map((code) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", value: code, checked: offered.includes(code) });
      label.append(box, autonym(code));
      return { label, box };
    });
    group.append(legend, ...boxes.map(({ label }) => label));
    this.#read["languages"] = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    return group;
  }

  /**
   * @param {KioskKey} key
   * @param {string} name
   * @param {number} value
   */
  #seconds(key, name, value) {
    const select = document.createElement("select");
    for (const seconds of [...new Set([...(SECONDS[name] ?? []), value])].sort((a, b) => a - b)) {
      const words = seconds === 0 ? this.#say("never") : seconds % 60 === 0 && seconds > 60 ? this.#say("everyMinutes", { count: seconds / 60 }) : this.#say("seconds", { count: seconds });
      select.add(new Option(words, String(seconds), false, seconds === value));
    }
    this.#read[name] = () => Number(select.value);
    return this.#field(key, select);
  }

  /**
   * @param {"camera" | "voice"} name
   * @param {boolean} value
   */
  #switch(name, value) {
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", checked: value });
    this.#read[name] = () => box.checked;
    return this.#field(name, box);
  }

  /**
   * @param {KioskKey} key
   * @param {import("./api.js").KioskPart} part
   */
  #restart(key, part) {
    return button(this.#say(key), async () => {
      try {
        await this.#api.restart(part);
      } catch {
        return write("settings-note", this.#say("pinFailed"));
      }
      write("settings-note", this.#say("restarting"));
      this.#close();
    });
  }

  /** @param {any} facts */
  #showFacts({ page, service, visits, reports }) {
    const works = (/** @type {boolean} */ on) => this.#say(on ? "on" : "off");
    const restarts = reports.slice(0, 4).map((/** @type {any} */ report) => `${report.at.slice(5, 16).replace("T", " ")} ${report.part}: ${report.why}`);
    /** @type {[KioskKey, string][]} */
    const rows = [
      ["rowMicrophone", works(page?.microphone)],
      ["rowCamera", works(page?.camera)],
      ["rowServiceMemory", service ? `${Math.round(service.memory_mb)} MB` : ""],
      ["rowPageMemory", page ? `${Math.round(page.memory_mb)} MB` : ""],
      ["rowLate", service ? `${Math.round(service.late_ms)} ms` : ""],
      ["rowVisits", String(visits)],
      ["rowRestarts", restarts.join("\n") || this.#say("none")],
    ];
    element("facts", HTMLElement).replaceChildren(
      ...rows.map(([key, value]) => {
        const row = document.createElement("tr");
        const [head, cell] = [document.createElement("th"), document.createElement("td")];
        [head.textContent, cell.textContent] = [this.#say(key), value];
        row.append(head, cell);
        return row;
      }),
    );
  }
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function button(text, onclick) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text, onclick });
  return made;
}
