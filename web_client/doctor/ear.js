/** Listens to a microphone for the doctor: how loud, whether it clips, how much of one tone is in it. */

/** About 43 ms at 48 kHz. */
const WINDOW = 2048;
const EVERY_MS = 20;
/** A sample this near to full scale was probably cut off. */
const CLIPPED = 0.985;

/**
 * @typedef {object} Heard
 * @property {number} peak 0 to 1
 * @property {number} clipped samples at full scale in the loudest window
 * @property {number} loudMs for how long there was speech or another sound well above silence
 */

export class Ear {
  #analyser;
  #source;
  #samples = new Float32Array(WINDOW);
  #rate;

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   */
  constructor(context, stream) {
    this.#rate = context.sampleRate;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = WINDOW;
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  close() {
    this.#source.disconnect();
  }

  /**
   * Listen until enough was heard, or the time is over.
   *
   * @param {number} limitMs
   * @param {(level: number, heard: Heard) => boolean} onlevel 0 to 1; returns whether that is enough
   * @returns {Promise<Heard>}
   */
  listen(limitMs, onlevel) {
    const heard = { peak: 0, clipped: 0, loudMs: 0 };
    const began = performance.now();
    return new Promise((resolve) => {
      const timer = window.setInterval(() => {
        const { peak, clipped } = this.#look();
        heard.peak = Math.max(heard.peak, peak);
        heard.clipped = Math.max(heard.clipped, clipped);
        if (peak > 0.02) heard.loudMs += EVERY_MS;
        const isEnough = onlevel(Math.min(1, Math.sqrt(peak / 0.35)), heard);
        if (!isEnough && performance.now() - began < limitMs) return;
        window.clearInterval(timer);
        resolve(heard);
      }, EVERY_MS);
    });
  }

  /**
   * @param {number} hz
   * @returns {number} amplitude of the tone in the sound of this moment, 0 to 1 (Goertzel's algorithm)
   */
  tone(hz) {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const turn = 2 * Math.cos((2 * Math.PI * hz) / this.#rate);
    let last = 0;
    let before = 0;
    this.#samples.forEach((sample, i) => {
      // A Hann window, so that what is not the tone does not leak into it.
      const next = sample * (1 - Math.cos((2 * Math.PI * i) / WINDOW)) + turn * last - before;
      before = last;
      last = next;
    });
    const power = last * last + before * before - turn * last * before;
    return (2 * Math.sqrt(Math.max(0, power))) / WINDOW;
  }

  #look() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    let clipped = 0;
    for (const sample of this.#samples) {
      const size = Math.abs(sample);
      if (size > peak) peak = size;
      if (size >= CLIPPED) clipped += 1;
    }
    return { peak, clipped };
  }
}
