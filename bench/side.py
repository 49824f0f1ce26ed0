"""One side of a benchmark: calls of a server, and what was measured in them."""

import asyncio
import itertools
import logging
import resource
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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
from avatar.client.turns import Patience, Turn, interrupt, take_turn
from bench.recordings import Recording
from bench.report import Report
from bench.wer import edits, words
from speech.errors import CallError
from speech.types import Language

_log = logging.getLogger(__name__)
LONG_ANSWER: Mapping[Language, str] = {
    "en": "Tell me about the history of Rome.",
    "es": "Cuéntame la historia de Roma.",
}

SETTLE_S = 2.0
"""Of silence at a call's beginning, to learn how the mouth rests."""

_TURNS_PER_CALL = 5
_BARGE_IN_AFTER_S = 1.5
_BARGE_IN_ATTEMPTS = 3  # an answer may be over, or pause at that moment
_BARGE_IN_LONGEST_S = 3.0  # what is answered to an interruption is not measured
_BETWEEN_TURNS_S = 0.5
_CALL_LIMIT_S = 300.0  # far more than five turns take: a call that hangs is a call that failed

Connect = Callable[[Observer], AbstractAsyncContextManager[Call]]
"""Makes a call in which a person may speak at once."""

Measure = Callable[[], Awaitable[dict[str, float]]]
"""Measures something after a turn, by metric.

Raises:
    CallError: It can't be measured.
"""


async def _nothing() -> dict[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        turns: How many recordings are said and answered.
        barge_ins: How many answers are interrupted.
        patience: With each answer.
        language: That is spoken.
    """

    turns: int
    barge_ins: int
    patience: Patience = field(default_factory=lambda: Patience(answer_s=20.0, longest_s=12.0))
    language: Language = "en"


@dataclass(slots=True)
class Side:
    """Someone who is called.

    A call that fails loses what was left of it, and the next goes on.

    Attributes:
        name: For people.
        connect: Calls it.
        read_mouth: Reads the mouth of its face; None where none is looked at.
        after_turn: Measures something more after every turn.
        report: What was found so far.
    """

    name: str
    connect: Connect
    read_mouth: MouthReader | None = None
    after_turn: Measure = _nothing
    report: Report = field(default_factory=Report)

    async def answer(self, batch: Sequence[Recording], plan: Plan) -> None:
        """Answer some recordings, one after the other, in one call."""
        observer, report = Observer(self.read_mouth), self.report
        turns: list[tuple[Recording, Turn]] = []
        try:
            async with self._calling(observer) as call:
                for recording in batch:
                    turns.append((recording, await take_turn(call, recording.clip, plan.patience)))
                    report.add(await self.after_turn())
                    await asyncio.sleep(_BETWEEN_TURNS_S)
        except* (CallError, TimeoutError) as group:
            self._failed(group)
        scale = mouth_scale(observer)
        report.counts["turns"] += len(batch)
        report.counts["turns_lost"] += len(batch) - sum(turn.answered for _, turn in turns)
        for recording, turn in turns:
            metrics = answer_metrics(turn, observer, scale)
            report.counts["turns_talked_over"] += talked_over(turn, observer)
            report.counts["turns_with_opener"] += _has_opener(turn)
            report.add_turn(metrics, finished=recording.finished)
            spoken = words(recording.words, plan.language)
            report.add_words(edits(spoken, words(transcript_of(turn), plan.language)), len(spoken))
            self._progress(turn.said, metrics)

    async def be_interrupted(self, recording: Recording, plan: Plan) -> None:
        """Be interrupted in the first answer of a call: asked again, models are brief.

        Tried anew, in another call, where the answer is over or pauses at that moment.
        """
        metrics: dict[str, float] = {}
        for _ in range(_BARGE_IN_ATTEMPTS):
            metrics = await self._interrupted(recording, plan)
            self._progress(f"interrupted by {recording.clip.name}", metrics)
            if metrics:
                break
        self.report.add(metrics)
        self.report.counts["barge_ins"] += 1
        self.report.counts["barge_ins_missed"] += not metrics

    async def _interrupted(self, recording: Recording, plan: Plan) -> dict[str, float]:
        observer, turn = Observer(self.read_mouth), None
        question = LONG_ANSWER[plan.language]
        patience = Patience(plan.patience.answer_s, _BARGE_IN_LONGEST_S)
        try:
            async with self._calling(observer) as call:
                turn = await interrupt(call, question, recording.clip, _BARGE_IN_AFTER_S, patience)
        except* (CallError, TimeoutError) as group:
            self._failed(group)
        return barge_in_metrics(turn, observer, mouth_scale(observer)) if turn else {}

    @asynccontextmanager
    async def _calling(self, observer: Observer) -> AsyncGenerator[Call]:
        """A call that has settled; what it costs this client is added to the report."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CALL_LIMIT_S), self.connect(observer) as call:
            await asyncio.sleep(SETTLE_S)
            began_s, began_cpu_s = loop.time(), _cpu_s()
            yield call
            share = (_cpu_s() - began_cpu_s) / (loop.time() - began_s)
            self.report.add({"client_cpu_percent": 100 * share})

    def _failed(self, group: BaseExceptionGroup) -> None:
        for error in group.exceptions:
            _log.warning("a call of %s failed: %s", self.name, str(error) or "it took too long")

    def _progress(self, what: str, metrics: Mapping[str, float]) -> None:
        found = ", ".join(f"{metric} {value:.0f}" for metric, value in metrics.items())
        print(f"{self.name}: {what}: {found or 'not measured'}", file=sys.stderr, flush=True)


async def call_in_turn(sides: Sequence[Side], recordings: Sequence[Recording], plan: Plan) -> None:
    """Call every side again and again, beginning with another each time.

    All sides get the same: so many turns a call, the same recordings in the same order, and
    the same interruptions, each of a new call.

    Args:
        sides: Their reports grow as it goes on, and hold what was found if it is broken off.
        recordings: Said one after the other, over and over.
        plan: How many of what.
    """
    said = itertools.cycle(recordings)
    rounds = itertools.count()
    for begin in range(0, plan.turns, _TURNS_PER_CALL):
        batch = list(itertools.islice(said, min(_TURNS_PER_CALL, plan.turns - begin)))
        for side in _rotated(sides, next(rounds)):
            await side.answer(batch, plan)
    for recording in itertools.islice(said, plan.barge_ins):
        for side in _rotated(sides, next(rounds)):
            await side.be_interrupted(recording, plan)


def _rotated(sides: Sequence[Side], by: int) -> Iterator[Side]:
    return itertools.islice(itertools.cycle(sides), by % len(sides), by % len(sides) + len(sides))


def _has_opener(turn: Turn) -> bool:
    return any(event.type == "avatar.opener" for event in turn.events)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
