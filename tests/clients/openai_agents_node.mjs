// A conversation by @openai/agents-realtime in Node.js, over a WebSocket with the key in a header: a voice
// server's way. Arguments: the URL, then raw recordings, 16 bit mono at 24 kHz: what asks for the story, what
// interrupts it, what wants the robot moved. Prints what it saw as JSON.
import {readFileSync} from "node:fs";
import {OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool} from "@openai/agents-realtime";
import {z} from "zod";

const [url, ...recordings] = process.argv.slice(2);
const PIECE_BYTES = 960; // 20 ms
const state = {moved: [], statuses: [], reasons: [], errors: [], interrupted: 0, answered: [], heard: "", audioBytes: 0, cut: 0, tokens: 0, history: []};
const changed = new EventTarget();

const move = tool({
  name: "move", description: "Moves the robot forward.", parameters: z.object({meters: z.number()}),
  execute: async ({meters}) => {
    state.moved.push(meters);
    return JSON.stringify({moved: meters});
  },
});
const session = new RealtimeSession(new RealtimeAgent({name: "Guide", instructions: "Be brief.", tools: [move]}), {
  transport: new OpenAIRealtimeWebSocket({url}), model: "presencia",
});
session.on("audio_interrupted", () => (state.interrupted += 1));
session.on("audio", (event) => (state.audioBytes += event.data.byteLength));
session.on("error", ({error}) => state.errors.push(JSON.stringify(error)));
session.on("history_updated", (history) => (state.history = history));
session.on("transport_event", (event) => {
  if (event.type === "response.output_audio_transcript.delta") state.heard += event.delta;
  if (event.type === "response.output_audio_transcript.done") state.answered.push(event.transcript);
  if (event.type === "conversation.item.truncated") state.cut += 1;
  if (event.type === "response.done") {
    state.heard = "";
    state.statuses.push(event.response.status);
    state.reasons.push(event.response.status_details?.reason ?? "");
    state.tokens = session.usage.totalTokens;
  }
  changed.dispatchEvent(new Event("change"));
});

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => changed.addEventListener("change", resolve, {once: true}));
};
let saying = Buffer.alloc(0);
const say = (recording) => (saying = readFileSync(recording));
const silence = Buffer.alloc(PIECE_BYTES);

await session.connect({apiKey: "none-needed"});
let dueMs = performance.now();
const speak = () => {
  const piece = saying.length ? saying.subarray(0, PIECE_BYTES) : silence;
  saying = saying.subarray(piece === silence ? 0 : PIECE_BYTES);
  session.sendAudio(Uint8Array.from(piece).buffer);
  dueMs = Math.max(dueMs + 20, performance.now() - 200);
  setTimeout(speak, dueMs - performance.now());
};
speak();
say(recordings[0]);
await until(() => state.heard.length > 60);
say(recordings[1]);
await until(() => state.statuses.length >= 2);
say(recordings[2]);
await until(() => state.moved.length >= 1 && state.statuses.length >= 4);
console.log(JSON.stringify(state));
session.close();
process.exit(0);
