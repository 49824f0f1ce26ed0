/** Measures a microphone: its level for the eye, and whether it gives any sound at all. */

const MEASURE_EVERY_MS = 60;
/** Full scale of the meter: speech near a laptop peaks around here. */
const LOUD = 0.35;
/** -54 dBFS peak: below the noise of any working microphone that is being talked into. */
const FIRST_SOUND = 0.002;
const SILENT_AFTER_MS = 6_000;

/**
 * @typedef {object} MeterListener
 * @property {(level: number) => void} onlevel 0 to 1, about 16 times a second
 * @property {(isSilent: boolean) => void} onsilence true after six seconds without the first sound; false at it
 */

export class Meter {
  #context = new AudioContext();
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(1024);
  #track;
  #listener;
  #timer;
  #quietMs = 0;
  #isDecided = false;

  /**
   * @param {MediaStreamTrack} track
   * @param {MeterListener} listener
   */
  constructor(track, listener) {
    this.#track = track;
    this.#listener = listener;
    this.#analyser.fftSize = this.#samples.length;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
    document.addEventListener("visibilitychange", this.#wake);
    this.#timer = window.setInterval(() => this.#measure(), MEASURE_EVERY_MS);
  }

  // iOS suspends it during a phone call, and leaves it so.
  #wake = () => {
    if (document.visibilityState === "visible" && this.#context.state !== "running") void this.#context.resume();
  };

  close() {
    document.removeEventListener("visibilitychange", this.#wake);
    window.clearInterval(this.#timer);
    void this.#context.close();
  }

  #measure() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    this.#listener.onlevel(Math.min(1, Math.sqrt(peak / LOUD)));
    if (!this.#isDecided) this.#awaitFirstSound(peak);
  }

  /** @param {number} peak */
  #awaitFirstSound(peak) {
    if (peak > FIRST_SOUND) {
      this.#isDecided = true;
      this.#listener.onsilence(false);
    } else if (this.#track.enabled && this.#context.state === "running") {
      const before = this.#quietMs;
      this.#quietMs += MEASURE_EVERY_MS;
      if (before < SILENT_AFTER_MS && this.#quietMs >= SILENT_AFTER_MS) this.#listener.onsilence(true);
    }
  }
}
