// A conversation by @pipecat-ai/client-js over its SmallWebRTC transport, as Pipecat's own examples
// hold it. The media manager is the transport's own WavMediaManager: the other one loads its code
// from Daily's servers.
import {PipecatClient, RTVIEvent, type BotOutputData, type TranscriptData} from "@pipecat-ai/client-js";
import {SmallWebRTCTransport, WavMediaManager} from "@pipecat-ai/small-webrtc-transport";

declare const person: {seen: string[]; faults: string[]};

const state = {
  frames: 0, states: [] as string[], said: [] as string[], interims: 0, typed: [] as string[],
  outputs: [] as BotOutputData[], answered: [] as string[], ttfb: [] as string[], ours: [] as string[],
  tools: [] as unknown[], ready: null as unknown, errors: [] as string[],
};
const video = document.querySelector("video")!;
const stream = new MediaStream();
const count = () => {
  state.frames += 1;
  video.requestVideoFrameCallback(count);
};
video.requestVideoFrameCallback(count);

const transport = new SmallWebRTCTransport({mediaManager: new WavMediaManager() as never});
const client = new PipecatClient({
  transport,
  enableMic: true,
  enableCam: false,
  callbacks: {
    onTransportStateChanged: (name) => state.states.push(name),
    onTrackStarted: (track, participant) => {
      if (participant?.local) return;
      for (const old of stream.getTracks()) if (old.kind === track.kind) stream.removeTrack(old);
      stream.addTrack(track);
      video.srcObject ??= stream; // not before: an element without media holds the page's load back
    },
    onBotReady: (data) => (state.ready = data),
    onUserTranscript: ({text, final}: TranscriptData) => {
      if (final) state.said.push(text);
      else state.interims += 1;
    },
    onUserLlmText: ({text}) => state.typed.push(text),
    onBotOutput: (data) => state.outputs.push(data),
    onBotTranscript: ({text}) => state.answered.push(text),
    onMetrics: ({ttfb}) => state.ttfb.push(...(ttfb ?? []).map(({processor}) => processor)),
    onServerMessage: ({type}) => state.ours.push(type),
    onError: ({data}) => state.errors.push(JSON.stringify(data)),
    onMessageError: ({data}) => state.errors.push(JSON.stringify(data)),
  },
});
const told: RTVIEvent[] = [
  RTVIEvent.UserStartedSpeaking, RTVIEvent.UserStoppedSpeaking, RTVIEvent.BotStartedSpeaking,
  RTVIEvent.BotStoppedSpeaking, RTVIEvent.BotLlmStarted, RTVIEvent.BotLlmStopped,
  RTVIEvent.BotTtsStarted, RTVIEvent.BotTtsStopped, RTVIEvent.LLMFunctionCallStarted,
  RTVIEvent.LLMFunctionCallInProgress, RTVIEvent.LLMFunctionCallStopped, RTVIEvent.BotConnected,
  RTVIEvent.BotDisconnected, RTVIEvent.Disconnected,
];
for (const event of told) client.on(event as never, () => person.seen.push(event));
client.registerFunctionCallHandler("move", async (call) => {
  state.tools.push(call);
  return {moved: call.arguments.meters};
});

const wishes = {
  tools: [{
    name: "move", description: "Moves the robot forward.",
    parameters: {type: "object", properties: {meters: {type: "number"}}, required: ["meters"]},
  }],
};

// As an application does that runs beside the bot; and as one does whose bot is started for it.
const failed = (error: unknown) => void person.faults.push(String(error));
const call = (): void => {
  const webrtcRequestParams = {endpoint: `${location.origin}/api/offer`, requestData: wishes};
  client.connect({webrtcRequestParams}).catch(failed);
};
const start = (): void => {
  const requestData = {transport: "webrtc", body: wishes};
  client.startBotAndConnect({endpoint: `${location.origin}/start`, requestData}).catch(failed);
};

// What the transport does by itself once ICE has failed, which takes Chromium half a minute.
const inside = transport as unknown as {pc: RTCPeerConnection; attemptReconnection(anew: boolean): Promise<void>};
const dialAgain = () => inside.attemptReconnection(true);

// Pictures that came over the connection of now. Client 1.10.8 doesn't tell of a new connection's
// tracks when the old ones end before the new ones have had their first packet.
const decoded = async (): Promise<number> => {
  const reports = [...(await inside.pc.getStats()).values()] as {type: string; framesDecoded?: number}[];
  return Math.max(0, ...reports.map(({type, framesDecoded}) => (type === "inbound-rtp" && framesDecoded) || 0));
};

Object.assign(globalThis, {state, client, call, start, dialAgain, decoded, stream});
