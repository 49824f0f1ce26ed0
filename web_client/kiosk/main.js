/** Starts the kiosk's page. `window.kiosk` is for tests and the soak: see docs/kiosk.md. */

import { KioskPage } from "./page.js";

const page = new KioskPage();

Object.defineProperty(window, "kiosk", {
  value: Object.freeze({
    get state() {
      return structuredClone(page.state);
    },
    get lines() {
      return structuredClone(page.visit?.transcript.lines ?? []);
    },
    stats: () => page.visit?.stats() ?? null,
  }),
});

page.open();
