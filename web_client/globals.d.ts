/** What TypeScript knows of `<presencia-call>` in a page: its class, and the details of its events. */

import type { AvatarState } from "./call.js";
import type { CallerPhase } from "./caller.js";
import type { PresenciaCall } from "./element.js";
import type { PictureState } from "./picture.js";
import type { Problem, Standing } from "./problem.js";
import type { ServerEvent } from "./protocol.js";
import type { ToolReport } from "./tools.js";
import type { Line } from "./transcript.js";

/** The `detail` of each event; they bubble, and cross shadow roots. */
export interface PresenciaEvents {
  "presencia-phase": { phase: CallerPhase; problem: Problem | null };
  "presencia-state": { state: AvatarState | null };
  "presencia-transcript": { line: Line; change: "added" | "changed" | "removed" };
  /** The avatar has called a function of the page. */
  "presencia-tool": ToolReport;
  "presencia-picture": PictureState;
  /** null: no longer in line. */
  "presencia-queue": Standing | null;
  /** Every event of the server, as docs/protocol.md has it. */
  "presencia-event": ServerEvent;
  /** Of the microphone, 0 to 1, about 16 times a second. */
  "presencia-level": { level: number };
  /** A call begins without words. */
  "presencia-clear": undefined;
  /** Anything that the properties tell. */
  "presencia-change": undefined;
}

export type PresenciaEventMap = { [K in keyof PresenciaEvents]: CustomEvent<PresenciaEvents[K]> };

declare global {
  interface HTMLElementTagNameMap {
    "presencia-call": PresenciaCall;
  }
  interface HTMLElementEventMap extends PresenciaEventMap {}
}
