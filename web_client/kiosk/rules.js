/** What the kiosk's rules are about: their state, what happens to them, and what they want done. */

/**
 * @typedef {"attract" | "welcome" | "connecting" | "call" | "countdown" | "goodbye" | "staff" | "broken"} Screen
 *   `attract`: nobody is there; `welcome`: somebody is, and chooses a language; `countdown`: the call is about
 *   to end because nobody seems to be there; `goodbye`: what is left of a visitor is being wiped
 */

/** @typedef {"offline" | "loading" | "busy" | "failed"} Trouble why the kiosk can't be used just now */

/**
 * @typedef {object} Rules how the kiosk behaves; times in ms
 * @property {string[]} languages invited in, each in turn
 * @property {number} idleMs without a word, a touch or an answer until the countdown
 * @property {number} countdownMs
 * @property {number} chooseMs on the welcome screen without a touch
 * @property {number} longestVisitMs then only a touch keeps the call
 * @property {number} inviteEveryMs the next language is shown
 * @property {number} speakEveryMs the avatar invites aloud; 0: never
 */

/**
 * @typedef {{type: "tick"} | {type: "touch"} | {type: "voice"} | {type: "words"} | {type: "leave"} | {type: "stay"}
 *   | {type: "choose", language: string} | {type: "presence", present: boolean | null}
 *   | {type: "answering", on: boolean} | {type: "connected"} | {type: "ended", trouble: Trouble | null}
 *   | {type: "service", trouble: Trouble | null} | {type: "staffOpen"} | {type: "staffClose"} | {type: "wiped"}
 *   | {type: "reload", why: string}} KioskEvent
 *   `voice`: loud near the kiosk, before a call; `words`: a visitor's, recognised in the call; `presence`: null
 *   where no camera works; `service`: whether it can take a call
 */

/**
 * @typedef {{do: "attract", language: string, aloud: boolean} | {do: "dial", language: string}
 *   | {do: "switch", language: string} | {do: "hangUp"} | {do: "wipe"}
 *   | {do: "reload", why: string, deafMs: number}} Effect
 *   `attract`: show the idling face, and let it greet aloud or not; `wipe`: forget the visitor, everywhere
 */

/**
 * @typedef {object} State
 * @property {Screen} screen
 * @property {number} sinceMs when it came
 * @property {string} language
 * @property {Trouble | null} trouble of the service
 * @property {boolean | null} present as the camera sees it; null: no camera
 * @property {number} presenceMs when that changed
 * @property {number} activeMs when a visitor last did something
 * @property {boolean} answering the avatar thinks or speaks
 * @property {number} visitMs when the visit began
 * @property {boolean} overlong only a touch keeps the call now
 * @property {boolean} isDirty something of a visitor may be in the page or in the service
 * @property {number} words how many times the visitor was understood
 * @property {boolean} byVoice whether a loud sound began the visit
 * @property {number} deafUntilMs loud sounds begin no visit before
 * @property {number} deafMs how long that lasts next time
 * @property {number} invitedMs
 * @property {number} spokeMs
 * @property {boolean} isWary who stood there without a touch does not wake the kiosk again
 * @property {string} reloadWhy "" where nobody asks for a reload
 * @property {boolean} reloading the page is about to go
 */

/** @type {Rules} */
export const DEFAULT_RULES = {
  languages: ["en"],
  idleMs: 30_000,
  countdownMs: 10_000,
  chooseMs: 20_000,
  longestVisitMs: 20 * 60_000,
  inviteEveryMs: 12_000,
  speakEveryMs: 180_000,
};

/** Somebody who has left the camera's picture in a call is not waited for as long. */
export const GONE_MS = 8_000;
/** A call that does not come about is given up. */
export const CONNECT_LIMIT_MS = 25_000;
/** How long thanks are shown. */
export const GOODBYE_MS = 3_000;
/** A wipe that says nothing for so long is followed by the reload all the same: it wipes the page by itself. */
export const WIPE_LIMIT_MS = 8_000;
/** Staff who walk away leave nothing open. */
export const STAFF_LIMIT_MS = 60_000;
/** After a loud sound that no word came with, loud sounds begin no visit for so long; then for twice as long. */
const DEAF_MS = 60_000;
const DEAFEST_MS = 15 * 60_000;

/**
 * @param {Rules} rules
 * @param {number} nowMs
 * @param {number} [deafMs] what `reload` handed on
 * @returns {State}
 */
export function initialState(rules, nowMs, deafMs = 0) {
  return {
    screen: "broken",
    sinceMs: nowMs,
    language: rules.languages[0] ?? "en",
    trouble: "loading",
    present: null,
    presenceMs: nowMs,
    activeMs: nowMs,
    answering: false,
    visitMs: nowMs,
    overlong: false,
    isDirty: false,
    words: 0,
    byVoice: false,
    deafUntilMs: nowMs + deafMs,
    deafMs: deafMs ? Math.min(2 * deafMs, DEAFEST_MS) : DEAF_MS,
    invitedMs: nowMs,
    spokeMs: nowMs,
    isWary: false,
    reloadWhy: "",
    reloading: false,
  };
}
