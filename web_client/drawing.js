/** The face drawn here: poses in, pictures on a canvas, in time with the sound. */

import { HeardClock } from "./heard.js";
import { PoseQueue } from "./poses.js";

/** @typedef {import("./poses.js").Pose} Pose */

/**
 * @typedef {object} FaceView what `face/face.js` gives
 * @property {(pose: Pose) => void} show
 * @property {() => void} close
 */

/** Exports `FaceView`, whose `attach(canvas, url)` resolves to what is typed above; loaded only when a face is to be drawn. */
const FACE_MODULE = "./face/face.js";
const FPS_EVERY_MS = 1_000;

export class Drawing {
  /** The first picture since `start` is there. @type {() => void} */
  onfirst = () => {};
  /** Drawing is over: the browser took the graphics context away. @type {() => void} */
  onlost = () => {};

  #canvas;
  #view;
  #poses = new PoseQueue();
  /** @type {HeardClock | null} null while nothing is drawn */
  #clock = null;
  #frame = 0;
  #drawn = 0;
  #countedMs = 0;
  #hasFirst = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {FaceView} view
   */
  constructor(canvas, view) {
    this.#canvas = canvas;
    this.#view = view;
    canvas.addEventListener("webglcontextlost", this.#lose);
  }

  /**
   * Load a face and make ready to draw it.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {string} url of the face's folder, with a slash at its end
   * @returns {Promise<Drawing | null>} null where it can't be drawn: no WebGL, or a face of a kind not known
   */
  static async open(canvas, url) {
    try {
      const { FaceView } = await import(FACE_MODULE);
      return new Drawing(canvas, await FaceView.attach(canvas, url));
    } catch (error) {
      console.warn("The face can't be drawn here.", error);
      return null;
    }
  }

  /** @param {unknown} message of the pose channel */
  take(message) {
    this.#poses.take(message);
  }

  /** @param {RTCRtpReceiver} voice whose sound the pictures follow */
  start(voice) {
    this.stop();
    this.#clock = new HeardClock(voice);
    this.#hasFirst = false;
    this.#countedMs = performance.now();
    this.#drawn = 0;
    this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  /** Keep the last picture, and draw no more until `start`. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#clock = null;
    this.#poses.clear();
  }

  /** Pictures a second since the last call; null while nothing is drawn, or too little time has passed. */
  fps() {
    const passedMs = performance.now() - this.#countedMs;
    if (!this.#clock || !this.#hasFirst || passedMs < FPS_EVERY_MS / 2) return null;
    const fps = (1000 * this.#drawn) / passedMs;
    this.#countedMs += passedMs;
    this.#drawn = 0;
    return fps;
  }

  /** Free what drawing took. */
  close() {
    this.stop();
    this.#canvas.removeEventListener("webglcontextlost", this.#lose);
    this.#view.close();
  }

  #lose = () => this.onlost();

  /** @param {number} now */
  #draw(now) {
    if (!this.#clock) return;
    this.#frame = requestAnimationFrame((next) => this.#draw(next));
    const heard = this.#clock.at(now);
    const pose = heard === null ? null : this.#poses.at(heard);
    if (!pose) return;
    this.#view.show(pose);
    this.#drawn += 1;
    if (this.#hasFirst) return;
    this.#hasFirst = true;
    this.#countedMs = now;
    this.onfirst();
  }
}
