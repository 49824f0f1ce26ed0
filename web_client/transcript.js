/** The words of a conversation, put together from the server's events. Knows nothing of the page. */

import { isGoingOn } from "./going_on.js";
import { object, text, typedText } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */

/**
 * @typedef {object} Line
 * @property {string} id the conversation item's, or one of our own for a note
 * @property {"person" | "avatar" | "note"} who
 * @property {string} text a note's text is a sentence of the server's, or "" where `note` says it all
 * @property {"reconnected" | "goingOn" | "unheard" | "error" | ""} note what a note is about
 * @property {boolean} isFinal false while words may still change
 * @property {boolean} isCut the avatar was interrupted here
 */

/** @typedef {(line: Line, change: "added" | "changed" | "removed") => void} TranscriptListener */

export class Transcript {
  /** @type {Line[]} in the order in which they began */
  lines = [];

  #onchange;
  /** @type {Map<string, Line>} */
  #byId = new Map();
  /** @type {Set<string>} answers' items, by the response that made them, that are still open */
  #open = new Set();
  #utterance = "";
  #committed = new Set();
  #notes = 0;
  #brokenOff = "";

  /** @param {TranscriptListener} onchange */
  constructor(onchange) {
    this.#onchange = onchange;
  }

  /** @param {ServerEvent} event any; those without words are passed over */
  apply(event) {
    const id = text(event, "item_id");
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        return this.#startUtterance(id);
      case "avatar.input_transcript.interim":
        return this.#hear(id, text(event, "text"), false);
      case "input_audio_buffer.committed":
        return void this.#committed.add(id);
      case "conversation.item.input_audio_transcription.completed":
        return this.#hear(id, text(event, "transcript"), true);
      case "conversation.item.input_audio_transcription.failed":
        this.#remove(id);
        return this.note("unheard");
      case "conversation.item.added":
        return this.#addTyped(object(event, "item"));
      case "response.output_audio_transcript.delta":
        return this.#speak(id, text(event, "delta"));
      case "avatar.opener":
      case "avatar.cover":
        return this.#precede(text(event, "event_id"), text(event, "text"));
      case "conversation.item.truncated":
        return this.#cut(id, text(event, "avatar_heard"));
      case "response.output_audio_transcript.done":
        return this.#finish(id, text(event, "transcript"));
      case "response.done":
        return this.#finishAll();
      case "error":
        return this.#fail(object(event, "error"));
    }
  }

  /**
   * Begin with the lines of an earlier page.
   *
   * @param {readonly Line[]} lines
   */
  restore(lines) {
    this.#notes = lines.length; // More than any note's number.
    for (const line of lines) {
      if (isUnfinished(line)) this.#breakOff(line);
      else this.#put({ ...line, isFinal: true });
    }
  }

  /**
   * Put a remark between the lines.
   *
   * @param {"reconnected" | "goingOn" | "unheard" | "error"} note
   * @param {string} [words]
   */
  note(note, words = "") {
    this.#notes += 1;
    this.#put({ ...blank(`note-${this.#notes}`, "note"), text: words, note, isFinal: true });
  }

  /** The connection is gone: nothing that is open can change any more. */
  close() {
    this.#remove(this.#utterance, { onlyInterim: true });
    for (const line of this.lines.filter(isUnfinished)) this.#breakOff(line);
    this.#open.clear();
  }

  /** @returns {string} the words of an answer that the lost connection broke off; once */
  takeBrokenOff() {
    const words = this.#brokenOff;
    this.#brokenOff = "";
    return words;
  }

  /** @param {Line} line */
  #breakOff(line) {
    this.#brokenOff = line.text;
    this.#put({ ...line, isFinal: true, isCut: true });
  }

  /** @param {Record<string, unknown>} error */
  #fail(error) {
    // Stopped just as it ended: the person has what they wanted.
    if (error["code"] !== "response_cancel_not_active") this.note("error", text(error, "message"));
  }

  /** @param {string} id */
  #startUtterance(id) {
    // A cough or an "uh-huh" starts an utterance that never ends: its words go when the next one starts.
    if (!this.#committed.has(this.#utterance)) this.#remove(this.#utterance, { onlyInterim: true });
    this.#utterance = id;
  }

  /**
   * @param {string} id
   * @param {string} words
   * @param {boolean} isFinal
   */
  #hear(id, words, isFinal) {
    if (!id || this.#byId.get(id)?.isFinal) return;
    if (!words.trim()) return isFinal ? this.#remove(id) : undefined;
    this.#put({ ...blank(id, "person"), text: words.trim(), isFinal });
  }

  /** @param {{[field: string]: unknown}} item */
  #addTyped(item) {
    const words = typedText(item);
    const id = text(item, "id");
    if (words && id && !isGoingOn(id)) this.#put({ ...blank(id, "person"), text: words, isFinal: true });
  }

  /**
   * @param {string} id
   * @param {string} delta
   */
  #speak(id, delta) {
    const line = this.#byId.get(id) ?? blank(id, "avatar");
    if (!id || !delta || line.isFinal) return;
    this.#open.add(id);
    this.#put({ ...line, text: join(line.text, delta) });
  }

  /**
   * Words that are heard before an answer, and are no part of it.
   *
   * @param {string} event that told of them
   * @param {string} words
   */
  #precede(event, words) {
    if (words.trim()) this.#put({ ...blank(`opener-${event}`, "avatar"), text: words.trim(), isFinal: true });
  }

  /**
   * @param {string} id
   * @param {string} heard
   */
  #cut(id, heard) {
    this.#open.delete(id);
    const line = this.#byId.get(id);
    if (!heard.trim()) return this.#remove(id);
    this.#put({ ...(line ?? blank(id, "avatar")), text: heard.trim(), isFinal: true, isCut: true });
  }

  /**
   * @param {string} id
   * @param {string} words
   */
  #finish(id, words) {
    const line = this.#byId.get(id);
    if (!line || line.isFinal) return;
    this.#open.delete(id);
    this.#put({ ...line, text: words.trim() || line.text, isFinal: true });
  }

  #finishAll() {
    for (const id of [...this.#open]) this.#finish(id, "");
  }

  /** @param {Line} line */
  #put(line) {
    const old = this.#byId.get(line.id);
    this.#byId.set(line.id, line);
    if (old) this.lines[this.lines.indexOf(old)] = line;
    else this.lines.push(line);
    this.#onchange(line, old ? "changed" : "added");
  }

  /**
   * @param {string} id
   * @param {{onlyInterim?: boolean}} [options]
   */
  #remove(id, { onlyInterim = false } = {}) {
    const line = this.#byId.get(id);
    if (!line || (onlyInterim && line.isFinal)) return;
    this.#byId.delete(id);
    this.lines.splice(this.lines.indexOf(line), 1);
    this.#onchange(line, "removed");
  }
}

/** @param {Line} line whether it's an answer that is not over */
function isUnfinished(line) {
  return line.who === "avatar" && !line.isFinal;
}

/**
 * @param {string} id
 * @param {Line["who"]} who
 * @returns {Line}
 */
function blank(id, who) {
  return { id, who, text: "", note: "", isFinal: false, isCut: false };
}

/**
 * Deltas carry their own spaces, as OpenAI's do; a clause that comes without one after a full stop gets it.
 *
 * @param {string} before
 * @param {string} delta
 */
function join(before, delta) {
  const needsSpace = /[.,;:!?…]$/.test(before) && /^[\p{L}¿¡]/u.test(delta);
  return before + (needsSpace ? " " : "") + delta;
}
