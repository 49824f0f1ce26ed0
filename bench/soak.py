"""An idle call for a long time: what the server holds must not grow.

    python -m bench.soak --minutes 60

Starts a server, makes one headless call that stays silent, and prints a line a minute: memory,
tasks, threads, open files. The last line is one JSON object that compares the median of the last
fifth of the run with that of the second fifth (the first is warm-up).
"""

import argparse
import asyncio
import json
import urllib.request
from collections.abc import Sequence
from statistics import median

from avatar.client.call import Call
from bench.server_process import serving

HELD = ("rss_mb", "tasks", "threads", "open_files")


async def soak(minutes: float, every_s: float = 60.0) -> dict[str, dict[str, float]]:
    """Hold an idle call for `minutes`; by name of what is held: early, late and growth."""
    samples: list[dict[str, float]] = []
    async with serving() as url, Call.connect(url) as call:
        for _ in range(max(5, round(minutes * 60 / every_s))):
            # `until` rather than sleep: it raises if the server ends the call.
            await call.until(lambda: False, every_s)
            call.observer.heard.clear()
            call.observer.seen.clear()
            samples.append(await asyncio.to_thread(_metrics, url))
            print(*(f"{name} {samples[-1][name]:g}" for name in HELD), sep="  ", flush=True)
    return {name: _growth([sample[name] for sample in samples]) for name in HELD}


def _metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/v1/avatar/metrics", timeout=10) as answer:
        return dict(json.load(answer))


def _growth(values: Sequence[float]) -> dict[str, float]:
    fifth = len(values) // 5
    early, late = median(values[fifth : 2 * fifth]), median(values[-fifth:])
    return {"early": early, "late": late, "growth": round(late - early, 1)}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="An idle call for a long time.")
    parser.add_argument("--minutes", type=float, default=60)
    print(json.dumps(asyncio.run(soak(parser.parse_args().minutes))))


if __name__ == "__main__":
    main()
