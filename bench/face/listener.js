// In the call page, before its own scripts: keeps what is shown and what is played, with its time.
globalThis.person = { audio: [], frames: [], faults: [], mode: "video", size: null };
addEventListener("error", (event) => person.faults.push(String(event.message)));
addEventListener("unhandledrejection", (event) => person.faults.push(String(event.reason)));
{
  const ROWS = 256;
  const LEAST_BETWEEN_MS = 30;
  const context = new AudioContext({ sampleRate: 48000 });
  const mouth = context.createMediaStreamDestination();
  const breath = new ConstantSourceNode(context, { offset: 1e-5 });
  breath.connect(mouth);
  breath.start();
  navigator.mediaDevices.getUserMedia = async () => mouth.stream.clone();
  const base64 = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  const paper = new OffscreenCanvas(ROWS, ROWS).getContext("2d", { willReadFrequently: true });
  const read = (picture, width, height, atMs) => {
    const columns = Math.round((ROWS * width) / height);
    person.size = [columns, ROWS];
    // The middle is enough: head and shoulders always are there, and a page has to hand it all over.
    const [left, top, right, bottom] = person.box;
    const part = [left * columns, top * ROWS, (right - left) * columns, (bottom - top) * ROWS].map(Math.round);
    paper.canvas.width = columns;
    paper.drawImage(picture, 0, 0, columns, ROWS);
    const { data } = paper.getImageData(...part);
    const luma = new Uint8Array(part[2] * part[3]);
    for (let i = 0; i < luma.length; i++) {
      luma[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    }
    person.frames.push([atMs, person.mode, columns, part, base64(luma)]);
  };
  person.box = [0.14, 0.12, 0.86, 0.88];

  let frameMs = 1000 / 60;
  let lastMs = 0;
  let readMs = 0;
  const request = requestAnimationFrame.bind(window);
  // A WebGL canvas can be read only right after it was drawn, so the page's own callbacks are followed.
  window.requestAnimationFrame = (draw) =>
    request((now) => {
      draw(now);
      if (person.mode !== "client" || now - readMs < LEAST_BETWEEN_MS) return;
      readMs = now;
      const canvas = document.querySelector("presencia-call").shadowRoot.querySelector("#drawn");
      read(canvas, canvas.width, canvas.height, now + frameMs);
    });
  const pace = (now) => {
    if (lastMs && now - lastMs < 40) frameMs += 0.02 * (now - lastMs - frameMs);
    lastMs = now;
    request(pace);
  };
  request(pace);

  person.watch = () => {
    const video = document.querySelector("presencia-call").video;
    const look = (now, { expectedDisplayTime }) => {
      if (person.mode === "video") read(video, video.videoWidth, video.videoHeight, expectedDisplayTime);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  person.listen = async () => {
    await context.resume();
    const [track] = document.querySelector("presencia-call").video.srcObject.getAudioTracks();
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        person.faults.push("the voice ended");
        return;
      }
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const pcm = Int16Array.from(samples, (s) => Math.max(-1, Math.min(1, s)) * 32767);
      person.audio.push([performance.now(), value.timestamp / 1000, base64(new Uint8Array(pcm.buffer))]);
      value.close();
    }
  };
  person.drain = () => {
    const { audio, frames } = person;
    person.audio = [];
    person.frames = [];
    return { audio, frames, latencyMs: 1000 * (context.outputLatency || 0) };
  };
}
