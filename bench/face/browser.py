"""The call page in a real Chromium: what it shows against what it plays, in either mode."""

import asyncio
import base64
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from avatar.face.library import face_folder
from avatar.settings import load
from bench.face.report import Metrics
from bench.face.skew import on_page_clock, skew_metrics, window_skews
from bench.server_process import serving
from render.baked.asset import BakedFace
from render.mouth import MouthMeter
from speech.errors import CallError, ConfigError

Mode = Literal["video", "client"]
MODES: tuple[Mode, ...] = ("video", "client")

_CHROMIUM = Path("/usr/bin/chromium")
_ARGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
_DRAWN_BY: dict[Mode, list[str]] = {
    "video": ["--disable-gpu"],
    "client": ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
}
"""Without graphics hardware: WebGL in software for the face drawn here, and none for video."""
_QUESTIONS = (
    "Tell me about the history of Rome.",
    "Tell me a story about a farmer and his dog.",
    "How do people make bread? Tell me every step.",
    "What is the sea like, and who lives in it?",
)
_WIDTH, _HEIGHT = 480, 640  # of the page: software has to put it together
_POLL_S, _PATIENCE_S, _SETTLE_S = 0.5, 60.0, 2.0


@dataclass(slots=True)
class _Witness:
    """What one mode showed and played, as it comes out of the page."""

    face: BakedFace
    seen: list[tuple[float, float]] = field(default_factory=list)
    heard: list[tuple[float, float, NDArray[np.int16]]] = field(default_factory=list)
    latency_ms: float = 0.0
    meters: dict[int, MouthMeter] = field(default_factory=dict)

    def take(self, drained: dict[str, Any], mode: Mode) -> None:
        self.latency_ms = drained["latencyMs"]
        for at_ms, stamp_ms, pcm in drained["audio"]:
            samples = np.frombuffer(base64.b64decode(pcm), np.int16)
            self.heard.append((at_ms / 1e3, stamp_ms / 1e3, samples))
        for at_ms, shown, columns, part, luma in drained["frames"]:
            if shown == mode:
                self.seen.append((at_ms / 1e3, self._opening(columns, part, luma)))

    def metrics(self) -> Metrics:
        late_s = self.latency_ms / 1e3
        heard = [(at_s + late_s, pcm) for at_s, pcm in on_page_clock(self.heard)]
        seen = sorted(self.seen)
        span_s = seen[-1][0] - seen[0][0] if seen else 0.0
        return {
            **skew_metrics(window_skews(seen, heard)),
            "fps_shown": len(seen) / span_s if span_s else None,
            "output_latency_ms": self.latency_ms,
        }

    def _opening(self, columns: int, part: Sequence[int], luma: str) -> float:
        left, top, width, height = part
        frame: NDArray[np.uint8] = np.zeros((256, columns), np.uint8)
        pixels = np.frombuffer(base64.b64decode(luma), np.uint8).reshape(height, width)
        frame[top : top + height, left : left + width] = pixels
        if columns not in self.meters:
            self.meters[columns] = MouthMeter(columns, 256, self.face)
        return self.meters[columns].opening_m(frame)


def measure_skew(minutes: float, modes: Sequence[Mode] = MODES) -> Metrics:
    """Talk with the page for so long in each mode; metrics named `MODE_...`.

    Raises:
        ConfigError: There is no Chromium, or Playwright is not installed.
        CallError: The server did not start, or the page does not do what it should.
    """
    if not _CHROMIUM.is_file():
        raise ConfigError(f"{_CHROMIUM} is missing: install it, or leave it out with --minutes 0.")
    return asyncio.run(_measure(minutes, modes))


async def _measure(minutes: float, modes: Sequence[Mode]) -> Metrics:
    try:
        from playwright.async_api import async_playwright
    except ImportError as error:
        raise ConfigError("Playwright is missing (make setup-dev), or use --minutes 0.") from error
    face = BakedFace.load(face_folder(load().face.name))
    out: Metrics = {}
    async with serving() as url, async_playwright() as playwright:
        for mode in modes:
            browser = await playwright.chromium.launch(
                executable_path=str(_CHROMIUM), args=[*_ARGS, *_DRAWN_BY[mode]]
            )
            page = await browser.new_page(
                viewport={"width": _WIDTH, "height": _HEIGHT}, locale="en-GB"
            )
            await page.add_init_script(path=Path(__file__).with_name("listener.js"))
            await page.goto(url)
            witness = _Witness(face)
            try:
                await _converse(page, mode, minutes, witness)
                out |= {f"{mode}_{name}": value for name, value in witness.metrics().items()}
            except CallError as error:
                print(f"{mode}: {error}", file=sys.stderr)
                out |= {f"{mode}_{name}": None for name in _Witness(face).metrics()}
            await browser.close()
    return out


async def _converse(page: Any, mode: Mode, minutes: float, witness: _Witness) -> None:  # noqa: ANN401
    """Call, choose the mode, and ask one thing after the other."""
    await page.click("#call")
    await _until(page, "window.presencia.state === 'speaking'")
    await page.evaluate("() => { person.listen(); person.watch(); }")
    await page.click("#settings-open")
    await page.select_option("#picture", mode)
    await page.keyboard.press("Escape")
    await _until(page, f"window.presencia.picture.shown === '{mode}'")
    await _until(page, "window.presencia.state === 'listening'")
    await page.evaluate(f"person.mode = '{mode}'")
    await asyncio.sleep(_SETTLE_S)
    await page.evaluate("person.drain()")
    ends_s = time.monotonic() + 60 * minutes
    asked = 0
    while time.monotonic() < ends_s:
        if await page.evaluate("window.presencia.state === 'listening'"):
            await page.fill("#words", _QUESTIONS[asked % len(_QUESTIONS)])
            await page.press("#words", "Enter")
            asked += 1
            await asyncio.sleep(2 * _POLL_S)
        witness.take(await page.evaluate("person.drain()"), mode)
        await asyncio.sleep(_POLL_S)
        faults = await page.evaluate("person.faults")
        if faults:
            raise CallError(f"the page's call broke off: {faults[0]}")


async def _until(page: Any, condition: str) -> None:  # noqa: ANN401
    # Not wait_for_function: it evaluates a string, which the page's policy rightly forbids.
    deadline = time.monotonic() + _PATIENCE_S
    while not await page.evaluate(condition):
        if time.monotonic() > deadline:
            raise CallError(f"the page does not come to {condition} within {_PATIENCE_S:.0f} s")
        await asyncio.sleep(0.05)
