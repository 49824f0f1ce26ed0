/**
 * What phones ask of a page that holds calls. Most are rules of iOS Safari, coded from its documentation and
 * WebKit's source; none was tried on a device. The rest of them is where it belongs: `playsinline` in stage.js,
 * `pagehide` in element.js, 16 px fields (smaller ones make Safari zoom in) and safe areas in style.css.
 */

/**
 * Safari's Audio Session API, which no other browser has.
 *
 * @typedef {{type: "auto" | "play-and-record"}} AudioSession
 */

export class Phone {
  #video;
  /** @type {WakeLockSentinel | null} */
  #awake = null;
  #isCalling = false;

  /** @param {HTMLVideoElement} video that plays the face and the voice */
  constructor(video) {
    this.#video = video;
  }

  /** A call begins: within the press that asked for it, and before anything is awaited. */
  begin() {
    this.#isCalling = true;
    // Rule: a media element may play with sound later if it was loaded or played within a gesture once.
    if (!this.#video.srcObject) this.#video.load();
    // Rule: without a type, capturing may send the voice to the earpiece, and the ring switch may silence it.
    this.#setSession("play-and-record");
    document.addEventListener("visibilitychange", this.#comeBack);
    void this.#stayAwake();
  }

  /** The call is over; again is harmless. */
  end() {
    this.#isCalling = false;
    this.#setSession("auto");
    document.removeEventListener("visibilitychange", this.#comeBack);
    void this.#awake?.release();
    this.#awake = null;
  }

  #comeBack = () => {
    if (document.visibilityState !== "visible") return;
    // Rule: a phone call, Siri or another app pauses the element, and nobody but the page starts it again.
    if (this.#video.paused && this.#video.srcObject) void this.#video.play().catch(() => {});
    // Rule: the lock is taken away whenever the page is hidden.
    void this.#stayAwake();
  };

  async #stayAwake() {
    try {
      const awake = (await navigator.wakeLock?.request("screen")) ?? null;
      if (this.#isCalling) this.#awake = awake;
      else await awake?.release();
    } catch {
      // Low battery, or hidden already: the screen goes dark as it always does.
    }
  }

  /** @param {AudioSession["type"]} type */
  #setSession(type) {
    const { audioSession } = /** @type {{audioSession?: AudioSession}} */ (/** @type {unknown} */ (navigator));
    if (audioSession) audioSession.type = type;
  }
}
