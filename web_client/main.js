/** Starts the page. `window.presencia` is for tests and the curious: see docs/page.md. */

import { CallPage } from "./page.js";

const page = new CallPage();

Object.defineProperty(window, "presencia", {
  value: Object.freeze({
    get phase() {
      return page.phase;
    },
    get state() {
      return page.state;
    },
    get picture() {
      return structuredClone(page.picture);
    },
    get lines() {
      return structuredClone(page.transcript.lines);
    },
    stats: () => page.stats(),
  }),
});

await page.open();
