/** Which language a call begins in. */

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
