/** What TypeScript knows of `<presencia-call>` in a page: its class, and the details of its events. */

import type { PresenciaCall, PresenciaEvents } from "./element.js";

export type PresenciaEventMap = { [K in keyof PresenciaEvents]: CustomEvent<PresenciaEvents[K]> };

declare global {
  interface HTMLElementTagNameMap {
    "presencia-call": PresenciaCall;
  }
  interface HTMLElementEventMap extends PresenciaEventMap {}
}
