"""The benchmark of calls: recorded people talk with a server, and their end is measured."""

import asyncio
import itertools
import logging
import resource
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from avatar.client.call import Call
from avatar.client.measure import (
    answer_metrics,
    barge_in_metrics,
    mouth_scale,
    talked_over,
    transcript_of,
)
from avatar.client.observer import MouthReader, Observer
from avatar.client.signalling import Signalling
from avatar.client.turns import Patience, Turn, interrupt, take_turn
from bench.recordings import Recording
from bench.report import SERVER_COUNTS, Report
from bench.wer import edits, words
from speech.errors import CallError
from speech.types import Language

_log = logging.getLogger(__name__)
LONG_ANSWER: Mapping[Language, str] = {
    "en": "Tell me about the history of Rome.",
    "es": "Cuéntame la historia de Roma.",
}
SERVER_METRICS = ("face_ms_per_frame_cpu", "encode_ms_per_frame_cpu", "rss_mb")

_TURNS_PER_CALL = 5
_BARGE_IN_AFTER_S = 1.5
_BARGE_IN_ATTEMPTS = 3  # per barge-in wanted: an answer may be over, or pause at that moment
_SETTLE_S = 2.0  # of silence, to learn how the mouth rests
_BETWEEN_TURNS_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        turns: How many recordings are said and answered.
        barge_ins: How many answers are interrupted.
        patience: With each answer.
        language: That is spoken.
    """

    turns: int = 10
    barge_ins: int = 3
    patience: Patience = field(default_factory=lambda: Patience(answer_s=20.0, longest_s=12.0))
    language: Language = "en"


async def measure(
    url: str, recordings: Sequence[Recording], plan: Plan, read_mouth: MouthReader | None
) -> Report:
    """Call the server at `url` and take the turns of `plan`.

    A call that fails loses the turns that were left of it, and the next call goes on.

    Args:
        url: Of a server that is ready.
        recordings: In the plan's language; said one after the other, over and over.
        plan: How many of what.
        read_mouth: Reads the mouth of the server's face; without one no picture is decoded.
    """
    report = Report()
    before = await _server_counts(url)
    said = itertools.cycle(recordings)
    for begin in range(0, plan.turns, _TURNS_PER_CALL):
        batch = list(itertools.islice(said, min(_TURNS_PER_CALL, plan.turns - begin)))
        await _answered_turns(url, batch, plan, Observer(read_mouth), report)
    if plan.barge_ins:
        await _barge_ins(url, said, plan, read_mouth, report)
    after = await _server_counts(url)
    report.counts.update({name: after[name] - before.get(name, 0) for name in after})
    return report


async def _answered_turns(
    url: str, batch: Sequence[Recording], plan: Plan, observer: Observer, report: Report
) -> None:
    turns: list[tuple[Recording, Turn]] = []
    try:
        async with _calling(url, plan.language, observer, report) as call:
            for recording in batch:
                turn = await take_turn(call, recording.clip, plan.patience)
                turns.append((recording, turn))
                _progress(
                    f"turn {report.counts['turns'] + len(turns)} of {plan.turns}: {turn.said}"
                )
                report.add(await _server_metrics(url))
                await asyncio.sleep(_BETWEEN_TURNS_S)
    except CallError as error:
        _log.warning("a call failed: %s", error)
    scale = mouth_scale(observer)
    report.counts["turns"] += len(batch)
    report.counts["turns_lost"] += len(batch) - sum(turn.answered for _, turn in turns)
    for recording, turn in turns:
        report.counts["turns_talked_over"] += talked_over(turn, observer)
        report.add_turn(answer_metrics(turn, observer, scale), finished=recording.finished)
        spoken = words(recording.words, plan.language)
        report.add_words(edits(spoken, words(transcript_of(turn), plan.language)), len(spoken))


async def _barge_ins(
    url: str,
    said: Iterator[Recording],
    plan: Plan,
    read_mouth: MouthReader | None,
    report: Report,
) -> None:
    """Interrupt the first answer of a call each time: asked again, models are brief."""
    attempts = plan.barge_ins * _BARGE_IN_ATTEMPTS
    question = LONG_ANSWER[plan.language]
    done = 0
    for _ in range(attempts):
        if done == plan.barge_ins:
            break
        clip, observer = next(said).clip, Observer(read_mouth)
        try:
            async with _calling(url, plan.language, observer, report) as call:
                turn = await interrupt(call, question, clip, _BARGE_IN_AFTER_S, plan.patience)
        except CallError as error:
            _log.warning("a call failed: %s", error)
            continue
        if turn and (metrics := barge_in_metrics(turn, observer, mouth_scale(observer))):
            report.add(metrics)
            done += 1
        _progress(f"barge-in {done} of {plan.barge_ins}: {clip.name}")
    report.counts["barge_ins"] = plan.barge_ins
    report.counts["barge_ins_missed"] = plan.barge_ins - done


@asynccontextmanager
async def _calling(
    url: str, language: Language, observer: Observer, report: Report
) -> AsyncGenerator[Call]:
    """A call that has settled; what it costs this client is added to the report."""
    loop = asyncio.get_running_loop()
    async with Call.connect(url, observer, sees=observer.reads_mouths) as call:
        await call.choose_language(language)
        await call.until(lambda: call.synchronised, 2 * _SETTLE_S)
        await asyncio.sleep(_SETTLE_S)
        began_s, began_cpu_s = loop.time(), _cpu_s()
        yield call
        share = (_cpu_s() - began_cpu_s) / (loop.time() - began_s)
        report.add({"client_cpu_percent": 100 * share})


async def _server_metrics(url: str) -> dict[str, float]:
    measured = await Signalling(url).metrics()
    return {name: float(measured[name]) for name in SERVER_METRICS if measured.get(name)}


async def _server_counts(url: str) -> dict[str, int]:
    try:
        measured = await Signalling(url).metrics()
    except CallError as error:
        _log.warning("the server's counts are missing: %s", error)
        return {}
    return {name: round(measured[name]) for name in SERVER_COUNTS if name in measured}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
