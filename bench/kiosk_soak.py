"""A kiosk for a long time: visitors come and go, and nothing may grow.

    python -m bench.kiosk_soak --minutes 60 --plot docs/kiosk-soak.svg

Starts a service with a kiosk and headless Chromium on its page, with the switches of `presencia
kiosk`. Visitors are seen by the camera, choose a language, speak recordings, hear answers, and say
goodbye, or walk away in the middle of a word. Memory and descriptors of both are written down every
few seconds, and the latencies of the answers given meanwhile. The last line is one JSON object that
compares the last fifth of the run with the second fifth (the first is warm-up).
"""

import argparse
import asyncio
import base64
import contextlib
import json
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import psutil
from playwright.async_api import Error, Page, async_playwright

from avatar.kiosk import chromium
from bench.kiosk_plot import plot
from bench.server_process import READY, running
from speech.errors import CallError

PERSON = (Path(__file__).parent / "kiosk_person.js").read_text("utf-8")
SPEECH = Path(__file__).resolve().parents[1] / "tests" / "data" / "speech"
SAID = {
    "en": ("public/en_ps_goforward.wav", "cc-by-sa/en_conf-onlyperson.wav",
           "cc-by-sa/en_tt-weasels.wav"),
    "es": ("cc-by-sa/es_transfer.wav", "cc-by-sa/es_queue-thankyou.wav"),
}  # fmt: skip
# A machine without the managed policy, and without a screen.
_UNMANAGED = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")
_SAMPLE_EVERY_S = 5.0
_PATIENCE_S = 90.0
_ROWS = ("first_sound", "turn_ended")


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held at a moment; memory in MB, `page_mb` as JavaScript sees it."""

    at_s: float
    service_mb: float
    browser_mb: float
    service_files: int
    browser_files: int
    tasks: int
    threads: int
    page_mb: float
    visits: int


@dataclass(slots=True)
class Soak:
    """What was seen: samples, the latency of each visit's answers, and what went wrong."""

    samples: list[Sample] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)  # s since the start, ms
    visits: int = 0
    walked_away: int = 0
    unanswered: int = 0
    lost: list[str] = field(default_factory=list)
    restarts: list[dict[str, str]] = field(default_factory=list)

    def report(self) -> dict[str, object]:
        """The whole run in numbers."""
        held = {
            name: _growth([float(getattr(sample, name)) for sample in self.samples])
            for name in ("service_mb", "browser_mb", "service_files", "browser_files", "tasks",
                         "threads", "page_mb")
        }  # fmt: skip
        return {
            "minutes": round(self.samples[-1].at_s / 60, 1),
            "visits": self.visits,
            "walked_away": self.walked_away,
            "unanswered": self.unanswered,
            "lost": self.lost,
            "restarts": self.restarts,
            "latency_ms": _growth([ms for _, ms in self.latencies]),
            "held": held,
        }


async def soak(minutes: float, seed: int = 1) -> Soak:
    """Run the kiosk for `minutes` with visitors from a generator seeded with `seed`."""
    seen, dice = Soak(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="presencia-soak-") as folder:
        environment = {
            "PRESENCIA_RTC__OFFER_LOOPBACK": "true",
            "PRESENCIA_KIOSK__ENABLED": "true",
            "PRESENCIA_KIOSK__STATE_FOLDER": folder,
            "PRESENCIA_KIOSK__IDLE_S": "12",
            "PRESENCIA_KIOSK__COUNTDOWN_S": "5",
            "PRESENCIA_KIOSK__SPEAK_EVERY_S": "60",
            "PRESENCIA_KIOSK__RESTART_HOUR": "-1",
        }
        line = (sys.executable, "-m", "avatar.cli.main", "serve", "--port", "0")
        async with running("service", line, READY, environment) as url, _browser(url) as page:
            began_s = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                sampling = tasks.create_task(_sample(url, seen, began_s))
                while time.monotonic() - began_s < 60 * minutes:
                    await _visit(page, url, seen, dice, began_s)
                    await asyncio.sleep(dice.uniform(1, 12))
                sampling.cancel()
            seen.restarts = list((await _ask(f"{url}/v1/kiosk/status"))["reports"])
    return seen


@asynccontextmanager
async def _browser(url: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        with tempfile.TemporaryDirectory(prefix="presencia-soak-browser-") as profile:
            command = chromium.command("/usr/bin/chromium", url, Path(profile))
            switches = [word for word in command[1:-1] if not word.startswith("--user-data-dir")]
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path="/usr/bin/chromium",
                headless=True,
                args=[*switches, *_UNMANAGED],
                viewport={"width": 540, "height": 960},  # without a GPU each pixel is the CPU's
                permissions=["microphone", "camera"],
            )  # fmt: skip
            await context.add_init_script(PERSON)
            page = context.pages[0]
            page.set_default_timeout(1000 * _PATIENCE_S)
            await page.goto(f"{url}/kiosk.html")
            await _until(page, "kiosk.state.screen === 'attract'")
            yield page
            await context.close()


