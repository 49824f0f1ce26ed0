"""Words such as "Let me see.", spoken in advance, for when an answer is late."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np

from avatar.latency import Timeline
from avatar.playout import Playout
from render.stages import LipSync
from render.types import SPEECH_CLOCK_HZ
from speech.audio import resample_chunk
from speech.types import AudioFrame, SpeechChunk

_PAUSE_SAMPLES = SPEECH_CLOCK_HZ * 15 // 100  # between the opener and the answer


@dataclass(frozen=True, slots=True)
class Opener:
    """One opener.

    Attributes:
        text: The words.
        chunk: They, spoken, at 48 kHz, and a short pause. Its own text is empty: what is heard of
            a reply does not include them.
    """

    text: str
    chunk: SpeechChunk

    @classmethod
    def of(cls, spoken: SpeechChunk) -> "Opener":
        """Make one of a line spoken in advance."""
        chunk = resample_chunk(spoken, SPEECH_CLOCK_HZ)
        pcm = np.concatenate([chunk.audio.pcm, np.zeros(_PAUSE_SAMPLES, np.int16)])
        return cls(spoken.text, replace(chunk, text="", audio=AudioFrame(pcm, SPEECH_CLOCK_HZ)))

    @property
    def lasts_ms(self) -> int:
        """How long it is heard, the pause included."""
        return len(self.chunk.audio.pcm) * 1000 // SPEECH_CLOCK_HZ


class Opening:
    """Speaks an opener before one answer, if that will be late.

    Args:
        openers: What may be said; the first that does not delay the answer is.
        wait_s: `Pace.opener_wait_s`: of the timeline, the loop time from which the answer may
            speak, the loop time now, and how long the opener is heard.

    Attributes:
        spoken: What was given to the playout, if anything was.
    """

    def __init__(
        self,
        openers: Sequence[Opener],
        wait_s: Callable[[Timeline, float, float, float], float | None],
    ) -> None:
        self.spoken: Opener | None = None
        self._openers = openers
        self._wait_s = wait_s
        self._left = False

    def leave(self) -> None:
        """Say it no more: something else is said meanwhile."""
        self._left = True

    async def watch(
        self, timeline: Timeline, may_speak: asyncio.Event, playout: Playout, lips: LipSync
    ) -> None:
        """Wait until the opener is due, and say it; or return when the answer is there."""
        await may_speak.wait()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            waits = self._waits(timeline, began_s, loop.time())
            if self._left or not waits:
                return
            wait_s, opener = min(waits, key=itemgetter(0))
            if wait_s <= 0:
                # Nothing is awaited from here on: the answer can't come in between.
                self.spoken = opener
                timeline.actions.append("opener")
                await playout.push(opener.chunk, lips.animate(opener.chunk))
                return
            await asyncio.sleep(wait_s)

    def _waits(
        self, timeline: Timeline, began_s: float, now_s: float
    ) -> list[tuple[float, Opener]]:
        """After how many seconds which opener may be due; nothing if none will be."""
        waits = [
            (self._wait_s(timeline, began_s, now_s, opener.lasts_ms / 1000), opener)
            for opener in self._openers
        ]
        return [(wait_s, opener) for wait_s, opener in waits if wait_s is not None]
