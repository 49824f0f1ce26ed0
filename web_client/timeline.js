/** Reads `avatar.timeline`: how long an answer took, stage by stage, and what was done about it. */

import { object } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {"onTime" | "over" | "late"} Verdict within the target; within the limit; beyond it */

const ROWS = /** @type {const} */ ([
  "turn_ended",
  "final_transcript",
  "llm_first_token",
  "first_clause",
  "tts_first_audio",
  "first_sound",
  "first_face_frame",
]);
const ACTIONS = /** @type {const} */ (["short_first_clause", "opener", "smaller_face", "smaller_model"]);
const EXCUSES = /** @type {const} */ (["held", "tool"]);

/** @typedef {typeof ROWS[number]} RowName */
/** @typedef {typeof ACTIONS[number]} Action */
/** @typedef {typeof EXCUSES[number]} Excuse */

/**
 * @typedef {object} Row all in ms after the last speech sample
 * @property {RowName} name
 * @property {number} startMs where its own time begins
 * @property {number} endMs
 * @property {number} targetMs
 * @property {number} limitMs
 * @property {Verdict} verdict
 */

/**
 * @typedef {object} Timeline
 * @property {Row[]} rows in the order of the stages
 * @property {number} totalMs the last of them
 * @property {boolean} isHeard whether the answer was heard
 * @property {number} headStartMs by how much the answer was begun before the turn was over
 * @property {Action[]} actions
 * @property {Excuse | null} excused why its being late says nothing of the machine
 */

/**
 * @param {ServerEvent} event an `avatar.timeline`
 * @returns {Timeline | null} null if it has no row that this page knows
 */
export function timeline(event) {
  const rows = ROWS.flatMap((name) => {
    const endMs = number(object(event, "rows"), name);
    if (endMs === null) return [];
    const targetMs = number(object(event, "targets"), name) ?? endMs;
    const limitMs = number(object(event, "limits"), name) ?? Math.max(endMs, targetMs);
    const startMs = Math.min(number(object(event, "starts"), name) ?? 0, endMs);
    return [{ name, startMs, endMs, targetMs, limitMs, verdict: verdict(endMs, targetMs, limitMs) }];
  });
  const last = rows.at(-1);
  if (!last) return null;
  const done = Array.isArray(event.actions) ? event.actions : [];
  return {
    rows,
    totalMs: last.endMs,
    isHeard: rows.some(({ name }) => name === "first_sound"),
    headStartMs: number(event, "head_start") ?? 0,
    actions: ACTIONS.filter((action) => done.includes(action)),
    excused: EXCUSES.find((excuse) => excuse === event.excused) ?? null,
  };
}

/**
 * @param {number} ms
 * @param {number} targetMs
 * @param {number} limitMs
 * @returns {Verdict}
 */
function verdict(ms, targetMs, limitMs) {
  return ms > limitMs ? "late" : ms > targetMs ? "over" : "onTime";
}

/**
 * @param {{[field: string]: unknown}} parent
 * @param {string} field
 * @returns {number | null} a number of ms, not below 0
 */
function number(parent, field) {
  const value = parent[field];
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : null;
}
