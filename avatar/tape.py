"""What a microphone has heard lately."""

import numpy as np
from numpy.typing import NDArray

from speech.stages import LISTENING_RATE_HZ

TAPE_S = 40
"""Longer than the longest utterance, which the endpointer limits."""


class Tape:
    """The last `TAPE_S` seconds of the microphone, addressed by sample.

    Attributes:
        end: One past the last sample.
        heard: One past the last sample that was looked through for a voice.
    """

    def __init__(self) -> None:
        self._pcm = np.zeros(2 * TAPE_S * LISTENING_RATE_HZ, np.int16)
        self._first = 0  # sample at _pcm[0]
        self.end = 0
        self.heard = 0

    def append(self, pcm: NDArray[np.int16]) -> None:
        """Add int16 samples at 16 kHz."""
        used = self.end - self._first
        if used + len(pcm) > len(self._pcm):
            keep = len(self._pcm) // 2
            self._pcm[:keep] = self._pcm[used - keep : used]
            self._first, used = self.end - keep, keep
        self._pcm[used : used + len(pcm)] = pcm
        self.end += len(pcm)

    def cut(self, start: int, end: int) -> NDArray[np.int16]:
        """A copy of samples [start, end), zeros where the tape has none."""
        out = np.zeros(end - start, np.int16)
        lo, hi = max(start, self._first), min(end, self.end)
        if lo < hi:
            out[lo - start : hi - start] = self._pcm[lo - self._first : hi - self._first]
        return out
