// A conversation by @openai/agents-realtime, as its quickstart has it: over WebRTC with the microphone
// and an element that plays, or over a WebSocket with sound in the events.
import {OpenAIRealtimeWebRTC, OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool} from "@openai/agents-realtime";
import {z} from "zod";

import {microphone} from "./microphone";

declare const person: {seen: string[]; faults: string[]};

const RATE_HZ = 24_000;
const state = {
  moved: [] as number[], statuses: [] as string[], reasons: [] as string[], errors: [] as string[],
  interrupted: 0, answered: [] as string[], heard: "", frames: 0, audioBytes: 0, unread: [] as string[],
  history: [] as unknown[], cut: [] as unknown[], tokens: 0,
};
Object.assign(globalThis, {state});

let session: RealtimeSession;

const move = tool({
  name: "move", description: "Moves the robot forward.", parameters: z.object({meters: z.number()}),
  execute: async ({meters}) => {
    state.moved.push(meters);
    return JSON.stringify({moved: meters});
  },
});

function overWebRTC(): OpenAIRealtimeWebRTC {
  const video = document.querySelector("video")!;
  const count = () => {
    state.frames += 1;
    video.requestVideoFrameCallback(count);
  };
  video.requestVideoFrameCallback(count);
  return new OpenAIRealtimeWebRTC({
    baseUrl: `${location.origin}/v1/realtime/calls`,
    audioElement: video as unknown as HTMLAudioElement,
    changePeerConnection: async (peer) => {
      peer.addTransceiver("video", {direction: "recvonly"});
      return peer;
    },
  });
}

async function sendMicrophone(): Promise<void> {
  for await (const pcm of microphone(RATE_HZ)) session.sendAudio(pcm.buffer);
}

function watch(): void {
  session.on("audio_interrupted", () => (state.interrupted += 1));
  session.on("audio", (event) => (state.audioBytes += event.data.byteLength));
  session.on("error", ({error}) => state.errors.push(JSON.stringify(error)));
  session.on("history_updated", (history) => (state.history = history));
  session.on("transport_event", (event) => {
    if (!event.type.endsWith(".delta")) person.seen.push(event.type);
    if (event.type === "response.output_audio_transcript.delta") state.heard += event["delta"];
    if (event.type === "conversation.item.truncated") state.cut.push(event);
    if (event.type === "response.output_audio_transcript.done") state.answered.push(event["transcript"]);
    if (event.type === "response.done") {
      state.heard = "";
      state.statuses.push(event["response"].status);
      state.reasons.push(event["response"].status_details?.reason ?? "");
      state.tokens = session.usage.totalTokens;
    }
  });
}

const call = async (over: "webrtc" | "websocket"): Promise<void> => {
  const secret = await fetch("/v1/realtime/client_secrets", {method: "POST", body: "{}"});
  const transport = over === "webrtc" ? overWebRTC() : new OpenAIRealtimeWebSocket(
    {url: `${location.origin.replace("http", "ws")}/v1/realtime?model=presencia`},
  );
  const agent = new RealtimeAgent({name: "Guide", instructions: "Be brief.", tools: [move]});
  session = new RealtimeSession(agent, {transport, model: "presencia"});
  watch();
  await session.connect({apiKey: (await secret.json()).value});
  person.seen.push("connected");
  if (over === "websocket") void sendMicrophone();
};

Object.assign(globalThis, {
  call, type: (text: string) => session.sendMessage(text), interrupt: () => session.interrupt(),
  hangUp: () => session.close(), rewrite: (keep: number) => session.updateHistory((all) => all.slice(0, keep)),
});