async def _visit(page: Page, url: str, seen: Soak, dice: random.Random, began_s: float) -> None:
    """One visitor, from coming to the kiosk's being clean again."""
    seen.visits += 1
    before = await _latency(url)
    try:
        await page.evaluate("person.here = true")
        await _until(page, "['welcome', 'call'].includes(kiosk.state.screen)")
        language = dice.choices(("en", "es"), (3, 1))[0]
        await page.click(f'#choices [data-language="{language}"]')
        await _until(page, "kiosk.state.screen === 'call' && !kiosk.state.answering")
        await _until(page, "kiosk.lines.some(({who}) => who === 'avatar')")
        for _ in range(dice.randint(1, 3)):
            await _until(page, "!kiosk.state.answering")
            seen.unanswered += not await _said_and_answered(page, dice.choice(SAID[language]))
        if dice.random() < 0.5:
            await page.evaluate(_SAY, _wav(dice.choice(SAID[language])))
            await asyncio.sleep(0.8)
            seen.walked_away += 1
        else:
            await page.click("#finish")
    except (CallError, Error) as error:
        seen.lost.append(f"{time.monotonic() - began_s:.0f} s: {error!s:.200}")
    with contextlib.suppress(Error):  # the page may just be going
        await page.evaluate("person.here = false")
    try:
        await _until(page, "kiosk.state.screen === 'attract'")
    except CallError as error:
        seen.lost.append(f"{time.monotonic() - began_s:.0f} s, afterwards: {error!s:.200}")
    after = await _latency(url)
    if after[1] > before[1]:
        ms = 1000 * (after[0] - before[0]) / (after[1] - before[1])
        seen.latencies.append((time.monotonic() - began_s, ms))


_SAY = "(wav) => person.say(wav)"


def _wav(name: str) -> str:
    return base64.b64encode((SPEECH / name).read_bytes()).decode()


async def _said_and_answered(page: Page, recording: str) -> bool:
    """Say a recording; whether an answer began within the patience."""
    count = "kiosk.lines.filter(({who}) => who === 'avatar').length"
    lines = await page.evaluate(count)
    await asyncio.sleep(await page.evaluate(_SAY, _wav(recording)))
    try:
        await _until(page, f"{count} > {lines}", 20)
    except CallError:
        return False
    return True


async def _until(page: Page, condition: str, limit_s: float = _PATIENCE_S) -> None:
    """Poll: the page forbids eval, and is reloaded now and then.

    Raises:
        CallError: It did not come.
    """
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        with contextlib.suppress(Error):
            if await page.evaluate(condition):
                return
        await asyncio.sleep(0.1)
    raise CallError(f"within {limit_s} s: {condition}")


async def _sample(url: str, seen: Soak, began_s: float) -> None:
    while True:
        held = await _ask(f"{url}/v1/avatar/metrics")
        status = await _ask(f"{url}/v1/kiosk/status")
        browser_mb, browser_files = await asyncio.to_thread(_browser_holds)
        seen.samples.append(
            Sample(
                time.monotonic() - began_s,
                held["rss_mb"],
                browser_mb,
                held["open_files"],
                browser_files,
                held["tasks"],
                held["threads"],
                (status["page"] or {}).get("memory_mb", 0),
                seen.visits,
            )
        )
        last = seen.samples[-1]
        print(*(f"{key} {value:g}" for key, value in asdict(last).items()), sep="  ", flush=True)
        await asyncio.sleep(_SAMPLE_EVERY_S)


def _browser_holds() -> tuple[float, int]:
    """MB (shared memory counted once) and descriptors of our Chromium's processes."""
    mb, files = 0.0, 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "chrom" in process.name():
                mb += process.memory_full_info().pss / 2**20
                files += process.num_fds()
    return round(mb, 1), files


async def _latency(url: str) -> tuple[float, float]:
    return first_sounds((await asyncio.to_thread(_read, f"{url}/v1/metrics")).decode())


def first_sounds(metrics: str) -> tuple[float, float]:
    """Sum in s and count of the answers' first sounds so far, of those that nothing kept waiting.

    Args:
        metrics: The server's, as a scraper reads them.
    """
    name = "presencia_turn_latency_seconds"
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith(name))
    row = '{excused="no",row="first_sound"}'
    return float(values[f"{name}_sum{row}"]), float(values[f"{name}_count{row}"])


async def _ask(url: str) -> dict[str, object]:
    return dict(json.loads(await asyncio.to_thread(_read, url)))


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def _growth(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    fifth = max(1, len(values) // 5)
    early, late = median(values[fifth : 2 * fifth] or values), median(values[-fifth:])
    return {"early": round(early, 1), "late": round(late, 1), "growth": round(late - early, 1)}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="A kiosk for a long time.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="SVG to write")
    arguments = parser.parse_args()
    seen = asyncio.run(soak(arguments.minutes, arguments.seed))
    if arguments.plot:
        arguments.plot.write_text(plot(seen.samples, seen.latencies), "utf-8")
    print(json.dumps(seen.report()))


if __name__ == "__main__":
    main()
