"""Our server and a peer, called in turn by the same client with the same recordings."""

import asyncio
import itertools
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from avatar.client.call import Call
from avatar.client.measure import answer_metrics, barge_in_metrics, talked_over, transcript_of
from avatar.client.observer import Observer
from avatar.client.turns import Patience, interrupt, take_turn
from avatar.events import FaceMode
from bench.calls import LONG_ANSWER, Plan
from bench.peer.rtvi import CLIENT_READY, READY, PipecatSignaller
from bench.peer.settings import LANGUAGE
from bench.recordings import Recording
from bench.report import Report
from bench.wer import edits, words
from speech.errors import CallError

_log = logging.getLogger(__name__)
_TURNS_PER_CALL = 5
_BARGE_INS_PER_CALL = 5
_ATTEMPTS = 3  # per barge-in wanted: an answer may be over, or pause at that moment
_BARGE_IN_AFTER_S = 1.5
_SETTLE_S = 2.0
_BETWEEN_TURNS_S = 0.5
_START_TIMEOUT_S = 20.0

Connect = Callable[[Observer], AbstractAsyncContextManager[Call]]
"""Makes a call in which a person may speak at once."""


def ours(url: str, face: FaceMode) -> Connect:
    """Calls of our server at `url`, with the face in this mode."""

    @asynccontextmanager
    async def connect(observer: Observer) -> AsyncGenerator[Call]:
        async with Call.connect(url, observer) as call:
            await call.choose_language(LANGUAGE)
            await call.choose_face(face)
            yield call

    return connect


def pipecat(url: str) -> Connect:
    """Calls of the Pipecat bot at `url`."""

    @asynccontextmanager
    async def connect(observer: Observer) -> AsyncGenerator[Call]:
        async with Call.connect(PipecatSignaller(url), observer) as call:
            call.send(CLIENT_READY)
            if await call.event(READY, timeout_s=_START_TIMEOUT_S) is None:
                raise CallError("The peer took the call, but its pipeline does not start.")
            yield call

    return connect


async def compare(
    sides: Mapping[str, Connect], recordings: Sequence[Recording], plan: Plan
) -> dict[str, Report]:
    """Call every side again and again, a few turns each, beginning with another each time.

    A call that fails loses what was left of it, and the next goes on.

    Args:
        sides: By name.
        recordings: Said one after the other, over and over, to all sides the same.
        plan: How many of what.
    """
    reports = {name: Report() for name in sides}
    said = itertools.cycle(recordings)
    rounds = itertools.count()
    for batch in _batches(said, plan.turns, _TURNS_PER_CALL):
        for name in _rotated(list(sides), next(rounds)):
            await _answered(name, sides[name], batch, plan.patience, reports[name])
    for batch in _batches(said, plan.barge_ins, _BARGE_INS_PER_CALL):
        for name in _rotated(list(sides), next(rounds)):
            await _interrupted(name, sides[name], batch, plan.patience, reports[name])
    return reports


async def _answered(
    name: str, connect: Connect, batch: Sequence[Recording], patience: Patience, report: Report
) -> None:
    observer, turns = Observer(), []
    try:
        async with _settled(connect, observer) as call:
            for recording in batch:
                turns.append((recording, await take_turn(call, recording.clip, patience)))
                await asyncio.sleep(_BETWEEN_TURNS_S)
    except CallError as error:
        _log.warning("a call of %s failed: %s", name, error)
    report.counts["turns"] += len(batch)
    report.counts["turns_lost"] += len(batch) - sum(turn.answered for _, turn in turns)
    for recording, turn in turns:
        metrics = answer_metrics(turn, observer, None)
        report.counts["turns_talked_over"] += talked_over(turn, observer)
        report.counts["openers"] += any(event.type == "avatar.opener" for event in turn.events)
        report.add_turn(metrics, finished=recording.finished)
        spoken = words(recording.words, LANGUAGE)
        report.add_words(edits(spoken, words(transcript_of(turn), LANGUAGE)), len(spoken))
        _progress(name, turn.said, metrics)


async def _interrupted(
    name: str, connect: Connect, batch: Sequence[Recording], patience: Patience, report: Report
) -> None:
    observer, done, question = Observer(), 0, LONG_ANSWER[LANGUAGE]
    clips = itertools.islice(itertools.cycle(batch), _ATTEMPTS * len(batch))
    try:
        async with _settled(connect, observer) as call:
            while done < len(batch) and (recording := next(clips, None)):
                clip = recording.clip
                turn = await interrupt(call, question, clip, _BARGE_IN_AFTER_S, patience)
                metrics = barge_in_metrics(turn, observer, None) if turn else {}
                done += bool(metrics)
                report.add(metrics)
                _progress(name, clip.name, metrics)
                await asyncio.sleep(_BETWEEN_TURNS_S)
    except CallError as error:
        _log.warning("a call of %s failed: %s", name, error)
    report.counts["barge_ins"] += len(batch)
    report.counts["barge_ins_missed"] += len(batch) - done


@asynccontextmanager
async def _settled(connect: Connect, observer: Observer) -> AsyncGenerator[Call]:
    async with connect(observer) as call:
        await asyncio.sleep(_SETTLE_S)
        yield call


def _batches(
    recordings: Iterator[Recording], count: int, longest: int
) -> Iterator[Sequence[Recording]]:
    for begin in range(0, count, longest):
        yield list(itertools.islice(recordings, min(longest, count - begin)))


def _rotated(names: Sequence[str], by: int) -> Sequence[str]:
    place = by % len(names)
    return [*names[place:], *names[:place]]


def _progress(name: str, said: str, metrics: Mapping[str, float]) -> None:
    found = ", ".join(f"{metric} {value:.0f}" for metric, value in metrics.items())
    print(f"{name}: {said}: {found or 'not measured'}", file=sys.stderr, flush=True)
