/** What the avatar is asked once a lost connection is back, where an answer of its was broken off by it. */

import { answer, userMessage } from "./protocol.js";

/** Begins the name of the question: nobody said it, so no transcript shows it. */
const ID_PREFIX = "going_on_";
/** So much of what was heard last is repeated: the server can't know what arrived. */
const WORDS = 8;

/**
 * So that a small model says it again: told to go on, it only says that it will.
 *
 * @type {Record<string, (heard: string) => string>}
 */
const QUESTION = {
  en: (heard) => `Sorry, the line was bad. What were you saying about “${heard}”?`,
  es: (heard) => `Perdona, se cortó la línea. ¿Qué decías de «${heard}»?`,
};

/**
 * @param {string} language a BCP 47 code; English stands in for one that is not known
 * @param {string} heard of the answer
 * @returns {object[]} events for the server
 */
export function goingOn(language, heard) {
  const ask = QUESTION[language.slice(0, 2)] ?? /** @type {(heard: string) => string} */ (QUESTION["en"]);
  const message = userMessage(ask(heard.trim().split(/\s+/).slice(-WORDS).join(" ")));
  const id = ID_PREFIX + crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  return [{ ...message, item: { id, ...message.item } }, answer(true)];
}

/** @param {string} id of an item */
export function isGoingOn(id) {
  return id.startsWith(ID_PREFIX);
}
