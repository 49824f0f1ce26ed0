/**
 * What keeps a call from starting or going on.
 *
 *     insecure        the page is not on https or localhost, so the browser gives no microphone
 *     unsupported     this browser has no WebRTC
 *     unreachable     the server does not answer
 *     not_ready       the server still loads its models
 *     server_full     every place is taken; `retryAfterS` says when to try again
 *     unauthorized    the server wants a key, or another one
 *     refused         the server said no; `detail` is its sentence
 *     resume_expired  the conversation that was to go on is forgotten
 *     no_route        signalling worked, but audio and video found no way (a firewall)
 *     lost            a call that ran was cut off
 *
 * @typedef {"insecure" | "unsupported" | "unreachable" | "not_ready" | "server_full" | "unauthorized" | "refused"
 *   | "resume_expired" | "no_route" | "lost"} ProblemCode
 */

/** An expected failure of a call. */
export class Problem extends Error {
  /**
   * @param {ProblemCode} code
   * @param {{retryAfterS?: number, detail?: string}} [more]
   */
  constructor(code, { retryAfterS = 0, detail = "" } = {}) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    /** Seconds the server asks to wait; 0 when it didn't say. */
    this.retryAfterS = retryAfterS;
    /** A sentence of the server's for a person, or "". */
    this.detail = detail;
  }
}
