"""Whether the lips move with the sound: pixels against samples, on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ

_GRID_HZ = 200
_MOUTH_BAND_HZ = (500, 3000)
"""Where a voice's loudness follows the mouth's opening best: around the second formant (Grant and
Seitz 2000, The use of visible speech cues for improving auditory detection of spoken sentences)."""
_BAND_S = (0.06, 0.8)
"""Both curves keep what changes within syllables and words: smoothed over the first span, less
their mean over the second. Slower changes (a smile, a loud sentence) say nothing of sync."""
_LARGEST_SKEW_S = 0.4
_SHORTEST_S = 1.5
_LEAST_CORRELATION = 0.35
_LEAST_LEAD = 0.1
_SAME_PEAK_S = 0.15
"""A lag counts if its correlation is this high, and this much higher than at any lag further than
`_SAME_PEAK_S` from it: a short answer may fit as well one syllable on."""

Curve = Sequence[tuple[float, float]]
"""(time in seconds, value), in order of time."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where two curves fit best.

    Attributes:
        lag_s: How far the sound runs ahead of the lips, in seconds.
        correlation: Pearson's r there.
    """

    lag_s: float
    correlation: float


def loudness_curve(frames: Sequence[tuple[float, NDArray[np.int16]]]) -> list[tuple[float, float]]:
    """Loudness every 10 ms of consecutive frames of sound, in the band that follows the mouth.

    Args:
        frames: (time of the first sample in seconds, int16 mono at 48 kHz), in order.

    Returns:
        (time of the window's middle, RMS).
    """
    if not frames:
        return []
    step = RATE_HZ // 100
    band = _band_pass(np.concatenate([pcm for _, pcm in frames]))
    curve: list[tuple[float, float]] = []
    begin = 0
    for start_s, pcm in frames:
        windows = band[begin : begin + len(pcm) // step * step].reshape(-1, step)
        times = start_s + (np.arange(len(windows)) + 0.5) * step / RATE_HZ
        curve.extend(zip(times.tolist(), np.sqrt((windows**2).mean(axis=1)).tolist(), strict=True))
        begin += len(pcm)
    return curve


def skew_s(mouth: Curve, loudness: Curve) -> float | None:
    """How far the sound runs ahead of the lips, in seconds: the lag of `alignment`."""
    fit = alignment(mouth, loudness)
    return None if fit is None else fit.lag_s


def alignment(mouth: Curve, loudness: Curve) -> Alignment | None:
    """How far the sound runs ahead of the lips, and how well they go together.

    The lag at which the two curves' normalised cross-correlation peaks, to a fraction of the
    5 ms grid by a parabola through the peak.

    Args:
        mouth: Openness over time.
        loudness: Loudness over time, on the same axis.

    Returns:
        The lag is positive when the sound is early (the bad direction, ITU-R BT.1359), negative
        when the lips are. None when there is too little of both, or no one lag fits best.
    """
    if not mouth or not loudness:
        return None
    begin = max(mouth[0][0], loudness[0][0])
    end = min(mouth[-1][0], loudness[-1][0])
    if end - begin < _SHORTEST_S:
        return None
    grid = np.arange(begin, end, 1 / _GRID_HZ)
    lips, sound = _band(mouth, grid), _band(loudness, grid)
    most = round(_LARGEST_SKEW_S * _GRID_HZ)
    scores = np.array([_correlation(lips, sound, lag) for lag in range(-most, most + 1)])
    peak = int(scores.argmax())
    if not 0 < peak < len(scores) - 1:
        return None
    elsewhere = np.abs(np.arange(len(scores)) - peak) > _SAME_PEAK_S * _GRID_HZ
    if scores[peak] < max(_LEAST_CORRELATION, scores[elsewhere].max() + _LEAST_LEAD):
        return None
    left, top, right = scores[peak - 1 : peak + 2]
    between = 0.5 * (left - right) / (left - 2 * top + right)
    return Alignment(float(peak + between - most) / _GRID_HZ, float(top))


def _band_pass(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(pcm.astype(np.float64))
    frequencies = np.fft.rfftfreq(len(pcm), 1 / RATE_HZ)
    spectrum[(frequencies < _MOUTH_BAND_HZ[0]) | (frequencies > _MOUTH_BAND_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(pcm))


def _correlation(lips: NDArray[np.float64], sound: NDArray[np.float64], lag: int) -> float:
    """Pearson's r of the lips `lag` grid steps later with the sound now."""
    first = lips[max(lag, 0) : len(lips) + min(lag, 0)]
    second = sound[max(-lag, 0) : len(sound) + min(-lag, 0)]
    scale = float(first.std() * second.std())
    return float(((first - first.mean()) * (second - second.mean())).mean()) / max(scale, 1e-12)


def _band(curve: Curve, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    times, values = np.array(curve, np.float64).T
    even = np.interp(grid, times, values)
    fine, coarse = (_moving_mean(even, round(span * _GRID_HZ) | 1) for span in _BAND_S)
    return fine - coarse


def _moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
