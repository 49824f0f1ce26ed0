/** The settings dialog: devices, volume, picture, shortcuts. */

import { part } from "./view.js";

/** @typedef {import("./preferences.js").Preferences} Preferences */

/**
 * @typedef {object} SettingsListener
 * @property {(deviceId: string) => void} onmicrophone
 * @property {(deviceId: string) => void} onspeaker
 * @property {(volume: number) => void} onvolume 0 to 1
 * @property {(choice: import("./picture.js").PictureChoice) => void} onpicture
 * @property {(on: boolean) => void} onshortcuts
 */

/**
 * @param {string} value
 * @returns {import("./picture.js").PictureChoice} "auto" for what is none
 */
export function pictureChoice(value) {
  return value === "video" || value === "client" || value === "audio" ? value : "auto";
}

export class Settings {
  #dialog = part("settings", HTMLDialogElement);
  #microphones = part("microphones", HTMLSelectElement);
  #speakers = part("speakers", HTMLSelectElement);
  #volume = part("volume", HTMLInputElement);
  #picture = part("picture", HTMLSelectElement);
  #shortcuts = part("shortcuts", HTMLInputElement);
  #level = part("level", HTMLElement);
  #preferences;
  #translate;

  /**
   * @param {Preferences} preferences shown as they are whenever the dialog opens
   * @param {import("./view.js").Translate} translate
   * @param {SettingsListener} listener
   */
  constructor(preferences, translate, listener) {
    this.#preferences = preferences;
    this.#translate = translate;
    this.#microphones.onchange = () => listener.onmicrophone(this.#microphones.value);
    this.#speakers.onchange = () => listener.onspeaker(this.#speakers.value);
    this.#volume.oninput = () => listener.onvolume(this.#volume.valueAsNumber);
    this.#picture.onchange = () => listener.onpicture(pictureChoice(this.#picture.value));
    this.#shortcuts.onchange = () => listener.onshortcuts(this.#shortcuts.checked);
    this.#dialog.onclick = (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    };
    part("speaker-field", HTMLElement).hidden = !("setSinkId" in HTMLMediaElement.prototype);
    navigator.mediaDevices?.addEventListener("devicechange", () => {
      if (this.#dialog.open) void this.#listDevices("");
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Again is harmless. */
  close() {
    this.#dialog.close();
  }

  /** @param {string | null} microphoneInUse null when none is open: then there's no level to show */
  async open(microphoneInUse) {
    this.#volume.valueAsNumber = this.#preferences.volume;
    this.#picture.value = pictureChoice(this.#preferences.picture);
    this.#shortcuts.checked = this.#preferences.shortcuts;
    this.#level.hidden = microphoneInUse === null;
    this.#dialog.showModal();
    await this.#listDevices(microphoneInUse ?? "");
  }

  /** @param {string} microphoneInUse */
  async #listDevices(microphoneInUse) {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const { microphone, speaker } = this.#preferences;
    this.#fill(this.#microphones, devices, "audioinput", microphoneInUse || microphone);
    this.#fill(this.#speakers, devices, "audiooutput", speaker);
  }

  /**
   * @param {HTMLSelectElement} select
   * @param {MediaDeviceInfo[]} devices
   * @param {MediaDeviceKind} kind
   * @param {string} chosen
   */
  #fill(select, devices, kind, chosen) {
    const options = [new Option(this.#translate("systemDefault"), "")];
    for (const device of devices) {
      // Before the microphone was allowed, devices have neither names nor ids.
      const isNamed = device.kind === kind && device.deviceId !== "" && device.deviceId !== "default";
      if (isNamed) options.push(new Option(device.label, device.deviceId));
    }
    select.replaceChildren(...options);
    select.value = options.some((option) => option.value === chosen) ? chosen : "";
  }
}
