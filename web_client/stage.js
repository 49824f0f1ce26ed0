/** The inside of `<presencia-call>`: builds it once, and draws it from one model whenever something has changed. */

import { Captions } from "./captions.js";
import { icon } from "./icons.js";
import { stageStyle } from "./stage_style.js";

/** @typedef {import("./strings.js").StringKey} StringKey */
/** @typedef {import("./strings.js").Translate} Translate */
/** @typedef {import("./caller.js").CallerPhase} CallerPhase */

/**
 * @typedef {object} StageModel
 * @property {CallerPhase} phase
 * @property {boolean} isQueued what is awaited is a place
 * @property {import("./call.js").AvatarState | null} state
 * @property {string} name of the avatar
 * @property {string} disclosure
 * @property {string} language
 * @property {import("./picture.js").PictureState} picture
 * @property {boolean} isLive whether the video shows a picture
 * @property {boolean} isRecorded
 * @property {boolean} hasWithdrawn the person has had the recording deleted
 * @property {number} watchers others who watch
 * @property {boolean} soundBlocked the browser plays no sound before a tap
 * @property {boolean} captions
 * @property {boolean} hasControls
 * @property {boolean} hasMicrophone
 * @property {boolean} muted
 * @property {{title: string, text: string} | null} notice
 * @property {number} retryInS seconds until the server wants to be called again
 * @property {number | null} durationS of the call
 */

/** @typedef {"call" | "hangUp" | "mute" | "captions" | "hear" | "stopRecording" | "forbidWatching"} StageAction */

/** @type {Record<CallerPhase, StringKey | null>} */
const PHASE_TEXT = {
  idle: null,
  waiting: "stateWaiting",
  connecting: "stateConnecting",
  connected: null,
  reconnecting: "stateReconnecting",
  ended: "stateEnded",
};
/** @type {Record<import("./call.js").AvatarState, StringKey>} */
const STATE_TEXT = { listening: "stateListening", thinking: "stateThinking", speaking: "stateSpeaking" };
/** @type {Record<import("./protocol.js").FaceMode, StringKey>} */
const PICTURE_TEXT = { video: "pictureVideo", client: "pictureClient", audio: "pictureAudio" };
/** @type {Record<import("./protocol.js").FaceReason, StringKey | null>} what the person chose needs no words */
const WHY_TEXT = { chosen: null, network: "whyNetwork", drawing: "whyDrawing", busy: "whyBusy", recovered: "whyRecovered" };

export class Stage {
  captions;

  #translate;
  #root = make("section", { id: "face", part: "stage", class: "stage", tabindex: "-1" });
  #poster = make("img", { id: "poster", part: "poster", class: "poster", alt: "" });
  #name = make("strong", { id: "name" });
  #badge = make("abbr", { id: "badge", class: "badge" });
  #timer = make("time", { id: "timer", class: "timer" });
  #status = make("span", { id: "status-text" });
  #recordedText = make("span", {});
  #recorded = this.#button("recorded", "stopRecording", { id: "recorded", part: "recorded" }, make("i", { "aria-hidden": "true" }), this.#recordedText);
  #watchedText = make("span", {});
  #watched = this.#button("watched", "forbidWatching", { id: "watched", part: "recorded" }, this.#watchedText);
  #recordingStatus = make("p", { id: "recording-status", class: "visually-hidden", role: "status" });
  #pictureNote = make("p", { id: "picture-note", part: "note", class: "picture-note", role: "status" });
  #hearText = make("span", {});
  #hear = this.#button("hear", "hear", { id: "hear", part: "button" }, icon("speaker"), this.#hearText);
  #noticeTitle = make("strong", {});
  #noticeText = make("span", {});
  #notice = make("div", { id: "stage-notice", part: "notice", class: "notice", role: "alert" }, this.#noticeTitle, this.#noticeText);
  #callText = make("span", {});
  #call = this.#button("control call", "call", { part: "button call" }, icon("phone"), this.#callText);
  #mute = this.#button("control mute", "mute", { part: "button" }, ...marked(icon("mic"), icon("mic-off")));
  #captionsButton = this.#button("control", "captions", { part: "button" }, icon("captions"));
  #hangUp = this.#button("control hang-up", "hangUp", { part: "button hang-up" }, icon("hang-up"));
  #controls = make("div", { part: "controls", class: "controls", role: "group" }, this.#call, this.#mute, this.#captionsButton, this.#hangUp);
  #announcer = make("p", { id: "state-announcer", class: "visually-hidden", role: "status" });
  #onaction;
  #shadow;

