"""What the models make of a talk: computed once, then replayed with any settings.

The voice detector hears all of it. At every pause the turn detector and the recogniser are asked
what a `Listener` asks them, on the same samples. None of it depends on when an utterance is ended,
so a trace serves every setting of the endpointer; how late the answers come is up to the replay.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.listening import WINDOW_SAMPLES
from bench.turns.talks import Talk
from speech.audio import to_float
from speech.endpointing import Endpointer, Paused, Started
from speech.stages import ClosingJudge, Recognizer, TurnDetector
from speech.types import Language
from speech.vad import DetectorFactory

SOONEST_PAUSE_MS = 2 * 32
"""Of the pauses that a trace knows: two windows of the voice detector."""

_NEVER_MS = 60_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What was made of one pause.

    Attributes:
        likely: The turn detector's probability that the turn is over.
        words: What was recognised up to the pause.
        closes: The probability that a sentence ends with them.
    """

    likely: float
    words: str
    closes: float = 1.0


@dataclass(frozen=True, slots=True)
class Trace:
    """A talk, heard.

    Attributes:
        talk: What was heard.
        voice: The voice detector's probability of each window, float64, shape (windows,).
        pauses: By the sample at which the speech before the pause ended.
    """

    talk: Talk
    voice: NDArray[np.float64]
    pauses: Mapping[int, Judged]


class Models:
    """The models that judge, with what they said before, kept on disk.

    Args:
        detector: Makes a voice detector for one talk.
        turns: Judges pauses.
        recognizers: By language.
        closing: Judges words.
        memory: A JSON file; what is in it is not asked again.
    """

    def __init__(
        self,
        detector: DetectorFactory,
        turns: TurnDetector,
        recognizers: Mapping[Language, Recognizer],
        closing: ClosingJudge,
        memory: Path,
    ) -> None:
        self._detector = detector
        self._turns = turns
        self._recognizers = recognizers
        self._closing = closing
        self._memory = memory
        self._said: dict[str, float | str] = (
            json.loads(memory.read_text("utf-8")) if memory.exists() else {}
        )

    async def trace(self, talk: Talk) -> Trace:
        """Hear a talk."""
        whole = talk.pcm[: len(talk.pcm) // WINDOW_SAMPLES * WINDOW_SAMPLES]
        detector = self._detector()
        windows = to_float(whole).reshape(-1, WINDOW_SAMPLES)
        voice = np.array([detector.probability(window) for window in windows])
        pauses = {end: await self._judge(talk, start, end) for start, end in _pauses(voice)}
        return Trace(talk, voice, pauses)

    def save(self) -> None:
        """Keep what the models said."""
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        self._memory.write_text(json.dumps(self._said), "utf-8")

    async def _judge(self, talk: Talk, start: int, end: int) -> Judged:
        recognizer = self._recognizers[talk.language]
        spoken = talk.pcm[start:end]
        heard = talk.pcm[start : end + WINDOW_SAMPLES]

        async def listen() -> str:
            return (await recognizer.recognize(heard)).text

        likely = await self._ask(f"turn {_key(spoken)}", lambda: self._turns.finished(spoken))
        who = f"{type(recognizer).__name__} {talk.language}"
        words = str(await self._ask(f"{who} {_key(heard)}", listen))
        closes = await self._ask(
            f"closes {talk.language} {words}", lambda: self._closing.closes(words, talk.language)
        )
        return Judged(float(likely), words, float(closes))

    async def _ask(self, key: str, ask: Callable[[], Awaitable[float | str]]) -> float | str:
        if key not in self._said:
            self._said[key] = await ask()
        return self._said[key]


def _key(pcm: NDArray[np.int16]) -> str:
    return hashlib.sha256(pcm.tobytes()).hexdigest()[:24]


def _pauses(voice: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Where the utterance began, and where the speech before each pause in it ended."""
    endpointer = Endpointer(
        end_silence_ms=_NEVER_MS,
        patient_silence_ms=_NEVER_MS,
        pause_ms=SOONEST_PAUSE_MS,
        longest_s=_NEVER_MS // 1000,
    )
    found: list[tuple[int, int]] = []
    start = 0
    for index, probability in enumerate(voice):
        match endpointer.step(float(probability), (index + 1) * WINDOW_SAMPLES):
            case Started(start_sample):
                start = start_sample
            case Paused(end_sample):
                found.append((start, end_sample))
    return found
