/** Being recorded: asked before the call, shown during it, and ended at any time. */

import { isRecorded } from "./protocol.js";
import { part } from "./view.js";

export class Recording {
  #translate;
  #consent = part("consent", HTMLElement);
  #checkbox = part("consent-given", HTMLInputElement);
  #words = part("consent-words", HTMLElement);
  #mark = part("recorded", HTMLButtonElement);
  #status = part("recording-status", HTMLElement);
  #keepDays = 0;
  #isOn = false;
  #wasWithdrawn = false;

  /**
   * @param {import("./view.js").Translate} translate in the language of the moment
   * @param {() => void} onwithdraw the person wants it stopped and deleted
   */
  constructor(translate, onwithdraw) {
    this.#translate = translate;
    this.#mark.onclick = () => {
      this.#wasWithdrawn = true;
      this.#checkbox.checked = false;
      onwithdraw();
    };
  }

  /** @param {unknown} keepDays for how long the server keeps recordings; anything but a number: it makes none */
  offer(keepDays) {
    this.#keepDays = typeof keepDays === "number" ? keepDays : 0;
    this.render();
  }

  /** Whether the person has agreed. Nobody has before they said so, on this page and since it was opened. */
  get isAgreedTo() {
    return this.#keepDays > 0 && this.#checkbox.checked;
  }

  /** @param {import("./protocol.js").ServerEvent} event of the server, which alone knows whether it records */
  hear(event) {
    if (event.type !== "session.created" && event.type !== "session.updated") return;
    this.#isOn = isRecorded(event);
    this.render();
  }

  /** The connection is gone. */
  leave() {
    this.#isOn = this.#wasWithdrawn = false;
    this.render();
  }

  render() {
    this.#consent.hidden = this.#keepDays === 0;
    this.#words.textContent = this.#translate("recordingConsent", { days: this.#keepDays });
    this.#mark.hidden = !this.#isOn;
    this.#mark.setAttribute("aria-label", `${this.#translate("recording")}: ${this.#translate("recordingStop")}`);
    this.#mark.title = this.#translate("recordingStop");
    const status = this.#isOn ? "recordingOn" : this.#wasWithdrawn ? "recordingDeleted" : null;
    const words = status ? this.#translate(status) : "";
    if (this.#status.textContent !== words) this.#status.textContent = words;
  }
}
