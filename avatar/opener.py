"""Words such as "Let me see.", spoken in advance, for when an answer is late."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

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
        opener: What to say.
        wait_s: `Pace.opener_wait_s`: of the timeline, the loop time from which the answer may
            speak, and the loop time now.

    Attributes:
        opener: What to say.
        is_spoken: Whether it was given to the playout.
    """

    def __init__(
        self, opener: Opener, wait_s: Callable[[Timeline, float, float], float | None]
    ) -> None:
        self.opener = opener
        self.is_spoken = False
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
        while (wait_s := self._wait_s(timeline, began_s, loop.time())) is not None:
            if self._left:
                return
            if wait_s <= 0:
                # Nothing is awaited from here on: the answer can't come in between.
                self.is_spoken = True
                timeline.actions.append("opener")
                await playout.push(self.opener.chunk, lips.animate(self.opener.chunk))
                return
            await asyncio.sleep(wait_s)
