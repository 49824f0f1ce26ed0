/** The choice of language at the top of the page. */

/**
 * Offer the languages; once is enough.
 *
 * @param {HTMLElement} place
 * @param {string[]} languages BCP 47 codes
 * @param {string} current
 * @param {(code: string) => void} onchoice
 */
export function offerLanguages(place, languages, current, onchoice) {
  const labels = languages.map((code) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "language", value: code, checked: code === current });
    radio.onchange = () => onchoice(code);
    label.lang = code;
    label.append(radio, autonym(code));
    return label;
  });
  place.append(...labels);
}

/** @param {string} code as "es" @returns {string} as "Español" */
function autonym(code) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}
