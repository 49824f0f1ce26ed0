/** Draws what of the page is around the face, from one model: whatever changed, `render` makes the page show it. */

/** @typedef {import("./strings.js").StringKey} StringKey */
/** @typedef {import("./strings.js").Translate} Translate */

/**
 * @typedef {object} Model
 * @property {import("./caller.js").CallerPhase} phase
 * @property {import("./call.js").AvatarState | null} state
 * @property {string} name of the avatar
 * @property {string} disclosure
 * @property {string} language
 * @property {boolean} hasMicrophone
 * @property {boolean} muted
 * @property {boolean} captions
 * @property {string} shown who draws the face
 * @property {boolean} isLive whether the video shows a picture
 * @property {import("./notices.js").Notice | null} notice
 * @property {boolean} canCall
 * @property {number} retryInS seconds until the server wants to be called again
 */

/** Notices whose reason the doctor finds. */
const FOR_THE_DOCTOR = ["no-route", "gone", "mic-silent"];

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function part(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return element;
}

/**
 * @param {Element} element
 * @param {string} text set only where it differs, so that live regions speak once
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class View {
  #translate;
  #language = "";
  #face = part("presencia", HTMLElement);
  #mute = part("mute", HTMLButtonElement);
  #muteText = part("mute-text", HTMLElement);
  #captions = part("captions", HTMLButtonElement);
  #controls = part("controls", HTMLElement);
  #notice = part("notice", HTMLElement);
  #noticeIcon = part("notice-icon", SVGUseElement);
  #noticeTitle = part("notice-title", HTMLElement);
  #noticeText = part("notice-text", HTMLElement);
  #noticeAction = part("notice-action", HTMLButtonElement);
  #noticeDismiss = part("notice-dismiss", HTMLButtonElement);
  #noticeDoctor = part("notice-doctor", HTMLAnchorElement);
  #call = part("call", HTMLButtonElement);
  #callText = part("call-text", HTMLElement);
  #words = part("words", HTMLInputElement);
  #send = part("send", HTMLButtonElement);
  #stop = part("stop", HTMLButtonElement);
  #meter = part("level", HTMLElement);

  /** @param {Translate} translate in the language of the moment */
  constructor(translate) {
    this.#translate = translate;
  }

  /** @param {Model} model */
  render(model) {
    const { dataset } = document.body;
    const isConnected = model.phase === "connected";
    dataset.phase = model.phase === "ended" ? "idle" : model.phase;
    dataset.state = isConnected ? (model.state ?? "") : "";
    dataset.shown = isConnected ? model.shown : "";
    dataset.picture = model.isLive ? "live" : "";
    this.#renderWords(model);
    this.#renderControls(model);
    this.#renderNotice(model);
  }

  /** @param {number} level of the microphone, 0 to 1 */
  setLevel(level) {
    document.body.style.setProperty("--level", level.toFixed(2));
    this.#meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }

  /** Keep the keyboard's place when the button that had it goes. */
  rescueFocus() {
    const lost = document.activeElement === document.body || !document.activeElement?.checkVisibility();
    if (!lost) return;
    if (this.#call.checkVisibility()) this.#call.focus();
    else this.#face.focus();
  }

  /** @param {Model} model */
  #renderWords({ name, language, disclosure }) {
    const key = `${language} ${name} ${disclosure}`;
    if (key === this.#language) return;
    this.#language = key;
    document.documentElement.lang = language;
    document.title = this.#translate("welcome");
    for (const element of document.querySelectorAll("[data-t], [data-t-label], [data-t-placeholder]")) {
      const { t, tLabel, tPlaceholder } = /** @type {HTMLElement} */ (element).dataset;
      if (t) setText(element, this.#translate(/** @type {StringKey} */ (t)));
      if (tLabel) element.setAttribute("aria-label", this.#translate(/** @type {StringKey} */ (tLabel)));
      if (tPlaceholder) element.setAttribute("placeholder", this.#translate(/** @type {StringKey} */ (tPlaceholder)));
    }
    for (const id of ["disclosure", "ai-line"]) setText(part(id, HTMLElement), disclosure);
    this.#controls.setAttribute("aria-label", this.#translate("videoCall"));
  }

  /** @param {Model} model */
  #renderControls({ phase, state, hasMicrophone, muted, captions, canCall, retryInS }) {
    this.#call.disabled = !canCall || retryInS > 0;
    setText(this.#callText, retryInS > 0 ? this.#translate("tryAgainIn", { seconds: retryInS }) : this.#translate("call"));
    this.#mute.disabled = !hasMicrophone;
    this.#mute.classList.toggle("muted", muted);
    setText(this.#muteText, this.#translate(hasMicrophone ? (muted ? "unmute" : "mute") : "noMicrophone"));
    this.#captions.setAttribute("aria-pressed", String(captions));
    const answering = phase === "connected" && (state === "thinking" || state === "speaking");
    const isEmpty = this.#words.value.trim() === "";
    this.#stop.hidden = !(answering && isEmpty);
    this.#send.hidden = !this.#stop.hidden;
    this.#send.disabled = phase !== "connected" || isEmpty;
  }

  /** @param {Model} model */
  #renderNotice({ notice }) {
    this.#notice.hidden = notice === null;
    if (!notice) {
      setText(this.#noticeTitle, "");
      setText(this.#noticeText, "");
      return;
    }
    this.#notice.dataset.kind = notice.kind;
    this.#notice.dataset.tone = notice.tone;
    this.#noticeIcon.setAttribute("href", `./icons.svg#${notice.icon}`);
    setText(this.#noticeTitle, this.#translate(notice.title, notice.values));
    setText(this.#noticeText, notice.detail || this.#translate(notice.text, notice.values));
    this.#noticeDismiss.hidden = notice.tone === "wait";
    this.#noticeDoctor.hidden = !FOR_THE_DOCTOR.includes(notice.kind);
    this.#noticeAction.hidden = !notice.label;
    if (notice.label) setText(this.#noticeAction, this.#translate(notice.label));
  }
}
