/** What the person hears at a moment, told by the audio's RTP timestamps. */

const TICKS_PER_MS = 48;
/** Share of a new reading: they come in steps of a packet, and the sum of some dozens has none. */
const SMOOTHING = 0.05;
/** A reading further off, in ms, is no jitter: the sound has jumped. */
const JUMP_MS = 120;
const WRAP_MS = 2 ** 32 / TICKS_PER_MS;

export class HeardClock {
  #receiver;
  /** @type {number | null} RTP time less the page's time, in ms */
  #offsetMs = null;

  /** @param {Pick<RTCRtpReceiver, "getSynchronizationSources">} receiver of the voice */
  constructor(receiver) {
    this.#receiver = receiver;
  }

  /**
   * RTP timestamp, with a fraction, of the sample that is heard now; null before the first one.
   *
   * A sample leaves for the loudspeaker some 20 ms before it is heard, and a picture for the screen about as
   * long before it is seen: the two cancel.
   *
   * @param {number} nowMs on the clock of `performance.now()`
   */
  at(nowMs) {
    const [source] = this.#receiver.getSynchronizationSources();
    if (source?.rtpTimestamp !== undefined) this.#read(source.rtpTimestamp, pageTime(source.timestamp));
    if (this.#offsetMs === null) return null;
    return (((this.#offsetMs + nowMs) % WRAP_MS) + WRAP_MS) % WRAP_MS * TICKS_PER_MS;
  }

  /**
   * @param {number} rtpTimestamp of the samples that left last
   * @param {number} atMs when they did
   */
  #read(rtpTimestamp, atMs) {
    const offsetMs = rtpTimestamp / TICKS_PER_MS - atMs;
    if (this.#offsetMs === null) {
      this.#offsetMs = offsetMs;
      return;
    }
    const off = ((((offsetMs - this.#offsetMs) % WRAP_MS) + 1.5 * WRAP_MS) % WRAP_MS) - WRAP_MS / 2;
    this.#offsetMs += Math.abs(off) > JUMP_MS ? off : SMOOTHING * off;
  }
}

/** @param {number} timestamp since the epoch, as the standard says, or since the page was opened */
function pageTime(timestamp) {
  return timestamp > 1e11 ? timestamp - performance.timeOrigin : timestamp;
}
