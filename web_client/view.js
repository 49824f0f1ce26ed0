/** Draws the page from one model: whatever changed, `render` makes the page show it. */

/** @typedef {import("./strings.js").StringKey} StringKey */
/** @typedef {(key: StringKey, values?: {[placeholder: string]: string | number}) => string} Translate */

/**
 * @typedef {object} Model
 * @property {import("./call.js").Phase | "waiting"} phase `waiting`: for the server's models
 * @property {import("./call.js").AvatarState | null} state
 * @property {string} name of the avatar
 * @property {string} disclosure
 * @property {string} language
 * @property {boolean} hasMicrophone
 * @property {boolean} muted
 * @property {boolean} captions
 * @property {import("./picture.js").PictureState} picture
 * @property {boolean} soundBlocked the browser plays no sound before a tap
 * @property {import("./notices.js").Notice | null} notice
 * @property {boolean} canCall
 * @property {number} retryInS seconds until the server wants to be called again
 * @property {number | null} durationS of the call
 */

/** @type {Record<Model["phase"], StringKey | null>} */
const PHASE_TEXT = {
  idle: null,
  waiting: "stateWaiting",
  connecting: "stateConnecting",
  connected: null,
  reconnecting: "stateReconnecting",
  ended: "stateEnded",
};

/** @type {Record<import("./protocol.js").FaceMode, StringKey>} */
const PICTURE_TEXT = { video: "pictureVideo", client: "pictureClient", audio: "pictureAudio" };

/** @type {Record<import("./protocol.js").FaceReason, StringKey | null>} what the person chose needs no words */
const WHY_TEXT = {
  chosen: null,
  network: "whyNetwork",
  drawing: "whyDrawing",
  busy: "whyBusy",
  recovered: "whyRecovered",
};

/** @type {Record<import("./call.js").AvatarState, StringKey>} */
const STATE_TEXT = { listening: "stateListening", thinking: "stateThinking", speaking: "stateSpeaking" };

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
  #face = part("face", HTMLElement);
  #name = part("name", HTMLElement);
  #badge = part("badge", HTMLElement);
  #timer = part("timer", HTMLElement);
  #status = part("status-text", HTMLElement);
  #pictureNote = part("picture-note", HTMLElement);
  #hear = part("hear", HTMLButtonElement);
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
  #call = part("call", HTMLButtonElement);
  #callText = part("call-text", HTMLElement);
  #words = part("words", HTMLInputElement);
  #send = part("send", HTMLButtonElement);
  #stop = part("stop", HTMLButtonElement);
  #meter = part("level", HTMLElement);
  #stateAnnouncer = part("state-announcer", HTMLElement);

  /** @param {Translate} translate in the language of the moment */
  constructor(translate) {
    this.#translate = translate;
  }

  /** @param {Model} model */
  render(model) {
    document.body.dataset.phase = model.phase === "ended" ? "idle" : model.phase;
    document.body.dataset.state = model.phase === "connected" ? (model.state ?? "") : "";
    this.#renderWords(model);
    this.#renderFace(model);
    this.#renderPicture(model);
    this.#renderControls(model);
    this.#renderNotice(model);
  }

  /** @param {number} level of the microphone, 0 to 1 */
  setLevel(level) {
    document.body.style.setProperty("--level", level.toFixed(2));
    this.#meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }

  /** @param {boolean} isLive whether the video shows a picture */
  setPicture(isLive) {
    document.body.dataset.picture = isLive ? "live" : "";
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
    this.#face.setAttribute("aria-label", this.#translate("videoCall"));
    setText(this.#name, name);
    setText(this.#badge, this.#translate("aiBadge"));
    this.#badge.title = this.#translate("aiBadgeLabel");
  }

  /** @param {Model} model */
  #renderFace({ phase, state, soundBlocked, durationS, disclosure }) {
    const key = PHASE_TEXT[phase] ?? (state ? STATE_TEXT[state] : null);
    setText(this.#status, key ? this.#translate(key) : "");
    this.#hear.hidden = !soundBlocked;
    setText(this.#timer, durationS === null ? "" : clock(durationS));
    const announced = phase === "connected" ? `${this.#translate("stateConnected")} ${disclosure}` : PHASE_TEXT[phase];
    setText(this.#stateAnnouncer, phase === "connected" || !key ? (announced ?? "") : this.#translate(key));
  }

  /** @param {Model} model */
  #renderPicture({ phase, picture: { shown, mode, reason } }) {
    document.body.dataset.shown = phase === "connected" ? shown : "";
    const why = phase === "connected" ? WHY_TEXT[reason] : null;
    // Video from a busy server is video at half the rate.
    const isThinned = mode === "video" && reason === "busy";
    const picture = this.#translate(isThinned ? "pictureThinned" : PICTURE_TEXT[mode]);
    this.#notePicture(why ? this.#translate(why, { picture }) : "");
  }

  /** @param {string} words in an element of their own, which fades out by itself */
  #notePicture(words) {
    if (this.#pictureNote.textContent === words) return;
    const note = document.createElement("span");
    note.textContent = words;
    this.#pictureNote.replaceChildren(...(words ? [note] : []));
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
    setText(this.#noticeTitle, this.#translate(notice.title));
    setText(this.#noticeText, notice.detail || this.#translate(notice.text));
    this.#noticeDismiss.hidden = notice.tone === "wait";
    this.#noticeAction.hidden = !notice.label;
    if (notice.label) setText(this.#noticeAction, this.#translate(notice.label));
  }
}

/** @param {number} seconds */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
