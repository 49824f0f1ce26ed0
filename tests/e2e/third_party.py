"""Pages that run other projects' browser clients, as npm has them, against our server.

An entry file of `tests/clients/` is bundled by esbuild and shown at the server's own address, so
that no page needs to be let in from another origin. Its microphone is a stream into which
recordings are played.
"""

import base64
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.e2e.browser_call import CHROMIUM, CHROMIUM_ARGS, PATIENCE_S

CLIENTS = Path(__file__).parents[1] / "clients"

_FEATURES = "--disable-features="
# A page that the test fulfils comes from no address, and may not open a WebSocket to a local one.
_BLIND_TO_ADDRESSES = ",LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"
_ARGS = [arg + _BLIND_TO_ADDRESSES if arg.startswith(_FEATURES) else arg for arg in CHROMIUM_ARGS]

_MOUTH = """
globalThis.person = {faults: [], seen: []};
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
  const buffer = await context.decodeAudioData(bytes.buffer);
  const source = new AudioBufferSourceNode(context, {buffer});
  source.connect(mouth);
  source.start();
  return buffer.duration;
};
person.loudness = async (stream, ms) => {
  const ear = new AnalyserNode(context, {fftSize: 2048});
  context.createMediaStreamSource(stream).connect(ear);
  const samples = new Float32Array(ear.fftSize), until = performance.now() + ms;
  let peak = 0;
  while (performance.now() < until) {
    ear.getFloatTimeDomainData(samples);
    peak = samples.reduce((p, s) => Math.max(p, Math.abs(s)), peak);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return peak;
};
"""


@contextmanager
def quiet_chromium() -> Iterator[Browser]:
    """Headless Chromium that asks nobody anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=_ARGS)
        yield browser
        browser.close()


@dataclass
class ClientPages:
    """Bundles entry files, each once, and opens pages with them."""

    _scripts: dict[str, bytes] = field(default_factory=dict)

    def script(self, entry: str) -> bytes:
        """`tests/clients/{entry}` and all that it imports, as one script for a browser."""
        if entry not in self._scripts:
            esbuild = CLIENTS / "node_modules" / ".bin" / "esbuild"
            assert esbuild.exists(), "first run: make setup-clients"
            self._scripts[entry] = subprocess.run(
                [esbuild, entry, "--bundle", "--format=iife", "--target=chrome120"],
                cwd=CLIENTS,
                check=True,
                stdout=subprocess.PIPE,
                timeout=PATIENCE_S,
            ).stdout
        return self._scripts[entry]

    @contextmanager
    def opened(self, browser: Browser, server_url: str, entry: str) -> Iterator["ClientPage"]:
        """A page at `server_url` on which the entry file has run."""
        script = self.script(entry)
        context = browser.new_context(locale="en-GB")
        context.add_init_script(_MOUTH)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)

        def show(route: Route) -> None:
            if route.request.url.endswith(".js"):
                route.fulfill(body=script, content_type="text/javascript")
            else:
                html = '<!doctype html><video autoplay playsinline></video><script src="client.js">'
                route.fulfill(body=html + "</script>", content_type="text/html")

        page.route("**/third-party/*", show)
        try:
            page.goto(f"{server_url}/third-party/client.html")
            yield ClientPage(page)
        finally:
            context.close()


@dataclass(frozen=True)
class ClientPage:
    """A person in front of another project's client."""

    page: Page

    def say(self, recording: Path) -> float:
        """Play a recording into the microphone; how long it is, in s."""
        wav = base64.b64encode(recording.read_bytes()).decode()
        return self.page.evaluate("(wav) => person.say(wav)", wav)

    def wait_for(self, condition: str, limit_s: float = PATIENCE_S) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + limit_s
        while not self.page.evaluate(condition):
            seen = self.page.evaluate("[person.faults, person.seen.slice(-40)]")
            assert time.monotonic() < deadline, f"within {limit_s} s: {condition}; {seen}"
            self.page.wait_for_timeout(50)

    def faults(self) -> list[str]:
        """Errors that nobody on the page caught."""
        return self.page.evaluate("person.faults")
