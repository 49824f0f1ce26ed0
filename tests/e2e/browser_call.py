"""A person at the call page, in headless Chromium: speaks, types, listens, watches, hangs up."""

import base64
import io
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
_WEBGL_ARGS = [arg for arg in CHROMIUM_ARGS if arg != "--disable-gpu"] + [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PATIENCE_S = 180.0
"""For what takes seconds where nothing else runs: a starved machine fails no test."""
HEARD_HZ = 48_000
SEEN_PX = 256


@contextmanager
def webgl_browser() -> Iterator[Browser]:
    """Chromium that draws WebGL, in software."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=_WEBGL_ARGS
        )
        yield chromium
        chromium.close()


# The microphone is a stream that recordings are played into; what arrives is kept with its time.
_EARS_AND_MOUTH = """
globalThis.person = {audio: [], frames: [], faults: []};
addEventListener("error", (event) => person.faults.push(String(event.message)));
addEventListener("unhandledrejection", (event) => person.faults.push(String(event.reason)));
const context = new AudioContext({sampleRate: 48000});
const mouth = context.createMediaStreamDestination();
const breath = new ConstantSourceNode(context, {offset: 1e-5});
breath.connect(mouth); breath.start();
navigator.mediaDevices.getUserMedia = async () => mouth.stream.clone();
person.say = async (wav) => {
  await context.resume();
  const bytes = Uint8Array.from(atob(wav), (c) => c.charCodeAt(0));
  const source = new AudioBufferSourceNode(context, {
    buffer: await context.decodeAudioData(bytes.buffer)});
  source.connect(mouth);
  source.start();
  return [performance.now(), source.buffer.duration * 1000];
};
const base64 = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
};
const playing = () => {
  const stream = document.querySelector("presencia-call").video.srcObject;
  return stream?.getAudioTracks().find((track) => track.readyState === "live");
};
person.listen = async () => {
  for (;;) {  // a call that is connected anew has another track
    const track = playing();
    if (track) await hear(track);
    await new Promise((done) => setTimeout(done, 50));
  }
};
const hear = async (track) => {
  const reader = new MediaStreamTrackProcessor({track}).readable.getReader();
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const samples = new Float32Array(value.numberOfFrames);
    value.copyTo(samples, {planeIndex: 0, format: "f32-planar"});
    const pcm = Int16Array.from(samples, (s) => Math.max(-1, Math.min(1, s)) * 32767);
    person.audio.push([performance.now(), value.sampleRate, base64(new Uint8Array(pcm.buffer))]);
    value.close();
  }
};
person.watch = () => {
  const video = document.querySelector("presencia-call").video;
  const canvas = new OffscreenCanvas(SEEN_PX, SEEN_PX);
  const paper = canvas.getContext("2d", {willReadFrequently: true});
  const look = (now) => {
    paper.drawImage(video, 0, 0, SEEN_PX, SEEN_PX);
    const {data} = paper.getImageData(0, 0, SEEN_PX, SEEN_PX);
    const luma = new Uint8Array(SEEN_PX * SEEN_PX);
    for (let i = 0; i < luma.length; i++) {
      luma[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    }
    person.frames.push([now, base64(luma)]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};
""".replace("SEEN_PX", str(SEEN_PX))


@dataclass(frozen=True)
class Received:
    """What the browser played and showed in a stretch of time.

    Attributes:
        audio_at_ms: Arrival of each run of samples, on the page's clock.
        audio: int16 (samples,) at 48 kHz for each.
        frames_at_ms: Presentation of each frame.
        frames: uint8 (frames, 256, 256): luma.
    """

    audio_at_ms: NDArray[np.float64]
    audio: list[NDArray[np.int16]]
    frames_at_ms: NDArray[np.float64]
    frames: NDArray[np.uint8]

    def loud_at_ms(self) -> NDArray[np.float64]:
        """When there was sound."""
        peaks = np.array([np.abs(part.astype(np.int32)).max() for part in self.audio])
        return self.audio_at_ms[peaks > 300]

    def between(self, start_ms: float, end_ms: float) -> "Received":
        heard = (self.audio_at_ms >= start_ms) & (self.audio_at_ms < end_ms)
        seen = (self.frames_at_ms >= start_ms) & (self.frames_at_ms < end_ms)
        return Received(
            self.audio_at_ms[heard],
            [part for part, is_in in zip(self.audio, heard, strict=True) if is_in],
            self.frames_at_ms[seen],
            self.frames[seen],
        )


class BrowserCall:
    """One person at one page."""

    def __init__(self, browser: Browser, url: str) -> None:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        context.add_init_script(_EARS_AND_MOUTH)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE_S)
        self.page.goto(url)

    def dial(self) -> None:
        """Press Call, and wait until the avatar greets."""
        self.page.click("#call")
        self.wait_for("window.presencia.state === 'speaking'")
        self.page.evaluate("() => { person.listen(); person.watch(); }")

    def call(self) -> None:
        """Press Call, and wait until the avatar has greeted and listens."""
        self.dial()
        self.wait_for_listening()

    def say(self, recording: Path) -> tuple[float, float]:
        """Play a recording into the microphone; when on the page's clock, and how long, in ms."""
        wav = base64.b64encode(recording.read_bytes()).decode()
        start_ms, length_ms = self.page.evaluate("(wav) => person.say(wav)", wav)
        return start_ms, length_ms

    def type(self, text: str) -> None:
        self.page.fill("#words", text)
        self.page.press("#words", "Enter")

    def hang_up(self) -> None:
        self.page.click("#hang-up")
        self.wait_for("['idle', 'ended'].includes(window.presencia.phase)")

    def close(self) -> None:
        """Hang up, if there is a call, and close the page; again is harmless."""
        if self.page.is_closed():
            return
        if self.page.is_visible("#hang-up"):
            self.hang_up()
        self.page.context.close()

    def now_ms(self) -> float:
        return self.page.evaluate("performance.now()")

    def lines(self, who: str) -> list[dict]:
        return [line for line in self.page.evaluate("window.presencia.lines") if line["who"] == who]

    def wait_for(self, condition: str, limit_s: float = PATIENCE_S) -> None:
        # Not wait_for_function: it evaluates a string, which the page's policy rightly forbids.
        deadline = time.monotonic() + limit_s
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"within {limit_s} s: {condition}; {self._now()}"
            self.page.wait_for_timeout(50)

    def _now(self) -> str:
        """What the page shows, for who reads of a test that failed."""
        said = self.page.evaluate("document.querySelector('presencia-call').shadowRoot?.innerText")
        phase = self.page.evaluate("window.presencia.phase + ', ' + window.presencia.state")
        return f"the call is {phase} and shows {said!r}"

    def see(self, pictures: int) -> None:
        """Wait until so many more pictures have been shown."""
        shown = self.page.evaluate("person.frames.length")
        self.wait_for(f"person.frames.length >= {shown + pictures}")

    def wait_for_listening(self, limit_s: float = PATIENCE_S) -> None:
        self.wait_for("window.presencia.state === 'listening'", limit_s)

    def answered(self, ask: Callable[[], object], limit_s: float = PATIENCE_S) -> str:
        """Ask, and wait until the answer is over; its words."""
        before = len(self.lines("avatar"))
        ask()
        self.wait_for(
            f"window.presencia.lines.filter((l) => l.who === 'avatar').length > {before}", limit_s
        )
        self.wait_for_listening(limit_s)
        return " ".join(line["text"] for line in self.lines("avatar")[before:])

    def received(self) -> Received:
        audio, frames = self.page.evaluate("[person.audio, person.frames]")
        assert all(rate == HEARD_HZ for _, rate, _ in audio)
        lumas = [np.frombuffer(base64.b64decode(luma), np.uint8) for _, luma in frames]
        return Received(
            np.array([at_ms for at_ms, _, _ in audio]),
            [np.frombuffer(base64.b64decode(pcm), np.int16) for _, _, pcm in audio],
            np.array([at_ms for at_ms, _ in frames]),
            np.array(lumas, np.uint8).reshape(-1, SEEN_PX, SEEN_PX),
        )

    def faults(self) -> list[str]:
        return self.page.evaluate("person.faults")


def pause(seconds: float) -> None:
    """Let the call go on for a while, as a person does who only listens."""
    time.sleep(seconds)


def read_wav(path: Path) -> tuple[int, NDArray[np.int16]]:
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
