/**
 * The picture of a call: video, a face drawn here, or only the poster; by choice and by itself.
 *
 * The server has the last word (`avatar.face.updated`), and what is on the page changes once the new picture
 * is there, so that nothing flashes. An open pose channel tells the server that this page can draw.
 */

import { Drawing } from "./drawing.js";
import { hasGraphicsHardware } from "./graphics.js";
import { LinkStats } from "./link_stats.js";
import { PicturePolicy } from "./picture_policy.js";
import { faceUpdated, faceUrl } from "./protocol.js";

/** @typedef {import("./protocol.js").FaceMode} FaceMode */
/** @typedef {import("./protocol.js").FaceReason} FaceReason */
/** @typedef {"auto" | FaceMode} PictureChoice */

/**
 * @typedef {object} PictureState
 * @property {FaceMode} shown what is on the page
 * @property {FaceMode} mode what the server gives
 * @property {FaceReason} reason
 */

const OBSERVE_EVERY_MS = 1_000;
/** The call comes first: a face that may be needed later is loaded after so long. */
const PRELOAD_AFTER_MS = 3_000;
/** A picture that does not come is not waited for any longer. */
const NEXT_PICTURE_LIMIT_MS = 2_500;
/** As style.css has it: until then the old picture is still in sight. */
const FADE_MS = 400;

export class Picture {
  /** @type {PictureState} */
  state = { shown: "video", mode: "video", reason: "chosen" };

  #video;
  #canvas;
  #onchange;
  /** @type {PictureChoice} */
  #choice;
  #server = "";
  #url = "";
  /** @type {import("./call.js").Call | null} */
  #call = null;
  /** @type {Promise<Drawing | null> | null} */
  #opening = null;
  /** @type {Drawing | null} */
  #drawing = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  #policy = new PicturePolicy();
  #link = new LinkStats();
  /** @type {FaceMode} */
  #asked = "video";
  #observing = 0;
  #preloading = 0;
  /** Rises with each change, so that what an older one waits for is ignored. */
  #turn = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas over it
   * @param {PictureChoice} choice
   * @param {() => void} onchange `state` has changed
   */
  constructor(video, canvas, choice, onchange) {
    this.#video = video;
    this.#canvas = canvas;
    this.#choice = choice;
    this.#onchange = onchange;
  }

  /** @param {PictureChoice} choice from now on */
  choose(choice) {
    this.#choice = choice;
    this.#policy = new PicturePolicy();
    if (this.#call) this.#ask("chosen");
  }

  /**
   * @param {import("./call.js").Call} call that is connected
   * @param {string} server its origin; "" is the page's own
   */
  join(call, server) {
    this.leave();
    this.#call = call;
    this.#server = server;
    this.#policy = new PicturePolicy();
    this.#link = new LinkStats();
    this.#ask("chosen");
    this.#observing = window.setInterval(() => this.#observe(), OBSERVE_EVERY_MS);
    this.#preloading = window.setTimeout(() => this.#preload(), PRELOAD_AFTER_MS);
  }

  /** The connection is gone. Again is harmless. */
  leave() {
    window.clearInterval(this.#observing);
    window.clearTimeout(this.#preloading);
    this.#turn += 1;
    this.#call = null;
    this.#stopDrawing();
    this.#set({ shown: "video", mode: "video", reason: "chosen" });
  }

  /** @param {import("./protocol.js").ServerEvent} event every event of the server */
  hear(event) {
    if (event.type === "session.created") {
      const path = faceUrl(event);
      this.#url = path && this.#server + path;
      if (this.#asked === "client") void this.#openDrawing(); // It could not be before.
    }
    if (event.type !== "avatar.face.updated") return;
    const update = faceUpdated(event);
    if (!update) return;
    this.#set(update);
    void this.#change(update.mode);
  }

  /** @param {FaceReason} reason */
  #ask(reason) {
    const isAutomatic = this.#choice === "auto";
    this.#asked = this.#choice === "auto" ? this.#policy.wish(this.#channel !== null) : this.#choice;
    this.#call?.showFace(this.#asked, isAutomatic, reason);
    if (this.#asked === "client") void this.#openDrawing();
  }

  #preload() {
    if (this.#choice === "auto" && !this.#policy.isSlow && hasGraphicsHardware()) void this.#openDrawing();
  }

  async #observe() {
    const report = document.hidden ? null : await this.#call?.stats();
    if (!report || !this.#call) return;
    const { isShort, isSlow } = this.#policy;
    const drawnFps = this.#drawing?.fps() ?? null;
    this.#policy.observe({ mode: this.state.mode, drawnFps, ...this.#link.read(report) });
    if (this.#policy.isSlow && !isSlow) this.#stopDrawing();
    if (this.#choice !== "auto") return;
    if (this.#policy.wish(this.#channel !== null) === this.#asked) return;
    this.#ask(this.#policy.isShort && !isShort ? "network" : this.#policy.isSlow && !isSlow ? "drawing" : "recovered");
  }

  // ---- What is on the page ----

  /** @param {FaceMode} mode of the server, from now on */
  async #change(mode) {
    const turn = ++this.#turn;
    const { shown } = this.state;
    if (mode === "client") {
      const drawing = await this.#openDrawing();
      if (turn !== this.#turn) return;
      const voice = this.#call?.voice;
      if (!drawing || !voice) return;
      drawing.onfirst = () => turn === this.#turn && this.#set({ shown: "client" });
      if (shown === "client") return;
      drawing.start(voice);
      return;
    }
    if (mode === "video" && shown !== "video") await this.#nextPicture();
    if (turn !== this.#turn) return;
    this.#set({ shown: mode });
    await new Promise((resolve) => window.setTimeout(resolve, FADE_MS));
    if (turn === this.#turn) this.#drawing?.stop();
  }

  /** @returns {Promise<void>} when the video has shown another picture, or should have */
  #nextPicture() {
    return new Promise((resolve) => {
      window.setTimeout(resolve, NEXT_PICTURE_LIMIT_MS);
      this.#video.requestVideoFrameCallback(() => resolve());
    });
  }

  /** @returns {Promise<Drawing | null>} ready to draw, with its channel open; null if it can't be */
  async #openDrawing() {
    if (this.#drawing) return this.#drawing;
    const call = this.#call;
    if (!call || !this.#url) return null;
    this.#opening ??= Drawing.open(this.#canvas, this.#url);
    const drawing = await this.#opening;
    this.#opening = null;
    if (this.#drawing) return this.#drawing;
    if (!drawing || this.#call !== call) {
      drawing?.close();
      return null;
    }
    drawing.onlost = () => this.#stopDrawing();
    this.#drawing = drawing;
    this.#channel = call.openPoses((message) => drawing.take(message));
    return drawing;
  }

  /** Closing the channel tells the server that this page can't draw any more. */
  #stopDrawing() {
    this.#channel?.close();
    this.#channel = null;
    this.#drawing?.close();
    this.#drawing = null;
  }

  /** @param {Partial<PictureState>} change */
  #set(change) {
    this.state = { ...this.state, ...change };
    this.#onchange();
  }
}
