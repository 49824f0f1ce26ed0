/** What the kiosk's page asks of the service on its own machine. */

/**
 * @typedef {object} KioskConfig
 * @property {string[]} languages
 * @property {number} volume
 * @property {number} idle_s
 * @property {number} countdown_s
 * @property {number} choose_s
 * @property {number} longest_visit_s
 * @property {number} invite_every_s
 * @property {number} speak_every_s
 * @property {number} beat_every_s
 * @property {boolean} camera
 * @property {boolean} voice
 * @property {boolean} has_pin
 */

/**
 * @typedef {object} Beat
 * @property {string} screen
 * @property {boolean} occupied
 * @property {number} frames
 * @property {number} errors
 * @property {number} heap_mb
 * @property {number} visits
 * @property {boolean} camera
 * @property {boolean} microphone
 */

/** @typedef {"page" | "browser" | "service"} KioskPart */

const TIMEOUT_MS = 5_000;

/** The service refused. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {number} retryAfterS
   */
  constructor(status, retryAfterS) {
    super(`refused: ${status}`);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

export class KioskApi {
  /** Of staff; gone with the page. */
  #token = "";

  /** @returns {Promise<KioskConfig>} */
  config() {
    return this.#ask("GET", "config");
  }

  /**
   * @param {Beat} beat
   * @returns {Promise<{reload: string, ready: boolean}>} why to reload, or ""; whether calls can be taken
   */
  beat(beat) {
    return this.#ask("POST", "beat", beat);
  }

  /** Have the service forget the visitors that were here. */
  wiped() {
    this.#token = "";
    return this.#ask("POST", "wiped");
  }

  /** @param {string} pin @throws {Refused} 403 where it is wrong, 429 where it was not looked at */
  async enter(pin) {
    const { token } = await this.#ask("POST", "staff", { pin });
    this.#token = token;
  }

  /** @param {object} choices as docs/kiosk.md lists them */
  choose(choices) {
    return this.#ask("PUT", "choices", choices);
  }

  /** @param {KioskPart} part */
  restart(part) {
    return this.#ask("POST", "restart", { part });
  }

  /** @returns {Promise<any>} as `GET /v1/kiosk/status` */
  diagnostics() {
    return this.#ask("GET", "diagnostics");
  }

  /**
   * @param {"GET" | "POST" | "PUT"} method
   * @param {string} path
   * @param {object} [body]
   * @throws {Refused}
   */
  async #ask(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json" };
    if (this.#token) headers["Authorization"] = `Bearer ${this.#token}`;
    const response = await fetch(`/v1/kiosk/${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Refused(response.status, Number(response.headers.get("Retry-After")) || 0);
    return response.status === 204 ? null : response.json();
  }
}
