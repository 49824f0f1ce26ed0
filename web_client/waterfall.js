/** Shows how long each answer took, stage by stage, and how lips and voice keep together. Behind a key and a button. */

import { median } from "./median.js";
import { Skew } from "./skew.js";
import { timeline } from "./timeline.js";
import { part } from "./view.js";

/** @typedef {import("./timeline.js").Timeline} Timeline */
/** @typedef {import("./timeline.js").Row} Row */
/** @typedef {import("./strings.js").StringKey} StringKey */
/** @typedef {import("./view.js").Translate} Translate */

const READ_EVERY_MS = 500;
/** Of so many last answers, that were heard and that nothing kept waiting, the median is shown. */
const REMEMBERED = 20;
/** The scale of the skew meter goes so far to either side, in ms; the middle is what nobody notices. */
const SKEW_SCALE_MS = 100;
const SKEW_GOOD_MS = 20;
/** The axis ends at a multiple of this, in ms. */
const AXIS_STEP_MS = 100;

/** @type {Record<Row["name"], StringKey>} */
const ROW_TEXT = {
  turn_ended: "rowTurnEnded",
  final_transcript: "rowTranscript",
  llm_first_token: "rowToken",
  first_clause: "rowClause",
  tts_first_audio: "rowVoice",
  first_sound: "rowSound",
  first_face_frame: "rowFace",
};

/** @type {Record<Timeline["actions"][number], StringKey>} */
const ACTION_TEXT = {
  short_first_clause: "actionClause",
  opener: "actionOpener",
  smaller_face: "actionFace",
  smaller_model: "actionModel",
};

/** @type {Record<NonNullable<Timeline["excused"]>, StringKey>} */
const EXCUSE_TEXT = { held: "excusedHeld", tool: "excusedTool" };

export class Waterfall {
  #translate;
  #stats;
  #panel = part("latency", HTMLElement);
  #toggle = part("latency-toggle", HTMLButtonElement);
  #total = part("latency-total", HTMLElement);
  #median = part("latency-median", HTMLElement);
  #empty = part("latency-empty", HTMLElement);
  #table = part("latency-table", HTMLTableElement);
  #rows = part("latency-rows", HTMLElement);
  #chips = part("latency-chips", HTMLElement);
  #meter = part("skew", HTMLElement);
  #skewWords = part("skew-words", HTMLElement);
  #skew = new Skew();
  /** @type {number[]} */
  #totals = [];
  /** @type {Timeline | null} */
  #last = null;
  #reading = 0;

  /**
   * @param {Translate} translate in the language of the moment
   * @param {() => Promise<RTCStatsReport | null>} stats of the call under way
   */
  constructor(translate, stats) {
    this.#translate = translate;
    this.#stats = stats;
    this.#toggle.onclick = () => this.toggle();
    part("latency-close", HTMLButtonElement).onclick = () => this.#close();
  }

  /** @param {import("./protocol.js").ServerEvent} event every event of the server */
  hear(event) {
    if (event.type === "session.created") this.#forget();
    if (event.type === "session.updated") this.#render(); // Its language may be another.
    const answer = event.type === "avatar.timeline" ? timeline(event) : null;
    if (!answer) return;
    this.#last = answer;
    if (answer.isHeard && !answer.excused) this.#totals = [...this.#totals, answer.totalMs].slice(-REMEMBERED);
    this.#render();
  }

  toggle() {
    if (this.#panel.hidden) this.#open();
    else this.#hide();
  }

  /** A new call. */
  #forget() {
    this.#totals = [];
    this.#last = null;
    this.#skew = new Skew();
    this.#render();
  }

  #render() {
    const last = this.#last;
    this.#empty.hidden = last !== null;
    this.#table.hidden = last === null;
    this.#total.textContent = last ? ms(last.totalMs) : "";
    const middle = median(this.#totals);
    this.#median.textContent =
      middle === null ? "" : this.#translate("latencyMedian", { ms: Math.round(middle), count: this.#totals.length });
    if (!last) {
      this.#rows.replaceChildren();
      this.#chips.replaceChildren();
      return;
    }
    const longest = Math.max(...last.rows.map(({ endMs, limitMs }) => Math.max(endMs, limitMs)));
    const axisMs = AXIS_STEP_MS * Math.ceil(longest / AXIS_STEP_MS);
    this.#rows.replaceChildren(...last.rows.map((row) => this.#row(row, axisMs)));
    this.#chips.replaceChildren(...this.#noted(last).map((words) => element("li", "", words)));
  }

  #open() {
    this.#panel.hidden = false;
    this.#toggle.setAttribute("aria-expanded", "true");
    this.#render();
    this.#reading = window.setInterval(() => this.#readSkew(), READ_EVERY_MS);
    void this.#readSkew();
  }

  #hide() {
    this.#panel.hidden = true;
    this.#toggle.setAttribute("aria-expanded", "false");
    window.clearInterval(this.#reading);
  }

  /** The button that was pressed goes: the keyboard's place is where it was opened. */
  #close() {
    this.#hide();
    this.#toggle.focus();
  }

  /**
   * @param {Row} row
   * @param {number} axisMs
   */
  #row(row, axisMs) {
    const bar = element("i", "bar");
    bar.style.setProperty("--from", String(row.startMs / axisMs));
    bar.style.setProperty("--to", String(row.endMs / axisMs));
    const target = element("i", "target");
    target.style.setProperty("--at", String(row.targetMs / axisMs));
    const track = element("td", "track");
    track.append(bar, target);
    const time = element("td", "time", ms(row.endMs));
    const verdict = row.verdict === "onTime" ? "rowOnTime" : row.verdict === "over" ? "rowOver" : "rowLate";
    time.append(element("span", "visually-hidden", `, ${this.#translate(verdict, { ms: row.targetMs })}`));
    const name = element("th", "", this.#translate(ROW_TEXT[row.name]));
    name.setAttribute("scope", "row");
    const line = element("tr", row.verdict);
    line.append(name, track, time);
    return line;
  }

  /** @param {Timeline} last */
  #noted({ headStartMs, actions, excused }) {
    const begun = headStartMs ? [this.#translate("latencyDraft", { ms: headStartMs })] : [];
    const done = actions.map((action) => this.#translate(ACTION_TEXT[action]));
    return [...begun, ...done, ...(excused ? [this.#translate(EXCUSE_TEXT[excused])] : [])];
  }

  async #readSkew() {
    if (document.hidden) return;
    const skewMs = this.#skew.read(document.body.dataset.shown === "video" ? await this.#stats() : null);
    this.#meter.dataset.verdict = skewMs === null ? "" : Math.abs(skewMs) <= SKEW_GOOD_MS ? "onTime" : "over";
    const held = Math.max(-SKEW_SCALE_MS, Math.min(SKEW_SCALE_MS, skewMs ?? 0));
    this.#meter.style.setProperty("--skew", String(held / SKEW_SCALE_MS));
    const isDrawn = document.body.dataset.shown === "client";
    const early = skewMs === null ? (isDrawn ? "skewDrawn" : "skewUnknown") : skewMs < 0 ? "skewLate" : "skewEarly";
    this.#skewWords.textContent = this.#translate(early, { ms: Math.abs(Math.round(skewMs ?? 0)) });
  }
}

/** @param {number} value */
function ms(value) {
  return `${Math.round(value)} ms`;
}

/**
 * @param {string} tag
 * @param {string} name class
 * @param {string} [words]
 */
function element(tag, name, words = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = words;
  return made;
}
