/** What a tab remembers of its call, so that a reload does not end it: until it is hung up or the tab is closed. */

/** @typedef {import("./transcript.js").Line} Line */
/** @typedef {{token: string, lastsMs: number, seenMs: number, lines: Line[]}} Remembered `seenMs`: since the epoch */

export class Memory {
  #key;
  /** @type {Remembered | null} */
  #kept = null;

  /** @param {string} key in this tab's sessionStorage; "" remembers nothing */
  constructor(key) {
    this.#key = key;
  }

  /** @param {{token: string, lastsMs: number}} resumption what the call can be gone on with from now on */
  keep({ token, lastsMs }) {
    this.#kept = { lines: [], ...this.#kept, token, lastsMs, seenMs: Date.now() };
    this.#write();
  }

  /** @param {readonly Line[]} lines said so far; left out while there is nothing to go on with */
  note(lines) {
    if (!this.#kept) return;
    this.#kept = { ...this.#kept, lines: [...lines], seenMs: Date.now() };
    this.#write();
  }

  /** The call is over. */
  forget() {
    this.#kept = null;
    try {
      if (this.#key) sessionStorage.removeItem(this.#key);
    } catch {
      // Storage is blocked: there is nothing in it.
    }
  }

  /** @returns {Remembered | null} a call that may still be gone on with; a tab that was restored days later has none */
  recall() {
    try {
      const kept = JSON.parse((this.#key && sessionStorage.getItem(this.#key)) || "null");
      const isOne = typeof kept?.token === "string" && Array.isArray(kept.lines) && kept.lines.every(isLine);
      this.#kept = isOne && Date.now() - kept.seenMs < kept.lastsMs ? kept : null;
      return this.#kept;
    } catch {
      return null; // Storage is blocked or holds something else.
    }
  }

  #write() {
    try {
      if (this.#key) sessionStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Storage is blocked or full: the call does not survive a reload.
    }
  }
}

/** @param {unknown} line */
function isLine(line) {
  const { id, who, text } = /** @type {Partial<Line>} */ (line ?? {});
  return typeof id === "string" && typeof text === "string" && (who === "person" || who === "avatar" || who === "note");
}
