/** Waiting before a call: for the server's models, and in line for a place. */

import { pause } from "./call.js";
import { Problem } from "./problem.js";

/** @typedef {import("./problem.js").Standing} Standing */
/** @typedef {import("./signalling.js").Signalling} Signalling */

export const READY_EVERY_MS = 2_000;
/** The server forgives two that are lost. */
const STANDING_EVERY_MS = 3_000;

/**
 * @param {Signalling} signalling
 * @param {AbortSignal} signal
 * @param {() => void} onwait
 * @returns {Promise<void>} when the models are loaded
 * @throws {Problem} unreachable
 */
export async function untilReady(signalling, signal, onwait) {
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
export async function untilPlace(signalling, standing, signal, onwait) {
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
