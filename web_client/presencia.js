/**
 * The SDK: `<presencia-call>`, and what it is made of.
 *
 *     <script type="module" src="https://presencia.example/presencia.js"></script>
 *     <presencia-call></presencia-call>
 */

import { PresenciaCall } from "./element.js";

/** @typedef {import("./globals.js").PresenciaEventMap} PresenciaEventMap also makes the tag known to TypeScript */

export { PresenciaCall };
export { Call } from "./call.js";
export { HeardClock } from "./heard.js";
export { ARKIT, PoseQueue } from "./poses.js";
export { Problem } from "./problem.js";
export { Signalling } from "./signalling.js";
export { Transcript } from "./transcript.js";

if (!customElements.get("presencia-call")) customElements.define("presencia-call", PresenciaCall);
