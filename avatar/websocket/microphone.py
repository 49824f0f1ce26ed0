"""The voice of a client that sends it in messages: whatever rate in, 16 kHz out."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

import av
import numpy as np
from numpy.typing import NDArray

from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

QUEUE_LIMIT_S = 60.0
"""Audio that may wait for the listener, which takes hundreds of seconds a second."""


class LineMicrophone:
    """Takes sound in pieces of any length, as it is sent: in real time, or all at once."""

    def __init__(self) -> None:
        self._rate_hz = 0
        self._resampler: av.AudioResampler | None = None
        self._queue: deque[AudioFrame] = deque()
        self._queued = 0
        self._changed = asyncio.Event()
        self._ended = False
        self.position = 0
        """Samples taken so far, at 16 kHz; what `clear` dropped is not among them."""
        self._kept = 0  # `clear` drops nothing from before this sample

    def hear(self, pcm: NDArray[np.int16], rate_hz: int) -> bool:
        """Take in what follows the last piece; False if there is no room for it.

        Args:
            pcm: int16 mono, shape (samples,).
            rate_hz: Its rate.
        """
        if self._queued + len(pcm) * LISTENING_RATE_HZ // rate_hz > (
            QUEUE_LIMIT_S * LISTENING_RATE_HZ
        ):
            return False
        if len(pcm) and not self._ended:
            for part in self._resampled(pcm, rate_hz):
                self._queue.append(AudioFrame(part, LISTENING_RATE_HZ, self.position))
                self._queued += len(part)
                self.position += len(part)
            self._changed.set()
        return True

    def keep(self) -> int:
        """Let nothing that was taken so far be dropped; where that ends."""
        self._kept = self.position
        return self.position

    def clear(self) -> None:
        """Drop what nobody has listened to yet, and nobody has said is to be kept."""
        while self._queue and self._queue[-1].start_sample >= self._kept:
            dropped = len(self._queue.pop().pcm)
            self.position -= dropped
            self._queued -= dropped

    async def frames(self) -> AsyncGenerator[AudioFrame, None]:
        """Yield int16 mono frames at 16 kHz as they come, until the end. For one listener."""
        while True:
            while self._queue:
                frame = self._queue.popleft()
                self._queued -= len(frame.pcm)
                yield frame
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def end(self) -> None:
        """Let `frames` end after what is queued."""
        self._ended = True
        self._changed.set()

    def _resampled(self, pcm: NDArray[np.int16], rate_hz: int) -> list[NDArray[np.int16]]:
        if rate_hz == LISTENING_RATE_HZ:
            return [pcm]
        if self._resampler is None or rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=LISTENING_RATE_HZ)
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        resampled = self._resampler.resample(frame)
        return [np.asarray(part.to_ndarray(), np.int16).reshape(-1) for part in resampled]
