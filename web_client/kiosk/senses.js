/** The kiosk's eye and ear: they open camera and microphone, and keep trying where there is none. */

import { Microphone } from "../microphone.js";
import { Loudness } from "./loudness.js";
import { HEIGHT, Presence, WIDTH } from "./presence.js";

const LOOK_EVERY_MS = 200;
const AGAIN_MS = 10_000;

/** Looks whether somebody is there. Its pictures live in one small canvas and are overwritten five times a second. */
export class Eye {
  #onpresence;
  #presence = new Presence();
  #video = document.createElement("video");
  #paper = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true })
  );
  #luma = new Uint8Array(WIDTH * HEIGHT);
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #timer = 0;

  /** @param {(present: boolean | null) => void} onpresence null: there is no camera */
  constructor(onpresence) {
    this.#onpresence = onpresence;
    this.#video.muted = true;
  }

  /** Whether a camera works. */
  get works() {
    return this.#track !== null;
  }

  /** Open a camera; where that fails, or it is pulled, try again by and by. */
  async open() {
    window.clearTimeout(this.#timer);
    try {
      const wishes = { width: { ideal: 160 }, height: { ideal: 120 }, frameRate: { ideal: 5 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video: wishes });
      this.#use(stream);
    } catch {
      this.#lose();
    }
  }

  /** @param {MediaStream} stream */
  #use(stream) {
    this.#track = stream.getVideoTracks()[0] ?? null;
    if (!this.#track) return this.#lose();
    this.#track.onended = () => this.#lose();
    this.#presence.reset();
    this.#video.srcObject = stream;
    void this.#video.play().catch(() => this.#lose());
    this.#look();
  }

  #lose() {
    this.#track?.stop();
    this.#track = null;
    this.#video.srcObject = null;
    this.#onpresence(null);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.open(), AGAIN_MS);
  }

  #look() {
    this.#timer = window.setTimeout(() => this.#look(), LOOK_EVERY_MS);
    if (this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.#paper.drawImage(this.#video, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#paper.getImageData(0, 0, WIDTH, HEIGHT);
    for (let i = 0; i < this.#luma.length; i++) {
      const [red = 0, green = 0, blue = 0] = data.subarray(4 * i, 4 * i + 3);
      this.#luma[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    }
    this.#onpresence(this.#presence.look(this.#luma, performance.now()));
  }
}

/** Holds the microphone, and hears whether somebody speaks nearby. */
export class Ear {
  /** Whether loud sounds are somebody: not while the avatar itself speaks. */
  isAlert = true;

  #listener;
  #loudness = new Loudness();
  #microphone = new Microphone({
    onlevel: (level) => this.#hear(level),
    ontrouble: (trouble) => this.#note(trouble),
  });
  #timer = 0;

  /** @param {{onvoice: () => void, onlevel: (level: number) => void, onchange: () => void}} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** The track for a call; null where no microphone works. */
  get track() {
    return this.#microphone.track;
  }

  /** Open a microphone; where that fails, or it is pulled, try again by and by. */
  async open() {
    window.clearTimeout(this.#timer);
    await this.#microphone.open("");
  }

  /** @param {import("../microphone.js").MicrophoneTrouble | null} trouble */
  #note(trouble) {
    this.#listener.onchange();
    if (!trouble || trouble === "silent") return;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.open(), AGAIN_MS);
  }

  /** @param {number} level */
  #hear(level) {
    this.#listener.onlevel(level);
    if (!this.isAlert) return this.#loudness.reset();
    if (this.#loudness.hear(level, performance.now())) this.#listener.onvoice();
  }
}
