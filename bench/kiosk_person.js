// A person in front of the kiosk, for a soak: what is said goes into the microphone, whoever stands there is seen.
globalThis.person = { here: false };
const context = new AudioContext({ sampleRate: 48000 });
const mouth = context.createMediaStreamDestination();
const breath = new ConstantSourceNode(context, { offset: 1e-5 });
breath.connect(mouth);
breath.start();
const hall = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
const paper = hall.getContext("2d");
let walked = 0;
const draw = () => {
  paper.fillStyle = "#8a8680";
  paper.fillRect(0, 0, 160, 120);
  paper.fillStyle = "#2c2a28";
  if (person.here) paper.fillRect(30 + (walked++ % 60), 24, 34, 96);
};
setInterval(draw, 200);
navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
  if (video) return hall.captureStream(5);
  return audio ? mouth.stream.clone() : Promise.reject(new DOMException("neither", "TypeError"));
};
person.say = async (wav) => {
  await context.resume();
  const bytes = Uint8Array.from(atob(wav), (c) => c.charCodeAt(0));
  const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes.buffer) });
  source.connect(mouth);
  source.start();
  return source.buffer.duration;
};
