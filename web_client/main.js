/** Starts the page. `window.presencia` is for tests and the curious: see docs/page.md. */

import { CallPage } from "./page.js";
import "./presencia.js";

const page = new CallPage();
page.open();
const { call } = page;

Object.defineProperty(window, "presencia", {
  value: Object.freeze({
    get phase() {
      return call.phase;
    },
    get state() {
      return call.state;
    },
    get picture() {
      return structuredClone(call.picture);
    },
    get lines() {
      return structuredClone(call.lines);
    },
    stats: () => call.stats(),
  }),
});
