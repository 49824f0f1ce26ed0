/** What the page remembers of a person's choices, in this browser only. */

/** @typedef {{language: string, captions: boolean, shortcuts: boolean, picture: string, microphone: string, speaker: string, volume: number}} Preferences */

const KEY = "presencia";

/** @type {Preferences} */
const DEFAULTS = { language: "", captions: true, shortcuts: true, picture: "auto", microphone: "", speaker: "", volume: 1 };

/** @returns {Preferences} each choice, or its default where none of the right type is stored */
export function load() {
  const preferences = { ...DEFAULTS };
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    for (const [name, value] of Object.entries(DEFAULTS)) {
      if (typeof stored[name] === typeof value) Object.assign(preferences, { [name]: stored[name] });
    }
  } catch {
    // Storage is blocked or holds something else: the defaults stand.
  }
  return preferences;
}

/** @param {Preferences} preferences */
export function save(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Storage is blocked: the choice holds until the page is closed.
  }
}
