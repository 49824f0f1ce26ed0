"""What the person hears and sees being said right now."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from render.types import NEUTRAL, SPEECH_CLOCK_HZ, Emotion, ScheduledSpeech, VisemeTrack
from speech.types import SpeechChunk

FRAME_SAMPLES = SPEECH_CLOCK_HZ // 50
"""One WebRTC audio packet: 20 ms."""

_REMEMBER_SAMPLES = 4 * SPEECH_CLOCK_HZ  # the face eases out of a chunk's feeling for less
_PREPARED_SAMPLES = SPEECH_CLOCK_HZ * 35 // 100  # the face prepares for a chunk for less


@dataclass(slots=True)
class _Scheduled:
    chunk: SpeechChunk
    speech: ScheduledSpeech

    @property
    def start(self) -> int:
        return self.speech.start_sample

    @property
    def end(self) -> int:
        return self.speech.end_sample


class Playout:
    """The avatar's mouth: the only place that holds media not yet heard.

    The audio track calls `next_frame` every 20 ms; the face reads `speech`; the turn calls
    `push`. Because nothing else buffers, `clear` is all it takes to fall silent, one frame
    (with a fade) later.

    Args:
        limit_s: `push` waits while this much speech is already waiting.
        on_start: Called with a chunk when its first sample leaves.

    Attributes:
        position: The next sample to leave, on the speech clock (48 kHz since the call began).
    """

    def __init__(
        self, *, limit_s: float = 3.0, on_start: Callable[[SpeechChunk], None] | None = None
    ) -> None:
        self.position = 0
        self._limit = round(SPEECH_CLOCK_HZ * limit_s)
        self._on_start = on_start
        self._recent: list[_Scheduled] = []  # heard lately, being heard, and waiting
        self._reply: list[_Scheduled] = []  # all of the current reply
        self._next_start = 0
        self._fading: NDArray[np.int16] | None = None
        self._moved = asyncio.Event()

    @property
    def buffered_samples(self) -> int:
        """Samples pushed but not yet heard."""
        return max(0, self._next_start - self.position)

    @property
    def speaking(self) -> bool:
        """Whether there is speech being heard or waiting."""
        return self.buffered_samples > 0

    @property
    def speech(self) -> tuple[ScheduledSpeech, ...]:
        """What was said lately, is being said and will be, for the face."""
        return tuple(item.speech for item in self._recent)

    async def push(
        self, chunk: SpeechChunk, track: VisemeTrack, emotion: Emotion = NEUTRAL
    ) -> None:
        """Queue a chunk, waiting while `limit_s` of speech is already buffered.

        Args:
            chunk: Speech at 48 kHz. An empty one only carries its text.
            track: How the mouth moves for it.
            emotion: What its words feel like.
        """
        if chunk.audio.sample_rate != SPEECH_CLOCK_HZ:
            raise ValueError(f"playout takes {SPEECH_CLOCK_HZ} Hz, not {chunk.audio.sample_rate}")
        while self.buffered_samples >= self._limit:
            await self._wait()
        start = max(self.position, self._next_start)
        self._next_start = start + len(chunk.audio.pcm)
        speech = ScheduledSpeech(track, start, self._next_start, self.position, emotion)
        item = _Scheduled(chunk, speech)
        self._recent.append(item)
        self._reply.append(item)

    async def drained(self) -> None:
        """Return once everything pushed has been heard."""
        while self.speaking:
            await self._wait()

    def next_frame(self) -> NDArray[np.int16]:
        """The next 20 ms, int16 of shape (960,); zeros are silence."""
        frame = np.zeros(FRAME_SAMPLES, np.int16)
        first, end = self.position, self.position + FRAME_SAMPLES
        for item in self._recent:
            lo, hi = max(first, item.start), min(end, item.end)
            if lo < hi or (item.start == item.end and first <= item.start < end):
                frame[lo - first : hi - first] = item.chunk.audio.pcm[
                    lo - item.start : hi - item.start
                ]
                if first <= item.start < end and self._on_start is not None:
                    self._on_start(item.chunk)
        if self._fading is not None:
            frame[: len(self._fading)] = self._fading
            self._fading = None
        self.position = end
        self._recent = [item for item in self._recent if item.end > end - _REMEMBER_SAMPLES]
        self._moved.set()
        return frame

    def start_reply(self) -> None:
        """Begin to count what is heard anew."""
        self._reply = []

    def heard(self) -> str:
        """The text of this reply that has been heard, whole words only.

        Within a chunk the words are taken to be spread evenly over its audio.
        """
        return "".join(_heard_of(item, self.position) for item in self._reply).rstrip()

    def heard_samples(self) -> int:
        """Samples of this reply that have been heard."""
        return sum(max(0, min(item.end, self.position) - item.start) for item in self._reply)

    def clear(self) -> None:
        """Drop what has not been heard; what sounds now fades out within one frame."""
        position = self.position
        kept = []
        for item in self._recent:
            if item.start < position < item.end:
                tail = item.chunk.audio.pcm[position - item.start :][:FRAME_SAMPLES]
                ramp = np.linspace(1.0, 0.0, len(tail), dtype=np.float32)
                self._fading = (tail * ramp).astype(np.int16)
            if item.start < position + _PREPARED_SAMPLES:  # the face has to let go of it
                item.speech = replace(item.speech, end_sample=min(item.end, position))
                kept.append(item)
        self._recent = kept
        self._reply = [item for item in self._reply if item.start < position]
        self._next_start = position
        self._moved.set()

    async def _wait(self) -> None:
        self._moved.clear()
        await self._moved.wait()


def _heard_of(item: _Scheduled, position: int) -> str:
    text, total = item.chunk.text, len(item.chunk.audio.pcm)
    played = max(0, min(item.end, position) - item.start)
    if played >= total:
        return text if position >= item.end else ""
    room = int(len(text) * played / total)
    cut = text.rfind(" ", 0, room + 1)
    return text[: cut + 1] if cut > 0 else ""
