"""What was played, in step with what a microphone hears."""

import av
import numpy as np
from numpy.typing import NDArray

from speech.stages import LISTENING_RATE_HZ

PLAYED_RATE_HZ = 48_000

_LEAD_SAMPLES = LISTENING_RATE_HZ // 50  # played before it can be heard: a packet at least
_MOST_SAMPLES = LISTENING_RATE_HZ  # further ahead, the microphone has left something out
_SLACK_SAMPLES = LISTENING_RATE_HZ // 400  # drift that is worth a correction
_WATCHED_SAMPLES = 4 * LISTENING_RATE_HZ
_KEPT_SAMPLES = 4 * LISTENING_RATE_HZ


class Reference:
    """Pairs played and heard samples by counting both, so that a network's jitter moves nothing.

    The two clocks drift apart, and either side may stall. What that adds up to is put right while
    nothing is played; a microphone that falls back by a second, at once.
    """

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=LISTENING_RATE_HZ)
        self._waiting = np.zeros(0, np.int16)
        self._taken = np.zeros(_KEPT_SAMPLES, np.int16)
        self._next: int | None = None  # sample of the microphone
        self._least = _MOST_SAMPLES  # that waited, lately
        self._watched = 0

    def put(self, pcm: NDArray[np.int16]) -> None:
        """Add what was played: int16 at 48 kHz, shape (samples,)."""
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = PLAYED_RATE_HZ
        parts = [resampled.to_ndarray()[0] for resampled in self._resampler.resample(frame)]
        self._waiting = np.concatenate([self._waiting, *parts])

    def take(self, start: int, count: int) -> NDArray[np.int16]:
        """What was played while the microphone heard samples [start, start + count).

        Returns:
            int16 at 16 kHz, shape (count,); zeros where nothing was played yet.
        """
        behind = 0 if self._next is None else start - self._next
        self._next = start + count
        if behind > 0:  # samples that nobody listened to
            self._waiting = self._waiting[behind:]
        if len(self._waiting) > _MOST_SAMPLES + count or self._watched == 0 == start:
            self._waiting = self._waiting[-(_LEAD_SAMPLES + count) :]
        played = self._waiting[:count]
        self._waiting = self._waiting[count:]
        played = np.concatenate([played, np.zeros(count - len(played), np.int16)])
        self._taken = np.concatenate([self._taken[count:], played])[-_KEPT_SAMPLES:]
        self._watch(count)
        return played

    def earlier(self, count: int, delay: int) -> NDArray[np.int16]:
        """The last `count` samples taken, as they were `delay` samples ago."""
        end = len(self._taken) - delay
        return self._taken[max(0, end - count) : end]

    def _watch(self, count: int) -> None:
        """Put drift right in silence."""
        self._least = min(self._least, len(self._waiting))
        self._watched += count
        if self._watched < _WATCHED_SAMPLES or self._taken[-_SLACK_SAMPLES:].any():
            return
        excess = self._least - _LEAD_SAMPLES
        if excess > _SLACK_SAMPLES and not self._waiting[:excess].any():
            self._waiting = self._waiting[excess:]
        elif excess < -_SLACK_SAMPLES:
            self._waiting = np.pad(self._waiting, (-excess, 0))
        self._least, self._watched = _MOST_SAMPLES, 0
