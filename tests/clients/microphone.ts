// The microphone as an application sends it that has no peer connection: int16 at a rate of its own.
export async function* microphone(rateHz: number): AsyncGenerator<Int16Array<ArrayBuffer>> {
  const [track] = (await navigator.mediaDevices.getUserMedia({audio: true})).getAudioTracks();
  const reader = new MediaStreamTrackProcessor({track}).readable.getReader();
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const samples = new Float32Array(value.numberOfFrames);
    value.copyTo(samples, {planeIndex: 0, format: "f32-planar"});
    const step = value.sampleRate / rateHz;
    const pcm = new Int16Array(Math.floor(samples.length / step));
    for (let i = 0; i < pcm.length; i++) {
      const part = samples.subarray(i * step, (i + 1) * step);
      pcm[i] = (32_767 * part.reduce((sum, sample) => sum + sample, 0)) / part.length;
    }
    value.close();
    yield pcm;
  }
}
