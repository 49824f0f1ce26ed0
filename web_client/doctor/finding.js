/** What the doctor finds: one per thing looked at, in the words of `strings.js`. */

/** @typedef {import("./strings.js").StringKey} StringKey */
/** @typedef {"good" | "warning" | "failed" | "skipped"} Status `warning`: calls work, but may disappoint */

/**
 * @typedef {object} Finding
 * @property {Status} status
 * @property {StringKey} says what was found
 * @property {{[placeholder: string]: string | number}} values of `says` and `fix`
 * @property {StringKey | null} fix what to do; null where nothing needs to be done
 */

/**
 * @param {StringKey} says
 * @param {{[placeholder: string]: string | number}} [values]
 * @returns {Finding}
 */
export function good(says, values = {}) {
  return { status: "good", says, values, fix: null };
}

/**
 * @param {StringKey} says
 * @param {StringKey} fix
 * @param {{[placeholder: string]: string | number}} [values]
 * @returns {Finding}
 */
export function warning(says, fix, values = {}) {
  return { status: "warning", says, values, fix };
}

/**
 * @param {StringKey} says
 * @param {StringKey} fix
 * @param {{[placeholder: string]: string | number}} [values]
 * @returns {Finding}
 */
export function failed(says, fix, values = {}) {
  return { status: "failed", says, values, fix };
}

/**
 * @param {StringKey} says
 * @returns {Finding}
 */
export function skipped(says) {
  return { status: "skipped", says, values: {}, fix: null };
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => window.setTimeout(resolve, ms));
}
