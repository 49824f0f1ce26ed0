/** Shows a transcript: as a log, as the caption on the face, and to screen readers (finished lines only). */

import { part } from "./view.js";

/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {import("./view.js").Translate} Translate */

const CAPTION_STAYS_MS = 6_000;
const ANNOUNCED_LINES = 20;
/** A reader who scrolled up further than this is reading: new lines don't pull them down. */
const NEAR_END_PX = 48;

/** @type {Record<Exclude<Line["note"], "">, import("./strings.js").StringKey>} */
const NOTES = { reconnected: "noteReconnected", unheard: "noteUnheard", error: "noteError" };

export class ConversationView {
  #log = part("log", HTMLElement);
  #list = part("lines", HTMLOListElement);
  #empty = part("empty", HTMLElement);
  #caption = part("caption", HTMLElement);
  #captionWords = part("caption-words", HTMLElement);
  #announcer = part("announcer", HTMLElement);
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  #captioned = "";
  #captionTimer = 0;

  /** Whether captions are wanted. */
  captions = true;

  /** @param {Translate} translate */
  constructor(translate) {
    this.translate = translate;
  }

  /**
   * @param {Line} line
   * @param {"added" | "changed" | "removed"} change
   */
  show(line, change) {
    const follows = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR_END_PX;
    if (change === "removed") {
      this.#rows.get(line.id)?.remove();
      this.#rows.delete(line.id);
      if (this.#captioned === line.id) this.#hideCaption();
    } else {
      this.#row(line);
      this.#showCaption(line);
      if (line.isFinal && this.captions) this.#announce(line);
    }
    this.#empty.hidden = this.#rows.size > 0;
    if (follows) this.#log.scrollTop = this.#log.scrollHeight;
  }

  /**
   * Write the lines anew, after a change of language.
   *
   * @param {readonly Line[]} lines
   */
  relabel(lines) {
    this.#hideCaption();
    for (const line of lines) this.#row(line);
  }

  /** @param {boolean} wanted */
  setCaptions(wanted) {
    this.captions = wanted;
    if (!wanted) this.#hideCaption();
  }

  clear() {
    this.#hideCaption();
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#announcer.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Take the caption off the face; the log stays. */
  end() {
    this.#hideCaption();
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
    const words = span("words", this.#sentence(line));
    if (line.who === "note") return [words];
    const who = span("who", this.#speaker(line));
    return line.isCut ? [who, words, span("tag", this.translate("interrupted"))] : [who, words];
  }

  /** @param {Line} line */
  #speaker(line) {
    return line.who === "person" ? this.translate("you") : this.translate("avatar");
  }

  /** @param {Line} line */
  #sentence(line) {
    return line.text || (line.note ? this.translate(NOTES[line.note]) : "");
  }

  /** @param {Line} line */
  #showCaption(line) {
    if (!this.captions || line.who === "note") return;
    window.clearTimeout(this.#captionTimer);
    this.#captionTimer = window.setTimeout(() => this.#hideCaption(), CAPTION_STAYS_MS);
    this.#captioned = line.id;
    this.#caption.dataset.who = line.who;
    const words = line.isCut ? `${line.text} —` : line.text;
    if (line.who === "person") this.#captionWords.replaceChildren(span("who", this.translate("you")), ` ${words}`);
    else this.#captionWords.replaceChildren(words);
    this.#caption.hidden = false;
  }

  #hideCaption() {
    window.clearTimeout(this.#captionTimer);
    this.#captioned = "";
    this.#caption.hidden = true;
  }

  /** @param {Line} line */
  #announce(line) {
    const said = document.createElement("p");
    said.textContent = line.who === "note" ? this.#sentence(line) : `${this.#speaker(line)}: ${line.text}`;
    this.#announcer.append(said);
    while (this.#announcer.childElementCount > ANNOUNCED_LINES) this.#announcer.firstElementChild?.remove();
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
