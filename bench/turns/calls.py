"""Calls: one person's talks, one after the other, to one endpointer, which learns from them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from avatar.listening import WINDOW_SAMPLES
from bench.turns.replay import Lateness, Outcome, replay
from bench.turns.sweep import Score, Settings, score
from bench.turns.talks import GAPS_MS
from bench.turns.traces import Trace
from speech.endpointing import Endpointer, EndpointEvent, Paused
from speech.stages import LISTENING_RATE_HZ

FIRST_TALKS = 3
"""Of a call: so much has to be heard before something can have been learnt."""

_ANSWERED_S = 4.0  # between the talks: the answer


class CallEndpointer(Endpointer):
    """An endpointer of several talks, each of which counts its samples from 0."""

    _begin = 0
    _heard = 0

    def step(self, probability: float, at_sample: int) -> EndpointEvent | None:
        """Take in the next window of the talk."""
        self._heard = at_sample
        event = super().step(probability, self._begin + at_sample)
        return Paused(event.end_sample - self._begin) if isinstance(event, Paused) else event

    def finish(self, trace: Trace) -> None:
        """Hear the rest of a talk, and the answer."""
        for probability in trace.voice[self._heard // WINDOW_SAMPLES :]:
            self.step(float(probability), self._heard + WINDOW_SAMPLES)
        for _ in range(round(_ANSWERED_S * LISTENING_RATE_HZ / WINDOW_SAMPLES)):
            self.step(0.0, self._heard + WINDOW_SAMPLES)
        self._begin, self._heard = self._begin + self._heard, 0


def call_scores(
    traces: Sequence[Trace], settings: Settings, late: Lateness
) -> Mapping[str, tuple[Score, Score]]:
    """Every speaker's calls with one setting: the first three talks, and the later ones."""
    parts: defaultdict[str, tuple[list[Outcome], list[Outcome]]]
    parts = defaultdict(lambda: ([], []))
    for call in _calls(traces):
        heard = _hear(call, settings, late)
        first, later = parts[call[0].talk.speaker]
        first += heard[:FIRST_TALKS]
        later += heard[FIRST_TALKS:]
    return {speaker: (score(first), score(later)) for speaker, (first, later) in parts.items()}


def _calls(traces: Sequence[Trace]) -> Iterator[list[Trace]]:
    """A speaker's talks in order, each once a call: every call with other pauses put in."""
    speakers: defaultdict[str, defaultdict[str, list[Trace]]]
    speakers = defaultdict(lambda: defaultdict(list))
    for trace in traces:
        talk = trace.talk
        speakers[talk.speaker][talk.name.removesuffix(f"+{talk.gap_ms}")].append(trace)
    for recordings in speakers.values():
        for turn in range(len(GAPS_MS)):
            yield [
                versions[(place + turn) % len(versions)]
                for place, versions in enumerate(recordings.values())
            ]


def _hear(call: Sequence[Trace], settings: Settings, late: Lateness) -> list[Outcome]:
    language = call[0].talk.language
    endpointer = CallEndpointer(language=language, **settings)  # type: ignore[arg-type]
    heard = []
    for trace in call:
        heard.append(replay(trace, lambda _: endpointer, late))
        endpointer.finish(trace)
    return heard
