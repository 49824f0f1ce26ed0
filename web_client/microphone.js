/** The person's microphone: opening and choosing it, muting, and what is wrong with it in one word. */

import { Meter } from "./meter.js";

/**
 * @typedef {"denied" | "none" | "busy" | "silent" | "unplugged"} MicrophoneTrouble
 *   `silent`: open, unmuted, and not one sound since; `unplugged`: it was there and is gone
 */

/**
 * @typedef {object} MicrophoneListener
 * @property {(level: number) => void} onlevel 0 to 1, about 16 times a second
 * @property {(trouble: MicrophoneTrouble | null) => void} ontrouble null: it works (again)
 */

export class Microphone {
  muted = false;

  #listener;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {Meter | null} */
  #meter = null;
  /** Rises with each opening and closing: a device that comes after it is given back. */
  #turn = 0;

  /** @param {MicrophoneListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** The track to send, or null while none is open. */
  get track() {
    return this.#track;
  }

  /** Id of the device in use, or null while none is open. */
  get deviceId() {
    return this.#track ? (this.#track.getSettings().deviceId ?? "") : null;
  }

  /**
   * Open a microphone in place of the one before; where that fails, the one before stays. `close` ends the opening too.
   *
   * @param {string} deviceId "" lets the browser choose
   */
  async open(deviceId) {
    /** @type {MediaTrackConstraints} */
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    // `ideal`: a device that was remembered but is gone must not fail the call.
    if (deviceId) audio.deviceId = { ideal: deviceId };
    const turn = ++this.#turn;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio });
      if (turn === this.#turn) this.#use(stream.getAudioTracks()[0] ?? null);
      else for (const track of stream.getTracks()) track.stop();
    } catch (error) {
      if (turn === this.#turn) this.#listener.ontrouble(troubleOf(error));
    }
  }

  toggleMute() {
    if (!this.#track) return;
    this.muted = !this.muted;
    this.#track.enabled = !this.muted;
    this.#listener.onlevel(0);
  }

  /** Let go of the device, and of the muting. */
  close() {
    this.#turn += 1;
    this.muted = false;
    this.#use(null);
  }

  /** @param {MediaStreamTrack | null} track */
  #use(track) {
    this.#meter?.close();
    this.#meter = null;
    if (this.#track) {
      this.#track.onended = null;
      this.#track.stop();
    }
    this.#track = track;
    this.#listener.onlevel(0);
    this.#listener.ontrouble(null);
    if (!track) return;
    track.enabled = !this.muted;
    track.onended = () => {
      this.muted = false;
      this.#use(null);
      this.#listener.ontrouble("unplugged");
    };
    this.#meter = new Meter(track, {
      onlevel: (level) => this.#listener.onlevel(level),
      onsilence: (isSilent) => this.#listener.ontrouble(isSilent ? "silent" : null),
    });
  }
}

/**
 * @param {unknown} error of getUserMedia
 * @returns {"denied" | "none" | "busy"}
 */
function troubleOf(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "none";
}

/** Whether the person has allowed the microphone before; false where the browser doesn't tell. */
export async function isMicrophoneAllowed() {
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ ("microphone") });
    return permission.state === "granted";
  } catch {
    return false;
  }
}
