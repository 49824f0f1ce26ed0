/** Keeps the text field above the keyboard on a phone's screen. */

/**
 * Rule of iOS Safari: the keyboard covers the page, which keeps its size; `interactive-widget` is Chrome's alone.
 * What is covered is in `--keyboard`, for style.css. Not tried on a device.
 */
export function makeRoomForKeyboard() {
  const seen = window.visualViewport;
  if (!seen) return;
  const fit = () => {
    // Someone who zooms in sees less as well, but not because of a keyboard.
    const covered = seen.scale > 1.01 ? 0 : Math.max(0, window.innerHeight - seen.height);
    document.documentElement.style.setProperty("--keyboard", `${Math.round(covered)}px`);
    // Safari scrolls the field into sight, though all of the page fits now.
    if (covered) window.scrollTo(0, 0);
  };
  seen.addEventListener("resize", fit);
  fit();
}
