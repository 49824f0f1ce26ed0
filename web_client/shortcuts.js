/** Single-key shortcuts that never take a key from a text field, a control or the browser. */

/**
 * @param {() => boolean} areOn asked at each key
 * @param {{[key: string]: () => void}} actions by lower-case key
 */
export function listenToKeys(areOn, actions) {
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.isComposing;
    const action = actions[event.key.toLowerCase()];
    if (!action || !isPlain || isTyping(event.target) || !areOn()) return;
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.matches("input:not([type=radio]), textarea, select, [contenteditable]");
}
