/** Draws the kiosk's screens from one model. */

import { secondsLeft } from "./machine.js";
import { autonym, words } from "./strings.js";

/** @typedef {import("./strings.js").KioskKey} KioskKey */

/**
 * @typedef {object} Model
 * @property {import("./rules.js").State} state
 * @property {import("./rules.js").Rules} rules
 * @property {number} nowMs
 * @property {string} name of the avatar
 * @property {import("../call.js").Phase | null} phase of the call
 * @property {import("../call.js").AvatarState | null} avatar
 * @property {readonly import("../transcript.js").Line[]} lines
 * @property {boolean} hears whether a microphone works
 * @property {number} volume 0 to 1
 * @property {number} watchers others who watch
 */

export const VOLUME_STEPS = 6;
/** A page that was just loaded is soon ready: it says nothing before. */
const PATIENCE_MS = 2_500;
/** So many characters of what is said fit in large letters; the newest count. */
const CAPTION_CHARACTERS = 165;

/** @type {Record<import("./rules.js").Trouble, [KioskKey, KioskKey]>} */
const TROUBLE_WORDS = {
  loading: ["loadingTitle", "loadingText"],
  offline: ["offlineTitle", "offlineText"],
  busy: ["busyTitle", "busyText"],
  failed: ["failedTitle", "failedText"],
};

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`kiosk.html has no ${type.name} #${id}`);
  return found;
}

/**
 * @param {string} id
 * @param {string} words set only where they differ, so that live regions speak once
 */
export function write(id, words) {
  const target = element(id, HTMLElement);
  if (target.textContent !== words) target.textContent = words;
}

export class Screens {
  #languages = "";

  /** @param {(language: string) => void} onchoose */
  constructor(onchoose) {
    this.onchoose = onchoose;
  }

  /** @param {Model} model */
  render(model) {
    const { state, rules } = model;
    document.documentElement.lang = state.language;
    Object.assign(document.body.dataset, {
      screen: state.screen,
      trouble: state.trouble ?? "",
      avatar: state.screen === "call" || state.screen === "countdown" ? (model.avatar ?? "") : "",
    });
    this.#offer(rules.languages);
    this.#renderAttract(model);
    this.#renderCall(model);
    this.#renderWatched(model);
    this.#renderCountdown(model);
    this.#renderBroken(model);
    const say = (/** @type {KioskKey} */ key) => words(state.language, key);
    write("goodbye-title", say("goodbye"));
    write("goodbye-text", say("forgotten"));
    element("staff", HTMLElement).hidden = state.screen !== "staff";
    element("corner", HTMLElement).setAttribute("aria-label", say("staff"));
  }

  /** @param {string[]} languages */
  #offer(languages) {
    if (languages.join() === this.#languages) return;
    this.#languages = languages.join();
    const button = (/** @type {string} */ code) => {
      const made = document.createElement("button");
      Object.assign(made, { type: "button", lang: code, textContent: autonym(code), onclick: () => this.onchoose(code) });
      made.dataset["language"] = code;
      return made;
    };
    element("choices", HTMLElement).replaceChildren(...languages.map(button));
    const legend = document.createElement("legend");
    legend.className = "unseen";
    element("languages", HTMLElement).replaceChildren(legend, ...languages.map(button));
    element("languages", HTMLElement).hidden = languages.length < 2;
  }

