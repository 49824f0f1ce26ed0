/**
 * What keeps a call from starting or going on.
 *
 *     insecure        the page is not on https or localhost, so the browser gives no microphone
 *     unsupported     this browser has no WebRTC
 *     unreachable     the server does not answer
 *     not_ready       the server still loads its models
 *     server_full     every place is taken; `retryAfterS` says when to try again
 *     queued          every place is taken; `standing` says where one stands in line
 *     ticket_expired  the place in line is gone, for nobody asked for it in time
 *     unauthorized    the server wants a key, or another one
 *     refused         the server said no; `detail` is its sentence
 *     resume_expired  the conversation that was to go on is forgotten
 *     no_route        signalling worked, but audio and video found no way (a firewall)
 *     lost            a call that ran was cut off
 *
 * @typedef {"insecure" | "unsupported" | "unreachable" | "not_ready" | "server_full" | "queued" | "ticket_expired"
 *   | "unauthorized" | "refused" | "resume_expired" | "no_route" | "lost"} ProblemCode
 */

/** @typedef {{ticket: string, isReady: boolean, place: number, waitS: number}} Standing in line; `place` 1 is next */

/** An expected failure of a call. */
export class Problem extends Error {
  /**
   * @param {ProblemCode} code
   * @param {{retryAfterS?: number, detail?: string, standing?: Standing | null}} [more]
   */
  constructor(code, { retryAfterS = 0, detail = "", standing = null } = {}) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    /** Seconds the server asks to wait; 0 when it didn't say. */
    this.retryAfterS = retryAfterS;
    /** A sentence of the server's for a person, or "". */
    this.detail = detail;
    /** Where one waits, if `queued`. */
    this.standing = standing;
  }
}
