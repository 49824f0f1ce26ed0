"""A talk again, through the endpointer, with any settings: on sample time, so load is no matter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from avatar.listening import WINDOW_SAMPLES
from bench.turns.talks import Talk
from bench.turns.traces import Trace
from speech.endpointing import Ended, Endpointer, Paused, Resumed
from speech.stages import LISTENING_RATE_HZ
from speech.types import Language

MakeEndpointer = Callable[[Language], Endpointer]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after a pause is noticed the answers are there; None: never.

    Attributes:
        verdict_ms: The turn detector's.
        words_ms: The recogniser's, by language.
    """

    verdict_ms: float | None
    words_ms: Mapping[Language, float | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one talk.

    Attributes:
        talk: Which.
        paused: The person paused before they had finished, for long enough to be noticed.
        cut_off: The turn was ended before they had finished.
        delay_ms: From the last speech to the end of the turn; None if they were cut off, or have
            not finished.
    """

    talk: Talk
    paused: bool
    cut_off: bool
    delay_ms: float | None


def replay(trace: Trace, make: MakeEndpointer, late: Lateness) -> Outcome:
    """Hear a trace until the turn is ended.

    Raises:
        ValueError: The endpointer never ended a turn that was over.
    """
    talk, endpointer = trace.talk, make(trace.talk.language)
    due: list[tuple[float, Callable[[], None]]] = []
    paused = False
    for index, probability in enumerate(trace.voice):
        at = (index + 1) * WINDOW_SAMPLES
        while due and due[0][0] <= at:
            due.pop(0)[1]()
        match endpointer.step(float(probability), at):
            case Paused(end):
                due = _answers(endpointer, trace, end, at, late)
            case Resumed():
                due, paused = [], True
            case Ended(_) if at < talk.end:
                return Outcome(talk, paused=True, cut_off=True, delay_ms=None)
            case Ended(_):
                delay_ms = 1000 * (at - talk.end) / LISTENING_RATE_HZ
                return Outcome(talk, paused, False, delay_ms if talk.finished else None)
            case _:
                pass
    if talk.finished:
        raise ValueError(f"the turn in {talk.name} never ended")
    return Outcome(talk, paused, cut_off=False, delay_ms=None)


def _answers(
    endpointer: Endpointer, trace: Trace, end: int, at: int, late: Lateness
) -> list[tuple[float, Callable[[], None]]]:
    """What the models will say of a pause, and at which sample, in order."""
    judged = trace.pauses[end]
    answers: list[tuple[float, Callable[[], None]]] = []
    if late.verdict_ms is not None:
        due = at + late.verdict_ms * LISTENING_RATE_HZ / 1000
        answers.append((due, lambda: endpointer.turn_probability(judged.likely)))
    words_ms = late.words_ms[trace.talk.language]
    if words_ms is not None:
        due = at + words_ms * LISTENING_RATE_HZ / 1000
        answers.append((due, lambda: endpointer.hint(judged.words)))
    return sorted(answers, key=lambda answer: answer[0])
