/** The HTTP side of docs/protocol.md. */

import { Problem } from "./problem.js";
import { session, text, object } from "./protocol.js";

/**
 * @typedef {object} AvatarConfig
 * @property {string} name
 * @property {string} disclosure a sentence that says that this is an AI
 * @property {string[]} languages
 * @property {string} language the server's default
 * @property {RTCIceServer[]} ice_servers
 * @property {{name: string, url: string}} [face] that this page may draw
 * @property {{keep_days: number} | null} [recording] set where the server records calls whose person agrees
 */

const HTTP_TIMEOUT_MS = 10_000;
const DEFAULT_RETRY_AFTER_S = 10;

export class Signalling {
  #base;

  /** @param {string} base origin of the server; "" is the page's own */
  constructor(base) {
    this.#base = base;
  }

  /**
   * @returns {Promise<AvatarConfig>}
   * @throws {Problem} unreachable, or as the server answers
   */
  async config() {
    const response = await this.#request("/v1/avatar/config");
    return response.json().catch(() => {
      throw new Problem("unreachable"); // Something else answers in the server's place, such as a Wi-Fi login page.
    });
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} whether the models are loaded
   * @throws {Problem} unreachable
   */
  async isReady(signal) {
    try {
      await this.#request("/v1/health/ready", { signal });
      return true;
    } catch (error) {
      if (error instanceof Problem && error.code === "not_ready") return false;
      throw error;
    }
  }

  /**
   * Offer a call.
   *
   * @param {string} offer SDP with every candidate in it
   * @param {string} language
   * @param {boolean} mayRecord whether the person agrees to being recorded
   * @param {AbortSignal} signal
   * @returns {Promise<{id: string, answer: string}>}
   * @throws {Problem} server_full, not_ready, refused, unreachable
   */
  async call(offer, language, mayRecord, signal) {
    const body = new FormData();
    body.set("sdp", offer);
    body.set("session", JSON.stringify(session(language, mayRecord)));
    const response = await this.#request("/v1/realtime/calls", { method: "POST", body, signal });
    const id = response.headers.get("Location")?.split("/").pop() ?? "";
    return { id, answer: await response.text() };
  }

  /**
   * End a call; survives the page being closed.
   *
   * @param {string} id
   */
  hangUp(id) {
    navigator.sendBeacon(`${this.#base}/v1/realtime/calls/${encodeURIComponent(id)}/hangup`);
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  async #request(path, { signal, ...init } = {}) {
    const limits = [AbortSignal.timeout(HTTP_TIMEOUT_MS), ...(signal ? [signal] : [])];
    let response;
    try {
      response = await fetch(this.#base + path, { ...init, cache: "no-store", signal: AbortSignal.any(limits) });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem("unreachable");
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

/** @param {Response} response */
async function problemOf(response) {
  if (response.status === 429) {
    const seconds = Number(response.headers.get("Retry-After"));
    return new Problem("server_full", { retryAfterS: seconds > 0 ? seconds : DEFAULT_RETRY_AFTER_S });
  }
  if (response.status === 503) return new Problem("not_ready");
  // A proxy in front of the server answers these while the server is down.
  if (response.status === 502 || response.status === 504) return new Problem("unreachable");
  const body = await response.json().catch(() => null);
  return new Problem("refused", { detail: text(object(body, "error"), "message") });
}
