/** The choice of language at the top of the page. */

import { part } from "./view.js";

/**
 * The language to begin with: the one chosen before, else the browser's, else the server's.
 *
 * @param {string} chosen "" if none was
 * @param {import("./signalling.js").AvatarConfig | null} config null: not known yet, so any may do
 */
export function preferredLanguage(chosen, config) {
  const wishes = [chosen, ...navigator.languages.map((tag) => tag.slice(0, 2))].filter(Boolean);
  const known = config ? wishes.find((code) => config.languages.includes(code)) : wishes[0];
  return known ?? config?.language ?? "en";
}

/**
 * Offer the languages; once is enough.
 *
 * @param {string[]} languages BCP 47 codes
 * @param {string} current
 * @param {(code: string) => void} onchoice
 */
export function offerLanguages(languages, current, onchoice) {
  const labels = languages.map((code) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "language", value: code, checked: code === current });
    radio.onchange = () => onchoice(code);
    label.lang = code;
    label.append(radio, autonym(code));
    return label;
  });
  part("languages", HTMLFieldSetElement).append(...labels);
}

/** @param {string} code as "es" @returns {string} as "Español" */
function autonym(code) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}
