"""The benchmark of calls: recorded people talk with a server, and their end is measured."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from avatar.client.call import Call
from avatar.client.observer import MouthReader, Observer
from avatar.client.signalling import Signalling
from avatar.events import FaceMode
from bench.recordings import Recording
from bench.report import SERVER_COUNTS, Report
from bench.side import SETTLE_S, Connect, Plan, Side, call_in_turn
from speech.errors import CallError
from speech.types import Language

_log = logging.getLogger(__name__)
SERVER_METRICS = ("face_ms_per_frame_cpu", "encode_ms_per_frame_cpu", "rss_mb")


async def measure(
    url: str, recordings: Sequence[Recording], plan: Plan, read_mouth: MouthReader | None
) -> Report:
    """Call the server at `url` and take the turns of `plan`.

    Args:
        url: Of a server that is ready.
        recordings: In the plan's language; said one after the other, over and over.
        plan: How many of what.
        read_mouth: Reads the mouth of the server's face; without one no picture is decoded.
    """

    async def server_metrics() -> dict[str, float]:
        measured = await Signalling(url).metrics()
        return {name: float(measured[name]) for name in SERVER_METRICS if measured.get(name)}

    side = Side("ours", our_calls(url, plan.language), read_mouth, server_metrics)
    before = await _server_counts(url)
    await call_in_turn([side], recordings, plan)
    after = await _server_counts(url)
    side.report.counts.update({name: after[name] - before.get(name, 0) for name in after})
    return side.report


def our_calls(url: str, language: Language, face: FaceMode = "video") -> Connect:
    """Calls of our server at `url`, with the face in this mode.

    Pictures are decoded only for an observer that looks at them.
    """

    @asynccontextmanager
    async def connect(observer: Observer) -> AsyncGenerator[Call]:
        async with Call.connect(url, observer, sees=observer.reads_mouths) as call:
            await call.choose_language(language)
            if face != call.face:
                await call.choose_face(face)
            await call.until(lambda: call.synchronised, 2 * SETTLE_S)
            yield call

    return connect


async def _server_counts(url: str) -> dict[str, int]:
    try:
        measured = await Signalling(url).metrics()
    except CallError as error:
        _log.warning("the server's counts are missing: %s", error)
        return {}
    return {name: round(measured[name]) for name in SERVER_COUNTS if name in measured}