  video = make("video", { id: "video", part: "video", class: "video" });
  canvas = make("canvas", { id: "drawn", part: "drawn", class: "drawn", "aria-hidden": "true" });

  /**
   * @param {ShadowRoot} shadow
   * @param {Translate} translate in the language of the moment
   * @param {(action: StageAction) => void} onaction
   */
  constructor(shadow, translate, onaction) {
    this.#translate = translate;
    this.#onaction = onaction;
    this.video.playsInline = this.video.autoplay = this.video.disablePictureInPicture = true;
    const words = make("span", { id: "caption-words" });
    const caption = make("p", { id: "caption", part: "caption", class: "caption", "aria-hidden": "true", hidden: "" });
    caption.append(make("span", { class: "caption-window" }, words));
    const announcer = make("div", { id: "announcer", class: "visually-hidden", role: "log", "aria-live": "polite" });
    this.captions = new Captions({ caption, words, announcer }, translate);
    const mark = make("span", { class: "status-mark", "aria-hidden": "true" }, make("i", {}), make("i", {}), make("i", {}));
    this.#root.append(
      this.#poster,
      this.video,
      this.canvas,
      make("p", { part: "identity", class: "identity" }, this.#name, " ", this.#badge, " ", this.#timer),
      make("p", { id: "status", part: "status", class: "status" }, mark, this.#status),
      make("div", { class: "marks" }, this.#recorded, this.#watched),
      this.#pictureNote,
      make("div", { class: "foot" }, this.#hear, caption, this.#notice, this.#controls),
    );
    shadow.adoptedStyleSheets = [stageStyle()];
    this.#shadow = shadow;
    shadow.append(this.#root, this.#announcer, this.#recordingStatus, announcer);
  }

  /** @param {string} url of the still picture */
  set poster(url) {
    if (this.#poster.getAttribute("src") !== url) this.#poster.setAttribute("src", url);
  }

  /** @param {number} level of the microphone, 0 to 1 */
  set level(level) {
    this.#root.style.setProperty("--level", level.toFixed(2));
  }

  focus() {
    this.#root.focus();
  }

  /** @param {StageModel} model */
  render(model) {
    const { phase, state, picture } = model;
    const { dataset } = this.#root;
    dataset.phase = phase === "ended" ? "idle" : phase;
    dataset.state = phase === "connected" ? (state ?? "") : "";
    dataset.picture = model.isLive ? "live" : "";
    dataset.shown = phase === "connected" ? picture.shown : "";
    for (const part of this.#shadow.children) part.setAttribute("lang", model.language);
    this.#renderWords(model);
    this.#renderPicture(model);
    this.#renderRecording(model);
    this.#renderControls(model);
  }

  /** @param {StageModel} model */
  #renderWords({ phase, isQueued, state, name, disclosure, durationS, soundBlocked }) {
    this.#root.setAttribute("aria-label", this.#translate("videoCall"));
    setText(this.#name, name);
    setText(this.#badge, this.#translate("aiBadge"));
    this.#badge.title = this.#translate("aiBadgeLabel");
    const key = isQueued ? "stateQueued" : (PHASE_TEXT[phase] ?? (state ? STATE_TEXT[state] : null));
    setText(this.#status, key ? this.#translate(key) : "");
    setText(this.#timer, durationS === null ? "" : clock(durationS));
    this.#hear.hidden = !soundBlocked;
    setText(this.#hearText, this.#translate("tapToHear"));
    const isTold = phase === "connected" ? `${this.#translate("stateConnected")} ${disclosure}` : key ? this.#translate(key) : "";
    setText(this.#announcer, isTold);
  }

  /** @param {StageModel} model */
  #renderPicture({ phase, picture: { mode, reason } }) {
    const why = phase === "connected" ? WHY_TEXT[reason] : null;
    // Video from a busy server is video at half the rate.
    const isThinned = mode === "video" && reason === "busy";
    const picture = this.#translate(isThinned ? "pictureThinned" : PICTURE_TEXT[mode]);
    const words = why ? this.#translate(why, { picture }) : "";
    if (this.#pictureNote.textContent === words) return;
    this.#pictureNote.replaceChildren(...(words ? [make("span", {}, words)] : [])); // It fades out by itself.
  }

  /** @param {StageModel} model */
  #renderRecording({ isRecorded, hasWithdrawn, watchers }) {
    this.#watched.hidden = watchers === 0;
    setText(this.#watchedText, this.#translate("watched", { count: watchers }));
    label(this.#watched, `${this.#translate("watched", { count: watchers })}: ${this.#translate("watchedStop")}`);
    this.#recorded.hidden = !isRecorded;
    setText(this.#recordedText, this.#translate("recording"));
    this.#recorded.setAttribute("aria-label", `${this.#translate("recording")}: ${this.#translate("recordingStop")}`);
    this.#recorded.title = this.#translate("recordingStop");
    const status = isRecorded ? "recordingOn" : hasWithdrawn ? "recordingDeleted" : null;
    const watched = watchers ? this.#translate("watched", { count: watchers }) : "";
    setText(this.#recordingStatus, [status ? this.#translate(status) : "", watched].join(" ").trim());
  }

  /** @param {StageModel} model */
  #renderControls({ phase, hasControls, hasMicrophone, muted, captions, notice, retryInS }) {
    this.#controls.hidden = !hasControls;
    this.#notice.hidden = !hasControls || notice === null;
    setText(this.#noticeTitle, notice?.title ?? "");
    setText(this.#noticeText, notice?.text ?? "");
    if (!hasControls) return;
    const isCalling = phase !== "idle" && phase !== "ended";
    const focused = this.#shadow.activeElement;
    this.#controls.setAttribute("aria-label", this.#translate("videoCall"));
    this.#call.hidden = isCalling;
    this.#call.disabled = retryInS > 0;
    setText(this.#callText, this.#translate(retryInS > 0 ? "tryAgainIn" : "call", { seconds: retryInS }));
    this.#hangUp.hidden = !isCalling;
    label(this.#hangUp, this.#translate(phase === "waiting" ? "cancel" : "hangUp"));
    for (const button of [this.#mute, this.#captionsButton]) button.hidden = !isCalling || phase === "waiting";
    this.#mute.disabled = !hasMicrophone;
    this.#mute.toggleAttribute("data-off", muted || !hasMicrophone);
    label(this.#mute, this.#translate(hasMicrophone ? (muted ? "unmute" : "mute") : "noMicrophone"));
    this.#captionsButton.setAttribute("aria-pressed", String(captions));
    label(this.#captionsButton, this.#translate("captions"));
    // The button that had the focus goes: the one in its place takes it.
    if (focused === this.#call && isCalling) this.#hangUp.focus();
    if (focused && focused !== this.#call && !isCalling && this.#controls.contains(focused)) this.#call.focus();
  }

  /**
   * @param {string} name classes
   * @param {StageAction} action
   * @param {Record<string, string>} attributes
   * @param {(Node | string)[]} content
   */
  #button(name, action, attributes, ...content) {
    const button = make("button", { class: name, type: "button", ...attributes }, ...content);
    button.onclick = () => this.#onaction(action);
    return button;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} content
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, attributes, ...content) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/**
 * @param {SVGElement} on
 * @param {SVGElement} off
 */
function marked(on, off) {
  on.classList.add("on");
  off.classList.add("off");
  return [on, off];
}

/**
 * @param {Element} element
 * @param {string} text set only where it differs, so that live regions speak once
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {HTMLElement} button
 * @param {string} words
 */
function label(button, words) {
  button.setAttribute("aria-label", words);
  button.title = words;
}

/** @param {number} seconds */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
