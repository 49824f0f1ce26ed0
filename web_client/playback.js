/** Plays the face and the voice in the page's video element. */

/**
 * @typedef {object} PlaybackListener
 * @property {() => void} onpicture `isLive` has changed
 * @property {() => void} onsound `isBlocked` may have changed
 */

export class Playback {
  /** The browser plays no sound before the person has tapped something. */
  isBlocked = false;
  /** There's a moving picture to show. */
  isLive = false;

  #video;
  #listener;

  /**
   * @param {HTMLVideoElement} video
   * @param {PlaybackListener} listener
   */
  constructor(video, listener) {
    this.#video = video;
    this.#listener = listener;
    video.onplaying = () => this.#setLive(true);
    video.onemptied = () => this.#setLive(false);
  }

  /** @param {boolean} isLive */
  #setLive(isLive) {
    this.isLive = isLive;
    this.#listener.onpicture();
  }

  /** @param {number} volume 0 to 1 */
  set volume(volume) {
    this.#video.volume = volume;
  }

  /**
   * Both in one element, so that the browser keeps lips and voice in sync.
   *
   * @param {MediaStream} stream
   */
  async show(stream) {
    this.#video.srcObject = stream;
    await this.play();
  }

  /** Play with sound; where the browser wants a tap first, show the face silently until then. */
  async play() {
    this.#video.muted = false;
    this.isBlocked = false;
    try {
      await this.#video.play();
    } catch (error) {
      // Any other reason: the call ended meanwhile, and there's nothing to play.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      this.#video.muted = true;
      this.isBlocked = true;
      await this.#video.play().catch(() => {});
    }
    this.#listener.onsound();
  }

  stop() {
    this.isBlocked = false;
    this.#video.srcObject = null;
  }

  /**
   * @param {string} deviceId "" is the system's own
   * @returns {Promise<boolean>} false where that speaker can't be used: the sound stays where it is
   */
  async setSpeaker(deviceId) {
    if (!("setSinkId" in this.#video)) return false;
    try {
      await this.#video.setSinkId(deviceId);
      return true;
    } catch {
      return false;
    }
  }
}
