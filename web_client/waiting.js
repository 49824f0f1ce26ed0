/** Waiting before a call: for the server's models, and in line for a place. */

import { pause } from "./call.js";
import { Problem } from "./problem.js";

/** @typedef {import("./problem.js").Standing} Standing */
/** @typedef {import("./signalling.js").Signalling} Signalling */

const READY_EVERY_MS = 2_000;
/** The server forgives two that are lost. */
const STANDING_EVERY_MS = 3_000;

/**
 * Call, again and again while the server is still loading its models or has no place.
 *
 * @param {Signalling} signalling
 * @param {AbortSignal} signal
 * @param {(ticket: string) => Promise<void>} callOnce the ticket is of a place that is ready, or ""
 * @param {(standing: Standing | null) => void} onwait null: for the models
 * @returns {Promise<void>} when the call is over
 */
export async function throughTheLine(signalling, signal, callOnce, onwait) {
  let ticket = "";
  for (;;) {
    await untilReady(signalling, signal, () => onwait(null));
    try {
      return await callOnce(ticket);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "queued" && error.standing) ticket = await untilPlace(signalling, error.standing, signal, onwait);
      else if (error.code === "ticket_expired" && ticket) ticket = "";
      else if (error.code === "not_ready") await pause(READY_EVERY_MS, signal);
      else throw error;
    }
  }
}

/**
 * @param {Signalling} signalling
 * @param {AbortSignal} signal
 * @param {() => void} onwait
 * @returns {Promise<void>} when the models are loaded
 * @throws {Problem} unreachable
 */
async function untilReady(signalling, signal, onwait) {
  while (!(await signalling.isReady(signal))) {
    onwait();
    await pause(READY_EVERY_MS, signal);
  }
}

/**
 * Wait in line; whoever aborts leaves it.
 *
 * @param {Signalling} signalling
 * @param {Standing} standing so far
 * @param {AbortSignal} signal
 * @param {(standing: Standing) => void} onwait
 * @returns {Promise<string>} the ticket, for which a place is kept a short while; "" if it is none any more
 */
async function untilPlace(signalling, standing, signal, onwait) {
  const { ticket } = standing;
  try {
    while (!standing.isReady) {
      onwait(standing);
      await pause(STANDING_EVERY_MS, signal);
      standing = await askAgain(signalling, standing, signal);
    }
    return ticket;
  } catch (error) {
    if (signal.aborted) await signalling.leaveLine(ticket).catch(() => {}); // It runs out of time by itself.
    if (error instanceof Problem && error.code === "ticket_expired") return "";
    throw error;
  }
}

/**
 * @param {Signalling} signalling
 * @param {Standing} standing
 * @param {AbortSignal} signal
 * @returns {Promise<Standing>} as before while the server can't be reached
 */
async function askAgain(signalling, standing, signal) {
  try {
    return await signalling.standing(standing.ticket, signal);
  } catch (error) {
    if (error instanceof Problem && error.code === "unreachable") return standing;
    throw error;
  }
}
