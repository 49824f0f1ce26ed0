"""Finds one's own voice in a microphone: whether it comes back, and how late."""

import numpy as np
from numpy.typing import NDArray

from speech.stages import LISTENING_RATE_HZ

LATEST_SAMPLES = LISTENING_RATE_HZ
"""An echo is looked for up to this late: network, jitter buffer and loudspeaker take 0.1-0.5 s."""

_LOOK_SAMPLES = LISTENING_RATE_HZ // 2
_EVERY_SAMPLES = LISTENING_RATE_HZ // 4
_TRANSFORM = 32_768  # holds a look and the latest echo without wrapping round
_AUDIBLE = 50.0  # RMS of int16 under which nothing is played
_KEPT = 0.8  # of the correlation, from look to look
# Peak over the median of the correlation. With two people talking at once, no echo, 23 at most in
# nine of ten minutes; with an echo at -30 dB, in rooms that ring for 0.15-0.5 s, 25 at least.
_SURE = 25.0
_STILL = 12.0  # where there was one
_NEAR_SAMPLES = LISTENING_RATE_HZ // 100  # two looks at one echo agree to 10 ms
# Looks share half of their sound: where a person and the voice begin at once, two agree by chance.
_LOOKS_TO_FIND = 3
_LOOKS_TO_TELL = 4  # that there is none
_LOOKS_TO_LOSE = 120  # 30 s of its own voice


class EchoFinder:
    """Looks four times a second while the voice sounds: 1 ms of CPU each.

    The correlation is GCC-PHAT (Knapp and Carter, IEEE Trans. ASSP 24, 1976), summed over looks.

    Attributes:
        delay: Samples at 16 kHz by which the echo is late, or None if there is none, as far as
            is known.
        sure: Whether it has looked often enough for `delay` to mean something.
    """

    def __init__(self) -> None:
        self.delay: int | None = None
        self.sure = False
        self._played = np.zeros(_LOOK_SAMPLES + LATEST_SAMPLES, np.int16)
        self._heard = np.zeros(_LOOK_SAMPLES, np.int16)
        self._since = 0
        self._looks = 0
        self._alone: int | None = None  # where the last look by itself was sure of one
        self._last: int | None = None
        self._agreeing = 0  # looks on end that found one in the same place
        self._correlation = np.zeros(LATEST_SAMPLES, np.float64)

    @property
    def suspects(self) -> bool:
        """Whether the last look found one, which others may not have confirmed yet."""
        return self._last is not None

    def step(self, heard: NDArray[np.int16], played: NDArray[np.int16]) -> None:
        """Take in what was played and what the microphone heard meanwhile.

        Args:
            heard: int16 at 16 kHz, shape (samples,), at most half a second.
            played: Likewise, equally long.
        """
        _shift_in(self._heard, heard)
        _shift_in(self._played, played)
        self._since += len(heard)
        if self._since >= _EVERY_SAMPLES:
            self._since = 0
            recent = _rms(self._played[-_LOOK_SAMPLES:])
            if recent > _AUDIBLE or (not self.sure and _rms(self._played) > _AUDIBLE):
                self._look()

    def _look(self) -> None:
        played = np.fft.rfft(self._played.astype(np.float64), _TRANSFORM)
        heard = np.fft.rfft(self._heard.astype(np.float64), _TRANSFORM)
        cross = heard * np.conj(played)
        size = np.abs(cross)
        cross /= size + 1e-3 * size.mean() + 1e-9
        lags = np.fft.irfft(cross, _TRANSFORM)[-LATEST_SAMPLES:]
        self._correlation = _KEPT * self._correlation + lags
        if self._has_jumped(lags):
            self._correlation, self._last = lags, int(lags.argmax())
        peak, height = _peak(self._correlation)
        is_old = height > _STILL and _is_near(peak, self.delay)
        is_found = height > _SURE and _is_near(peak, self._last)
        self._agreeing = self._agreeing + 1 if is_found else int(height > _SURE)
        if is_old or (is_found and (self.delay is not None or self._agreeing >= _LOOKS_TO_FIND)):
            self.delay, self.sure, self._looks = peak, True, 0
        else:
            self._looks += 1
            self.sure = self.sure or (height <= _SURE and self._looks >= _LOOKS_TO_TELL)
            if self._looks >= _LOOKS_TO_LOSE:
                self.delay = None
        self._last = peak if height > _SURE else None

    def _has_jumped(self, lags: NDArray[np.float64]) -> bool:
        """Whether two looks, each by itself, are sure of another place than the known one."""
        peak, height = _peak(lags)
        last, self._alone = self._alone, peak if height > _SURE else None
        is_elsewhere = self.delay is not None and not _is_near(peak, self.delay)
        return is_elsewhere and height > _SURE and _is_near(peak, last)


def _peak(correlation: NDArray[np.float64]) -> tuple[int, float]:
    """Its place, and how high it is over the median."""
    place = int(correlation.argmax())
    usual = 1.4826 * float(np.median(np.abs(correlation))) + 1e-12
    return place, float(correlation[place]) / usual


def _is_near(sample: int, other: int | None) -> bool:
    return other is not None and abs(sample - other) < _NEAR_SAMPLES


def _shift_in(kept: NDArray[np.int16], new: NDArray[np.int16]) -> None:
    kept[: -len(new)] = kept[len(new) :]
    kept[-len(new) :] = new


def _rms(pcm: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64))))
