"""Settings of the endpointer, tried on one half of the speakers and judged on the other."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from avatar.client.measure import summary
from bench.turns.replay import Lateness, Outcome, replay
from bench.turns.traces import Trace
from speech.endpointing import Endpointer

MOST_CUT_OFF = 0.03
"""Of the people who pause before they have finished."""

Settings = Mapping[str, float]
"""Of the endpointer, by the names of its arguments."""

Scored = tuple[Settings, "Score"]


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to end turns.

    Attributes:
        name: For people.
        late: What it knows of, and when.
        settings: Of the endpointer: every combination is tried.
    """

    name: str
    late: Lateness
    settings: Mapping[str, Sequence[float]]

    def combinations(self) -> Iterator[Settings]:
        """Every setting to try."""
        for values in itertools.product(*self.settings.values()):
            yield dict(zip(self.settings, values, strict=True))


@dataclass(frozen=True, slots=True)
class Score:
    """How a setting did on some talks.

    Attributes:
        cut_off: Share of those who paused that were cut off: the avatar spoke before they went on.
        touched: Share of whom a trace of its voice was heard, or more.
        taken: Share whose turn was taken for over, heard or not.
        paused: How many paused.
        mean_ms: Mean of the delays of those who had finished.
        p50_ms: Their median.
        p95_ms: Their 95th percentile.
        sound_p50_ms: The median until the avatar's first sound.
        finished: How many.
    """

    cut_off: float
    touched: float
    taken: float
    paused: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    sound_p50_ms: float
    finished: int


def policies(late: Lateness) -> list[Policy]:
    """Silence alone, silence and the turn detector, and both with the words."""
    deaf = replace(late, closes_ms=None, words_ms=dict.fromkeys(late.words_ms))
    unjudged = replace(late, closes_ms=None)
    silence = (300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1400)
    sounds = {
        "patient_silence_ms": (900, 1100, 1300),
        "unlikely": (0.3, 0.6, 0.8),
        "likely": (0.95, 0.97),
    }
    both = {
        "weighs_words": (True,),
        "patient_silence_ms": (900, 1100, 1300),
        "both_unlikely": (0.05, 0.15, 0.3),
        "both_likely": (0.32, 0.35, 0.4, 0.6),
    }
    return [
        Policy("silence alone", replace(deaf, verdict_ms=None), {"patient_silence_ms": silence}),
        Policy("silence and sound", deaf, sounds),
        Policy("silence, sound and words", unjudged, sounds),
        Policy("the same, words judged", late, both),
    ]


def outcomes(traces: Iterable[Trace], settings: Settings, late: Lateness) -> list[Outcome]:
    """Hear every trace with one setting."""
    return [
        replay(trace, lambda language: Endpointer(language=language, **settings), late)  # type: ignore[arg-type]
        for trace in traces
    ]


def score(heard: Sequence[Outcome]) -> Score:
    """Sum up."""
    paused = [outcome for outcome in heard if outcome.paused]
    waited = [outcome.delay_ms for outcome in heard if outcome.delay_ms is not None]
    sounds = [outcome.sound_ms for outcome in heard if outcome.sound_ms is not None]
    delays = summary(waited)

    def share(happened: Iterable[bool]) -> float:
        return sum(happened) / len(paused) if paused else 0.0

    return Score(
        cut_off=share(outcome.cut_off for outcome in paused),
        touched=share(outcome.touched for outcome in paused),
        taken=share(outcome.taken for outcome in paused),
        paused=len(paused),
        mean_ms=sum(waited) / len(waited) if waited else 0.0,
        p50_ms=float(delays["p50"] or 0),
        p95_ms=float(delays["p95"] or 0),
        sound_p50_ms=float(summary(sounds)["p50"] or 0),
        finished=int(delays["n"] or 0),
    )


def frontier(scored: Iterable[Scored]) -> list[Scored]:
    """The settings that no other beats in both cut-offs and mean delay, fewest cut-offs last."""
    best: list[Scored] = []
    for settings, s in sorted(scored, key=lambda pair: (pair[1].mean_ms, pair[1].cut_off)):
        if not best or s.cut_off < best[-1][1].cut_off:
            best.append((settings, s))
    return best