  /** @param {Model} model */
  #renderAttract({ state, rules, name }) {
    const say = (/** @type {KioskKey} */ key) => words(state.language, key, { name });
    write("hello", say("hello"));
    write("invite", say("invite"));
    write("how-touch", say("howTouch"));
    write("how-speak", say("howSpeak"));
    for (const id of ["what-attract", "what-welcome"]) write(id, say("whatItIs"));
    const questions = rules.languages.map((language) => words(language, "choose"));
    const lines = questions.map((question, i) => {
      const line = document.createElement("span");
      line.lang = rules.languages[i] ?? "";
      line.textContent = question;
      return line;
    });
    if (element("choose", HTMLElement).textContent !== questions.join("")) element("choose", HTMLElement).replaceChildren(...lines);
  }

  /** @param {Model} model */
  #renderCall({ state, phase, avatar, lines, hears, volume }) {
    const say = (/** @type {KioskKey} */ key) => words(state.language, key);
    const isWaiting = state.screen === "connecting" || phase === "reconnecting";
    write("state-text", say(isWaiting ? "connecting" : (avatar ?? "listening")));
    const spoken = lines.filter(({ who }) => who !== "note");
    const newest = spoken.at(-1);
    const ours = spoken.filter(({ who }) => who === "avatar").at(-1)?.text ?? "";
    write("theirs", newest?.who === "person" ? `${say("you")}: ${tail(newest.text)}` : "");
    write("ours", newest?.who === "person" ? "" : ours ? tail(ours) : isWaiting ? "" : say("sayHello"));
    element("deaf", HTMLElement).hidden = hears;
    write("deaf", hears ? "" : say("deaf"));
    const steps = Math.round(volume * VOLUME_STEPS);
    const output = element("steps", HTMLOutputElement);
    if (output.childElementCount !== VOLUME_STEPS) output.replaceChildren(...Array.from({ length: VOLUME_STEPS }, () => document.createElement("i")));
    [...output.children].forEach((bar, i) => bar.classList.toggle("lit", i < steps));
    output.setAttribute("aria-label", `${say("volume")}: ${steps}/${VOLUME_STEPS}`);
    element("quieter", HTMLElement).setAttribute("aria-label", say("quieter"));
    element("louder", HTMLElement).setAttribute("aria-label", say("louder"));
    element("volume", HTMLElement).setAttribute("aria-label", say("volume"));
    write("finish-text", say("finish"));
    for (const button of element("languages", HTMLElement).querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset["language"] === state.language));
    }
    const legend = element("languages", HTMLElement).querySelector("legend");
    if (legend && legend.textContent !== say("language")) legend.textContent = say("language");
  }

  /** @param {Model} model */
  #renderWatched({ state, watchers }) {
    element("watched", HTMLElement).hidden = watchers === 0;
    write("watched-count", words(state.language, "watched", { count: watchers }));
    write("watched-stop", words(state.language, "watchedStop"));
    write("watched-told", watchers ? words(state.language, "watchedTold", { count: watchers }) : "");
  }

  /** @param {Model} model */
  #renderCountdown({ state, rules, nowMs }) {
    const isOn = state.screen === "countdown";
    const cover = element("countdown", HTMLElement);
    const begins = isOn && cover.hidden;
    cover.hidden = !isOn;
    if (!isOn) return;
    const say = (/** @type {KioskKey} */ key) => words(state.language, key);
    write("still-there", say("stillThere"));
    write("ends-soon", say("endsSoon"));
    write("seconds", String(secondsLeft(state, nowMs, rules)));
    write("stay", say("stay"));
    write("finish-now", say("finish"));
    const left = 1 - (nowMs - state.sinceMs) / rules.countdownMs;
    element("hand", SVGElement).setAttribute("stroke-dashoffset", String(100 * (1 - Math.max(0, left))));
    if (begins) element("stay", HTMLElement).focus();
  }

  /** @param {Model} model */
  #renderBroken({ state, nowMs }) {
    const isSaid = nowMs - state.sinceMs > PATIENCE_MS || state.trouble !== "loading";
    const [title, text] = TROUBLE_WORDS[state.trouble ?? "loading"];
    write("broken-title", isSaid ? words(state.language, title) : "");
    write("broken-text", isSaid ? words(state.language, text) : "");
  }
}

/** @param {string} said @returns {string} its end, from the beginning of a sentence on, or at least of a word */
function tail(said) {
  if (said.length <= CAPTION_CHARACTERS) return said;
  const end = said.slice(-CAPTION_CHARACTERS);
  const sentence = end.search(/(?<=[.!?]["”»]?\s)\S/);
  return sentence < 0 ? `… ${end.slice(end.indexOf(" ") + 1)}` : end.slice(sentence);
}
