"""A talk again, through the endpointer, with any settings: on sample time, so load is no matter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from avatar.listening import WINDOW_SAMPLES
from bench.turns.talks import Talk
from bench.turns.traces import Trace
from speech.endpointing import Ended, Endpointer, Paused, Resumed, Started, Withdrawn
from speech.stages import LISTENING_RATE_HZ
from speech.types import Language

_PER_MS = LISTENING_RATE_HZ // 1000
_START_SAMPLES = 64 * _PER_MS  # of speech show an endpointer that somebody speaks
_FRAME_SAMPLES = 20 * _PER_MS  # of sound are on their way already

MakeEndpointer = Callable[[Language], Endpointer]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after a pause is noticed the answers are there; None: never.

    Attributes:
        verdict_ms: The turn detector's.
        words_ms: The recogniser's, by language.
        closes_ms: The judge's of the words, after these.
        sound_ms: The avatar's, as sound: it is drafted in the pause, and let out as soon as the
            turn is over.
    """

    verdict_ms: float | None
    words_ms: Mapping[Language, float | None]
    closes_ms: float | None = None
    sound_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one talk.

    Attributes:
        talk: Which.
        paused: The person paused before they had finished, for long enough to be noticed.
        taken: The turn was taken for over before they had finished.
        cut_off: And the avatar began to speak before they went on.
        touched: Or just then, before it could be known that they go on: there is a sound of a few
            hundredths of a second.
        delay_ms: From the last speech to the end of the turn; None if it was taken before, or they
            have not finished.
        sound_ms: From the last speech to the avatar's first sound, likewise.
    """

    talk: Talk
    paused: bool
    taken: bool = False
    cut_off: bool = False
    touched: bool = False
    delay_ms: float | None = None
    sound_ms: float | None = None


def replay(trace: Trace, make: MakeEndpointer, late: Lateness) -> Outcome:
    """Hear a trace until the turn is ended, for good: not if the person goes on before the answer.

    Raises:
        ValueError: The endpointer never ended a turn that was over.
    """
    talk, endpointer = trace.talk, make(trace.talk.language)
    due: list[tuple[float, Callable[[], None]]] = []
    paused = taken = False
    ready = 0.0  # sample at which an answer to what was said up to the pause could be heard
    sound: float | None = None  # and will be, for the turn was taken for over
    for index, probability in enumerate(trace.voice):
        at = (index + 1) * WINDOW_SAMPLES
        while due and due[0][0] <= at:
            due.pop(0)[1]()
        event = endpointer.step(float(probability), at)
        match event:
            case Paused(end):
                due = _answers(endpointer, trace, end, at, late)
                ready = at + late.sound_ms * _PER_MS
            case Resumed():
                due, paused = [], True
            case Started(_) if sound is not None:
                due, paused, taken = [], True, True
                if sound < at + _FRAME_SAMPLES:
                    cut_off = sound < at - _START_SAMPLES
                    return Outcome(talk, paused, taken, cut_off=cut_off, touched=True)
                sound = None
            case Ended(_) | Withdrawn(_) if taken or isinstance(event, Ended):
                sound = max(at, ready)
                if at >= talk.end:
                    return _over(talk, at, sound, paused=paused, taken=taken)
            case _:
                pass
    if sound is not None:
        return Outcome(talk, paused=True, taken=True, cut_off=True, touched=True)
    if talk.finished:
        raise ValueError(f"the turn in {talk.name} never ended")
    return Outcome(talk, paused, taken)


def _over(talk: Talk, at: int, sound: float, *, paused: bool, taken: bool) -> Outcome:
    if not talk.finished:
        return Outcome(talk, paused, taken)
    delay_ms, sound_ms = ((moment - talk.end) / _PER_MS for moment in (at, sound))
    return Outcome(talk, paused, taken, delay_ms=delay_ms, sound_ms=sound_ms)


def _answers(
    endpointer: Endpointer, trace: Trace, end: int, at: int, late: Lateness
) -> list[tuple[float, Callable[[], None]]]:
    """What the models will say of a pause, and at which sample, in order."""
    judged = trace.pauses[end]
    answers: list[tuple[float, Callable[[], None]]] = []
    if late.verdict_ms is not None:
        due = at + late.verdict_ms * _PER_MS
        answers.append((due, lambda: endpointer.turn_probability(judged.likely)))
    words_ms = late.words_ms[trace.talk.language]
    if words_ms is not None:
        due = at + words_ms * _PER_MS
        answers.append((due, lambda: endpointer.hint(judged.words)))
        if late.closes_ms is not None:
            due += late.closes_ms * _PER_MS
            answers.append((due, lambda: endpointer.words_close(judged.closes)))
    return sorted(answers, key=lambda answer: answer[0])
