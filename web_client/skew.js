/** Whether lips and voice are played together, by the browser's own account. */

import { median } from "./median.js";

/** So many readings, half a second apart, are one value: single ones scatter by a picture's length. */
const READINGS = 9;
/** Further off is no skew: one of the two has not played yet, or has stopped. */
const BELIEVED_MS = 1_000;

export class Skew {
  /** @type {number[]} */
  #readings = [];

  /**
   * Median of the last readings in ms; positive when the sound is early; null while nothing is known.
   *
   * @param {RTCStatsReport | null} report
   */
  read(report) {
    const skewMs = report && skewOf(report);
    if (skewMs === null) this.#readings = [];
    else this.#readings = [...this.#readings, skewMs].slice(-READINGS);
    return median(this.#readings);
  }
}

/**
 * One reading in ms; positive when the sound is early; null where it isn't known.
 *
 * `estimatedPlayoutTimestamp` is what is played of a track now, on the sender's clock, so of two tracks of
 * one stream the difference is how far they are apart. Browsers other than Chromium may not tell it.
 *
 * @param {RTCStatsReport} report
 */
export function skewOf(report) {
  /** @type {Record<string, unknown>} */
  const playedMs = {};
  report.forEach((entry) => {
    if (entry.type === "inbound-rtp") playedMs[entry.kind] = entry.estimatedPlayoutTimestamp;
  });
  const { audio, video } = playedMs;
  if (typeof audio !== "number" || typeof video !== "number") return null;
  return Math.abs(audio - video) > BELIEVED_MS ? null : audio - video;
}
