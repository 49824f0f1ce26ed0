// Judges events, a JSON array on standard input, by the schemas of @openai/agents-realtime; prints what it
// says against each that it does not take. The package keeps its schemas to itself: they are loaded by path.
import {readFileSync} from "node:fs";
import {realtimeServerEventSchema} from "./node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs";

const faults = JSON.parse(readFileSync(0, "utf8"))
  .map((event) => [event.type, realtimeServerEventSchema.safeParse(event)])
  .filter(([, judged]) => !judged.success)
  .map(([type, judged]) => [type, judged.error.issues]);
console.log(JSON.stringify(faults));
