"""The call page in Chromium: from the click to the first picture, and back after an outage.

    python -m bench.web_call --calls 10 --outages 3

Starts a server and headless Chromium, in a network namespace of their own where outages are asked
for (needs root and iproute2). The last line is one JSON object: every value in ms, in order.
"""

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Sequence

from playwright.async_api import Page, async_playwright

from bench import outage
from bench.server_process import serving

_CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
_WATCH = """
() => {
  const {video} = document.querySelector("presencia-call");
  globalThis.seen = {clickedMs: 0, firstMs: 0, atMs: 0};
  const look = (now) => {
    seen.firstMs ||= now;
    seen.atMs = Date.now();
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  document.getElementById("call").addEventListener("click", () => {
    Object.assign(seen, {clickedMs: performance.now(), firstMs: 0});
  }, {capture: true});
}
"""


async def set_up(page: Page, url: str) -> float:
    """Load the page, call, hang up; ms from the click to the first picture."""
    await page.goto(url)
    await page.evaluate(_WATCH)
    await page.click("#call")
    await _until(page, "seen.firstMs > 0")
    passed: float = await page.evaluate("seen.firstMs - seen.clickedMs")
    await page.click("#hang-up")
    await _until(page, "presencia.phase === 'idle'")
    return passed


async def come_back(page: Page, url: str) -> float:
    """Call, cut the network, mend it; ms from there until the face moves again."""
    await page.goto(url)
    await page.evaluate(_WATCH)
    await page.click("#call")
    await _until(page, "presencia.state === 'listening'")
    await outage.cut()
    mended_ms: float = await page.evaluate("Date.now()")
    await _until(page, f"presencia.phase === 'connected' && seen.atMs > {mended_ms}")
    passed: float = await page.evaluate(f"seen.atMs - {mended_ms}")
    if await page.evaluate("presencia.lines.some(({note}) => note === 'reconnected')"):
        raise RuntimeError("It came back as a new call: what was said is forgotten.")
    await page.click("#hang-up")
    await _until(page, "presencia.phase === 'idle'")
    return passed


async def _until(page: Page, condition: str, limit_s: float = 90.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await page.evaluate(condition):  # noqa: ASYNC110 - the page tells nobody
            await asyncio.sleep(0.02)


async def measure(calls: int, outages: int) -> dict[str, list[int]]:
    """Every value in ms."""
    async with serving() as url, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=_CHROMIUM_ARGS
        )
        page = await chromium.new_page()
        await page.context.grant_permissions(["microphone"])
        try:
            return {
                "click_to_first_frame_ms": [round(await set_up(page, url)) for _ in range(calls)],
                "back_after_outage_ms": [round(await come_back(page, url)) for _ in range(outages)],
            }
        finally:
            await chromium.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--outages", type=int, default=3)
    args = parser.parse_args(argv)
    if args.outages:
        status = outage.moved_inside("bench.web_call", argv or sys.argv[1:])
        if status is not None:
            sys.exit(status)
    print(json.dumps(asyncio.run(measure(args.calls, args.outages))))


if __name__ == "__main__":
    main()
