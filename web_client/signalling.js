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
 * @property {{admitted: boolean}} [access] who shows no key where one is required is not told the ICE servers
 */

/** @typedef {() => string | Promise<string>} ClientSecret gives a short-lived secret, made by the app's own server; "": none */

/**
 * @typedef {object} Offer
 * @property {string} sdp with every candidate in it
 * @property {import("./protocol.js").Wishes} wishes
 * @property {number} [limitMs] how long the answer may take
 */

/** @typedef {import("./problem.js").Standing} Standing */

const HTTP_TIMEOUT_MS = 10_000;
const DEFAULT_RETRY_AFTER_S = 10;
/** One secret does for the requests that belong together; the shortest-lived ones last 10 s. */
const SECRET_KEPT_MS = 5_000;

export class Signalling {
  #base;
  #clientSecret;
  /** @type {{given: Promise<string>, atMs: number} | null} */
  #secret = null;

  /**
   * @param {string} base origin of the server; "" is the page's own
   * @param {ClientSecret} [clientSecret] for a server that asks for one
   */
  constructor(base, clientSecret = () => "") {
    this.#base = base;
    this.#clientSecret = clientSecret;
  }

  /** @param {string} path of the server's @returns {string} the same for this page */
  url(path) {
    return this.#base + path;
  }

  /**
   * @returns {Promise<AvatarConfig>}
   * @throws {Problem} unreachable, or as the server answers
   */
  async config() {
    const headers = await this.#authorization(); // without it a server that asks for one names no relay
    const response = await this.#request("/v1/avatar/config", { headers });
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
   * @param {Offer} offer
   * @param {AbortSignal} signal
   * @returns {Promise<{id: string, answer: string}>}
   * @throws {Problem} server_full, queued, ticket_expired, not_ready, resume_expired, unauthorized, refused, unreachable
   */
  async call({ sdp, wishes, limitMs }, signal) {
    const body = new FormData();
    body.set("sdp", sdp);
    body.set("session", JSON.stringify(session(wishes)));
    const headers = await this.#authorization();
    const response = await this.#request("/v1/realtime/calls", { method: "POST", body, headers, signal, limitMs });
    if (response.status === 202) throw new Problem("queued", { standing: standingOf(await response.json()) });
    const id = response.headers.get("Location")?.split("/").pop() ?? "";
    return { id, answer: await response.text() };
  }

  /**
   * End a call; survives the page being closed.
   *
   * @param {string} id
   * @param {boolean} forGood false lets the server keep the conversation for a while
   */
  hangUp(id, forGood) {
    const path = `/v1/realtime/calls/${encodeURIComponent(id)}/hangup`;
    navigator.sendBeacon(this.#base + path + (forGood ? "" : "?resume=true"));
  }

  /**
   * Where one stands in line; asking keeps the place in it.
   *
   * @param {string} ticket
   * @param {AbortSignal} signal
   * @returns {Promise<Standing>}
   * @throws {Problem} ticket_expired, or as the server answers
   */
  async standing(ticket, signal) {
    const headers = await this.#authorization();
    const response = await this.#request(`/v1/realtime/queue/${encodeURIComponent(ticket)}`, { headers, signal });
    return standingOf(await response.json());
  }

  /**
   * Wait no longer.
   *
   * @param {string} ticket
   */
  async leaveLine(ticket) {
    const headers = await this.#authorization();
    const path = `/v1/realtime/queue/${encodeURIComponent(ticket)}`;
    await this.#request(path, { method: "DELETE", headers, keepalive: true });
  }

  /** @returns {Promise<Record<string, string>>} */
  async #authorization() {
    const nowMs = performance.now();
    if (!this.#secret || nowMs - this.#secret.atMs > SECRET_KEPT_MS) {
      this.#secret = { given: Promise.resolve().then(this.#clientSecret), atMs: nowMs };
    }
    try {
      const secret = await this.#secret.given;
      return secret ? { Authorization: `Bearer ${secret}` } : {};
    } catch (error) {
      throw new Problem("unauthorized", { detail: error instanceof Error ? error.message : "" });
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit & {limitMs?: number | undefined}} [init]
   */
  async #request(path, { signal, limitMs = HTTP_TIMEOUT_MS, ...init } = {}) {
    const limits = [AbortSignal.timeout(limitMs), ...(signal ? [signal] : [])];
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

/**
 * @param {unknown} body
 * @returns {Standing}
 */
function standingOf(body) {
  const { place, expected_wait_s: waitS } = object({ body }, "body");
  const number = (/** @type {unknown} */ value) => (typeof value === "number" ? value : 0);
  return { ticket: text(body, "ticket"), isReady: text(body, "status") === "ready", place: number(place), waitS: number(waitS) };
}

/** @param {Response} response */
async function problemOf(response) {
  if (response.status === 503) return new Problem("not_ready");
  // A proxy in front of the server answers these while the server is down.
  if (response.status === 502 || response.status === 504) return new Problem("unreachable");
  const error = object(await response.json().catch(() => null), "error");
  const detail = text(error, "message");
  const code = text(error, "code");
  if (response.status === 429) {
    const seconds = Number(response.headers.get("Retry-After"));
    const retryAfterS = seconds > 0 ? seconds : DEFAULT_RETRY_AFTER_S;
    return new Problem("server_full", { retryAfterS, detail: code === "server_full" ? "" : detail });
  }
  if (response.status === 410) return new Problem(code === "ticket_expired" ? code : "resume_expired", { detail });
  // How to show a key is for programmers: a person at the page can't.
  if (response.status === 401) return new Problem("unauthorized");
  if (response.status === 403) return new Problem("unauthorized", { detail });
  return new Problem("refused", { detail });
}
