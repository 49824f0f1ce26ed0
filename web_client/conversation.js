/** Shows a transcript as a log. */

import { sentence, speaker } from "./captions.js";
import { part } from "./view.js";

/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {import("./strings.js").Translate} Translate */

/** A reader who scrolled up further than this is reading: new lines don't pull them down. */
const NEAR_END_PX = 48;

export class ConversationView {
  #log = part("log", HTMLElement);
  #list = part("lines", HTMLOListElement);
  #empty = part("empty", HTMLElement);
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  /** Whether the newest words are to stay in sight. */
  #follows = true;
  #scrolledTo = 0;
  #translate;

  /** @param {Translate} translate */
  constructor(translate) {
    this.#translate = translate;
    this.#log.onscroll = () => this.#scrolled();
    // A notice or the latency takes of its height; and before a call that goes on it has none.
    new ResizeObserver(() => this.#follow()).observe(this.#log);
  }

  /**
   * @param {Line} line
   * @param {"added" | "changed" | "removed"} change
   */
  show(line, change) {
    if (change === "removed") {
      this.#rows.get(line.id)?.remove();
      this.#rows.delete(line.id);
    } else {
      this.#row(line);
    }
    this.#empty.hidden = this.#rows.size > 0;
    this.#follow();
  }

  /**
   * Write the lines anew, after a change of language.
   *
   * @param {readonly Line[]} lines
   */
  relabel(lines) {
    for (const line of lines) this.#row(line);
    this.#follow();
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    this.#follows = true;
  }

  #follow() {
    if (!this.#follows) return;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrolledTo = this.#log.scrollTop;
  }

  /** The event comes late: the end may have moved away meanwhile, and only who went up is reading. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#follows = true;
    else if (scrollTop < this.#scrolledTo) this.#follows = false;
    this.#scrolledTo = scrollTop;
  }

  /** @param {Line} line */
  #row(line) {
    let row = this.#rows.get(line.id);
    if (!row) {
      row = document.createElement("li");
      this.#rows.set(line.id, row);
      this.#list.append(row);
    }
    row.className = `line ${line.who}`;
    row.classList.toggle("interim", line.who === "person" && !line.isFinal);
    row.classList.toggle("cut", line.isCut);
    row.replaceChildren(...this.#words(line));
  }

  /** @param {Line} line */
  #words(line) {
    const words = span("words", sentence(line, this.#translate));
    if (line.who === "note") return [words];
    const who = span("who", speaker(line, this.#translate));
    return line.isCut ? [who, words, span("tag", this.#translate("interrupted"))] : [who, words];
  }
}

/**
 * @param {string} name class
 * @param {string} words
 */
function span(name, words) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = words;
  return element;
}
