/** The words on the face, and the finished ones for screen readers. */

/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {import("./strings.js").Translate} Translate */

const CAPTION_STAYS_MS = 6_000;
const ANNOUNCED_LINES = 20;

/** @type {Record<Exclude<Line["note"], "">, import("./strings.js").StringKey>} */
const NOTES = { reconnected: "noteReconnected", goingOn: "noteGoingOn", unheard: "noteUnheard", error: "noteError" };

/**
 * @param {Line} line
 * @param {Translate} translate
 */
export function sentence(line, translate) {
  return line.text || (line.note ? translate(NOTES[line.note]) : "");
}

/**
 * @param {Line} line
 * @param {Translate} translate
 */
export function speaker(line, translate) {
  return translate(line.who === "person" ? "you" : "avatar");
}

export class Captions {
  #caption;
  #words;
  #announcer;
  #translate;
  #isWanted = true;
  #shown = "";
  #timer = 0;

  /**
   * @param {{caption: HTMLElement, words: HTMLElement, announcer: HTMLElement}} places
   * @param {Translate} translate
   */
  constructor({ caption, words, announcer }, translate) {
    this.#caption = caption;
    this.#words = words;
    this.#announcer = announcer;
    this.#translate = translate;
  }

  /** @param {boolean} wanted on the face; screen readers are told the words in any case */
  set isWanted(wanted) {
    this.#isWanted = wanted;
    if (!wanted) this.hide();
  }

  /**
   * @param {Line} line
   * @param {"added" | "changed" | "removed"} change
   */
  show(line, change) {
    if (change === "removed") {
      if (this.#shown === line.id) this.hide();
      return;
    }
    if (this.#isWanted && line.who !== "note") this.#show(line);
    if (line.isFinal) this.#announce(line); // Who sees no captions may need to be told the words all the more.
  }

  hide() {
    window.clearTimeout(this.#timer);
    this.#shown = "";
    this.#caption.hidden = true;
  }

  clear() {
    this.hide();
    this.#announcer.replaceChildren();
  }

  /** @param {Line} line */
  #show(line) {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.hide(), CAPTION_STAYS_MS);
    this.#shown = line.id;
    this.#caption.dataset.who = line.who;
    const words = line.isCut ? `${line.text} —` : line.text;
    if (line.who === "person") {
      const who = document.createElement("span");
      who.className = "who";
      who.textContent = this.#translate("you");
      this.#words.replaceChildren(who, ` ${words}`);
    } else {
      this.#words.replaceChildren(words);
    }
    this.#caption.hidden = false;
  }

  /** @param {Line} line */
  #announce(line) {
    const said = document.createElement("p");
    const words = sentence(line, this.#translate);
    said.textContent = line.who === "note" ? words : `${speaker(line, this.#translate)}: ${words}`;
    this.#announcer.append(said);
    while (this.#announcer.childElementCount > ANNOUNCED_LINES) this.#announcer.firstElementChild?.remove();
  }
}
