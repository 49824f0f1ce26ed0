// A conversation by @azure/ai-voicelive, as Microsoft's samples hold it: the microphone goes over the
// WebSocket, the avatar comes over a peer connection that the session's own events set up.
import {VoiceLiveClient, type RequestSession, type VoiceLiveSession} from "@azure/ai-voicelive";

import {microphone} from "./microphone";

declare const person: {seen: string[]; faults: string[]};

const RATE_HZ = 24_000;
const state = {
  frames: 0, audio: 0, visemes: [] as number[], blendshapes: [] as number[][], words: [] as string[],
  said: [] as string[], answered: [] as string[], heard: "", statuses: [] as string[],
};
Object.assign(globalThis, {state});

let session: VoiceLiveSession;
let peer: RTCPeerConnection;
let hungUp = false;
let moved: object | undefined;

const tools = [{
  type: "function", name: "move", description: "Moves the robot forward.",
  parameters: {type: "object", properties: {meters: {type: "number"}}, required: ["meters"]},
}];

async function showAvatar(iceServers: RTCIceServer[]): Promise<void> {
  peer = new RTCPeerConnection({iceServers});
  const video = document.querySelector("video")!;
  const stream = new MediaStream();
  video.srcObject = stream;
  peer.ontrack = ({track}) => stream.addTrack(track);
  peer.onconnectionstatechange = () => person.seen.push(`peer ${peer.connectionState}`);
  peer.addTransceiver("video", {direction: "recvonly"});
  peer.addTransceiver("audio", {direction: "recvonly"});
  const count = () => {
    state.frames += 1;
    video.requestVideoFrameCallback(count);
  };
  video.requestVideoFrameCallback(count);
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  const clientSdp = btoa(JSON.stringify(peer.localDescription));
  await session.sendEvent({type: "session.avatar.connect", clientSdp} as never);
}

async function listen(): Promise<void> {
  for await (const pcm of microphone(RATE_HZ)) {
    try {
      await session.sendAudio(new Uint8Array(pcm.buffer));
    } catch (error) {
      if (!hungUp) throw error;
      return;
    }
  }
}

const call = async (asked: RequestSession, shown: boolean): Promise<void> => {
  const client = new VoiceLiveClient(location.origin, {key: "none-needed"});
  session = client.createSession("presencia");
  session.subscribe({
    onServerEvent: async (event) => {
      if (!event.type.endsWith(".delta")) person.seen.push(event.type);
    },
    onServerError: async (event) => {
      person.faults.push(event.error.message);
    },
    onDisconnected: async (event) => {
      person.seen.push(`disconnected ${event.code}`);
    },
    onSessionUpdated: async (event) => {
      if (shown && !peer) await showAvatar(event.session.avatar!.iceServers as RTCIceServer[]);
    },
    onSessionAvatarConnecting: async (event) => {
      await peer.setRemoteDescription(JSON.parse(atob(event.serverSdp)));
    },
    onConversationItemInputAudioTranscriptionCompleted: async (event) => {
      state.said.push(event.transcript);
    },
    onResponseAudioDelta: async (event) => {
      state.audio += event.delta.byteLength;
    },
    onResponseAudioTranscriptDelta: async (event) => {
      state.heard += event.delta;
    },
    onResponseAudioTranscriptDone: async (event) => {
      state.answered.push(event.transcript);
    },
    onResponseAnimationVisemeDelta: async (event) => {
      state.visemes.push(event.visemeId);
    },
    onResponseAnimationBlendshapeDelta: async (event) => {
      state.blendshapes.push(...(event.frames as number[][]));
    },
    onResponseAudioTimestampDelta: async (event) => {
      state.words.push(event.text);
    },
    onResponseFunctionCallArgumentsDone: async (event) => {
      const {meters} = JSON.parse(event.arguments);
      person.seen.push(`move ${meters}`);
      const output = JSON.stringify({moved: meters});
      moved = {type: "function_call_output", callId: event.callId, output};
    },
    // One answer is under way at a time: the next may be asked for once this one is done.
    onResponseDone: async (event) => {
      state.statuses.push(String(event.response.status));
      if (!moved) return;
      const item = moved;
      moved = undefined;
      await session.addConversationItem(item as never);
      await session.sendEvent({type: "response.create"} as never);
    },
  });
  await session.connect();
  await session.updateSession({...asked, tools} as RequestSession);
  void listen();
};

const hangUp = async (): Promise<void> => {
  hungUp = true;
  peer?.close();
  await session.dispose();
};

const respond = () => session.sendEvent({type: "response.create"} as never);

Object.assign(globalThis, {call, hangUp, respond});
