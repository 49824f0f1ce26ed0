"""Skew between what a browser shows and what it plays, from pixels and samples.

Both are read in the page, on the clock of `performance.now()`. **Seen**: the opening of the lips in
the picture on the page, at the time at which the browser says that it is on the screen. **Heard**:
the voice's samples as they leave for the loudspeaker, and the output's latency as the browser
states it. The call is cut into windows with 6 s of speech each, however long they take; the lag of
best correlation is taken of each, as in `bench.face.lips`, if one stands out. One window's lag
scatters by some 20 ms, for speech is no test signal; their median by far less, and their slope is
the drift.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avatar.client.lip_sync import Curve, alignment, loudness_curve
from bench.face.lips import decibels
from bench.face.report import Metrics

SPEECH_S = 6.0
_LOUD_DB = -30.0

Sound = tuple[float, NDArray[np.int16]]


def on_page_clock(noticed: Sequence[tuple[float, float, NDArray[np.int16]]]) -> list[Sound]:
    """Give runs of samples the times at which they left, not those at which the page noticed.

    A run is noticed at once or later, so the two clocks differ by the least difference.

    Args:
        noticed: (seconds on the page's clock, the run's own time stamp in seconds, int16 mono at
            48 kHz), in order.
    """
    offset_s = min((at_s - stamp_s for at_s, stamp_s, _ in noticed), default=0.0)
    return [(stamp_s + offset_s, pcm) for _, stamp_s, pcm in noticed]


def window_skews(seen: Curve, heard: Sequence[Sound]) -> list[tuple[float, float]]:
    """Skew of each window that allows one.

    Args:
        seen: (seconds, opening of the lips).
        heard: (seconds, int16 mono at 48 kHz), in order.

    Returns:
        (seconds at the window's middle, skew in seconds): positive when the sound is early.
    """
    if not seen or not heard:
        return []
    sound = np.array(decibels(loudness_curve(heard)))
    mouth = np.array(seen)
    begin_s, end_s = max(mouth[0, 0], sound[0, 0]), min(mouth[-1, 0], sound[-1, 0])
    sound = sound[(sound[:, 0] >= begin_s) & (sound[:, 0] <= end_s)]
    if not len(sound):
        return []
    spoken_s = np.cumsum(sound[:, 1] > _LOUD_DB) / 100
    cuts = np.searchsorted(spoken_s, np.arange(0, spoken_s[-1] + 1e-9, SPEECH_S))
    out = []
    for first, last in itertools.pairwise(sound[cuts, 0].tolist()):
        inside = [c[(c[:, 0] >= first) & (c[:, 0] < last)] for c in (mouth, sound)]
        fit = alignment(*([(t, v) for t, v in curve.tolist()] for curve in inside))
        if fit is not None:
            out.append(((first + last) / 2, fit.lag_s))
    return out


def skew_metrics(skews: Sequence[tuple[float, float]]) -> Metrics:
    """Median, 95th percentile of the size, and drift, in ms and ms a minute; null of nothing."""
    if not skews:
        return {"skew_ms": None, "skew_p95_ms": None, "drift_ms_per_minute": None, "windows": 0}
    ms = np.array([skew_s for _, skew_s in skews]) * 1e3
    return {
        "skew_ms": float(np.median(ms)),
        "skew_p95_ms": float(np.percentile(np.abs(ms), 95)),
        "drift_ms_per_minute": _slope(skews),
        "windows": len(skews),
    }


def _slope(skews: Sequence[tuple[float, float]]) -> float | None:
    """Median of the slopes between all pairs (Theil 1950, Sen 1968), in ms a minute."""
    slopes = [(b - a) * 1e3 / ((t - s) / 60) for (s, a), (t, b) in itertools.combinations(skews, 2)]
    return float(np.median(slopes)) if slopes else None
