/** Consent to being recorded: asked before the call, and again before the next one. */

import { part } from "./view.js";

export class Recording {
  #translate;
  #consent = part("consent", HTMLElement);
  #checkbox = part("consent-given", HTMLInputElement);
  #words = part("consent-words", HTMLElement);
  #keepDays = 0;

  /**
   * @param {import("./strings.js").Translate} translate in the language of the moment
   * @param {(isGiven: boolean) => void} onconsent
   */
  constructor(translate, onconsent) {
    this.#translate = translate;
    this.#checkbox.onchange = () => onconsent(this.#checkbox.checked);
  }

  /** @param {unknown} keepDays for how long the server keeps recordings; anything but a number: it makes none */
  offer(keepDays) {
    this.#keepDays = typeof keepDays === "number" ? keepDays : 0;
  }

  /** @param {boolean} isGiven nobody has agreed before they said so, on this page and since it was opened */
  render(isGiven) {
    this.#consent.hidden = this.#keepDays === 0;
    this.#checkbox.checked = isGiven;
    this.#words.textContent = this.#translate("recordingConsent", { days: this.#keepDays });
  }
}
