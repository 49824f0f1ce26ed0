/**
 * When a page wants less than video, and when it wants video again. Pure: it is told each second of a call.
 *
 * Short of bandwidth, a face that is drawn here needs a two-hundredth of it; where it can't be drawn, sound
 * alone goes on. Drawing that is too slow is given up for good.
 */

/** @typedef {import("./protocol.js").FaceMode} FaceMode */

/**
 * @typedef {object} Second what happened in one second
 * @property {FaceMode} mode in effect
 * @property {number} lost share of the packets of picture and sound, 0 to 1
 * @property {number} dropped share of the pictures that came too late to be shown
 * @property {number | null} drawnFps pictures drawn here; null while nothing is drawn
 */

const SHORT_LOST = 0.08;
const SHORT_DROPPED = 0.5;
const EASY_LOST = 0.02;
const SLOW_FPS = 12;
/** So many bad seconds, not made up for by as many good ones. */
const DOWN_AFTER_S = 4;
const UP_AFTER_S = 20;
const UP_AFTER_LIMIT_S = 240;
/** Video that lasts no longer was tried too early. */
const TOO_EARLY_S = 30;
/** After a change of mode nothing counts for so long: what was under way is still counted. */
const SETTLE_S = 3;

export class PicturePolicy {
  /** The network does not carry video. */
  isShort = false;
  /** This device draws too slowly. */
  isSlow = false;

  /** @type {FaceMode | null} */
  #mode = null;
  #settling = 0;
  #bad = 0;
  #slow = 0;
  #easy = 0;
  #upAfter = UP_AFTER_S;
  /** @type {number | null} seconds since video was tried again */
  #sinceUp = null;

  /** @param {Second} second */
  observe(second) {
    if (second.mode !== this.#mode) {
      this.#mode = second.mode;
      this.#settling = SETTLE_S;
      this.#slow = 0;
    }
    if (this.#settling > 0) {
      this.#settling -= 1;
      return;
    }
    this.#observeDrawing(second);
    if (this.isShort) this.#observeShort(second);
    else this.#observeVideo(second);
  }

  /**
   * What to ask the server for.
   *
   * @param {boolean} canDraw
   * @returns {FaceMode}
   */
  wish(canDraw) {
    if (!this.isShort) return "video";
    return canDraw && !this.isSlow ? "client" : "audio";
  }

  /** @param {Second} second */
  #observeDrawing({ drawnFps }) {
    if (drawnFps === null) return;
    this.#slow = drawnFps < SLOW_FPS ? this.#slow + 1 : Math.max(0, this.#slow - 1);
    if (this.#slow >= DOWN_AFTER_S) this.isSlow = true;
  }

  /** @param {Second} second */
  #observeVideo({ mode, lost, dropped }) {
    if (this.#sinceUp !== null) this.#sinceUp += 1;
    if (this.#sinceUp !== null && this.#sinceUp > TOO_EARLY_S) {
      this.#sinceUp = null;
      this.#upAfter = UP_AFTER_S;
    }
    const isBad = mode === "video" && (lost > SHORT_LOST || dropped > SHORT_DROPPED);
    this.#bad = isBad ? this.#bad + 1 : Math.max(0, this.#bad - 1);
    if (this.#bad < DOWN_AFTER_S) return;
    if (this.#sinceUp !== null) this.#upAfter = Math.min(UP_AFTER_LIMIT_S, 2 * this.#upAfter);
    this.isShort = true;
    this.#sinceUp = null;
    this.#easy = this.#bad = 0;
  }

  /** @param {Second} second */
  #observeShort({ lost }) {
    this.#easy = lost <= EASY_LOST ? this.#easy + 1 : 0;
    if (this.#easy < this.#upAfter) return;
    this.isShort = false;
    this.#sinceUp = 0;
  }
}
