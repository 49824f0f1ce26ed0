/** Single-key shortcuts that never take a letter from a text field, or a key from a control or the browser. */

/**
 * @param {() => boolean} areOn asked at each key
 * @param {{[key: string]: () => void}} actions by lower-case key
 */
export function listenToKeys(areOn, actions) {
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.isComposing;
    const action = actions[event.key.toLowerCase()];
    const isLetter = event.key.length === 1;
    if (!action || !isPlain || (isLetter && isTyping(event.target)) || !areOn()) return;
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.matches("input:not([type=radio]), textarea, select, [contenteditable]");
}
