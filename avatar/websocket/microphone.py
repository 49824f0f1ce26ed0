"""The voice of a client that sends it in messages: whatever rate in, 16 kHz out."""

from collections.abc import AsyncGenerator

import av
import numpy as np
from numpy.typing import NDArray

from avatar.sound_queue import SoundQueue
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

QUEUE_LIMIT_S = 60.0
"""Audio that may wait for the listener, which takes hundreds of seconds a second."""


class LineMicrophone:
    """Takes sound in pieces of any length, as it is sent: in real time, or all at once."""

    def __init__(self) -> None:
        self._rate_hz = 0
        self._resampler: av.AudioResampler | None = None
        self._queue = SoundQueue()
        self.position = 0
        """Samples taken so far, at 16 kHz; what `clear` dropped is not among them."""
        self._kept = 0  # `clear` drops nothing from before this sample

    def hear(self, pcm: NDArray[np.int16], rate_hz: int) -> bool:
        """Take in what follows the last piece; False if there is no room for it.

        Args:
            pcm: int16 mono, shape (samples,).
            rate_hz: Its rate.
        """
        if self._queue.samples + len(pcm) * LISTENING_RATE_HZ // rate_hz > (
            QUEUE_LIMIT_S * LISTENING_RATE_HZ
        ):
            return False
        if len(pcm) and not self._queue.has_ended:
            for part in self._resampled(pcm, rate_hz):
                self._queue.put(AudioFrame(part, LISTENING_RATE_HZ, self.position))
                self.position += len(part)
        return True

    def keep(self) -> int:
        """Let nothing that was taken so far be dropped; where that ends."""
        self._kept = self.position
        return self.position

    def clear(self) -> None:
        """Drop what nobody has listened to yet, and nobody has said is to be kept."""
        self.position -= self._queue.drop_from(self._kept)

    def frames(self) -> AsyncGenerator[AudioFrame, None]:
        """Yield int16 mono frames at 16 kHz as they come, until the end. For one listener."""
        return self._queue.frames()

    def end(self) -> None:
        """Let `frames` end after what is queued."""
        self._queue.end()

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
