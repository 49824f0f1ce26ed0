"""Whether the lips in the pixels move with the sound, and close where lips must.

**Lag.** The opening of the lips is read from every rendered frame (`render.mouth`, which knows
neither pose nor phonemes) and stands at the frame's own sample. Against it stands the loudness of
the audio in the band that follows the mouth, in decibels above a floor. The lag is where the two
correlate best (`avatar.client.lip_sync`). Sentences lie on one axis with silence between, so that
many syllables decide. They begin at different phases of a frame, so that none is favoured.

**Closing.** For each p, b and m the least opening of the frames that are on the screen while it
sounds: a frame stays 40 ms, so those from half a frame before the phoneme to half a frame after
it. The times are the voice's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.client.lip_sync import Alignment, Curve, alignment, loudness_curve
from bench.face.stage import FRAME, Performance
from render.types import SPEECH_CLOCK_HZ
from speech.phonemes import VISEME_OF

CLOSED_M = 0.001
"""Lips that are no farther apart are closed: the meter reads up to 0.4 mm on sealed ones."""

_BETWEEN_S = 1.0
_FLOOR_DB = -40.0  # from the peak


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pixels of one performance showed.

    Attributes:
        performance: What was played.
        opening_m: float64, shape (frames,): between the lips, beyond rest, in metres.
    """

    performance: Performance
    opening_m: NDArray[np.float64]

    @property
    def at_sample(self) -> NDArray[np.int64]:
        """The frames' places on the speech clock."""
        return np.array([pose.at_sample for pose in self.performance.poses], np.int64)


def lag(seen: Sequence[Seen], audio_late_s: float = 0.0) -> Alignment | None:
    """How far the lips come after the sound, over all performances.

    Args:
        seen: At least one.
        audio_late_s: Plays the audio so much later: the lag must fall by it, or the measurement
            is blind.
    """
    mouth: list[tuple[float, float]] = []
    sound: list[tuple[float, NDArray[np.int16]]] = []
    origin_s = 0.0
    for one in seen:
        first = int(one.at_sample[0])
        times = origin_s + (one.at_sample - first) / SPEECH_CLOCK_HZ
        mouth += zip(times.tolist(), one.opening_m.tolist(), strict=True)
        begins_s = origin_s + (one.performance.first_sample - first) / SPEECH_CLOCK_HZ
        pcm = np.concatenate([chunk.audio.pcm for chunk in one.performance.chunks])
        sound.append((begins_s + audio_late_s, pcm))
        origin_s = float(times[-1]) + _BETWEEN_S
    return alignment(mouth, decibels(loudness_curve(_with_silence(sound))))


def decibels(loudness: Curve) -> list[tuple[float, float]]:
    """A curve of loudness in decibels from its peak, down to a floor."""
    times, rms = np.array(loudness).T
    level_db = 20 * np.log10(np.maximum(rms / rms.max(initial=1e-9), 10 ** (_FLOOR_DB / 20)))
    return list(zip(times.tolist(), level_db.tolist(), strict=True))


def closures(seen: Seen) -> list[float]:
    """The least opening in metres during each p, b and m."""
    return [
        float(np.min(seen.opening_m[shown], initial=np.inf))
        for begin, end in _bilabials(seen.performance)
        for shown in [(seen.at_sample >= begin - FRAME // 2) & (seen.at_sample <= end + FRAME // 2)]
    ]


def closed_ratio(openings_m: Sequence[float]) -> float | None:
    """The share of closed ones; None of nothing."""
    return float(np.mean(np.array(openings_m) <= CLOSED_M)) if openings_m else None


def _bilabials(performance: Performance) -> Iterator[tuple[int, int]]:
    for start, chunk in zip(performance.starts, performance.chunks, strict=True):
        for timing in chunk.phonemes:
            if VISEME_OF.get(timing.phoneme) == "PP":
                yield start + timing.start_sample, start + timing.end_sample


def _with_silence(
    sound: Sequence[tuple[float, NDArray[np.int16]]],
) -> list[tuple[float, NDArray[np.int16]]]:
    """The same with zeros between, so that one curve leads down to silence and up again."""
    out: list[tuple[float, NDArray[np.int16]]] = []
    for begins_s, pcm in sound:
        if out:
            last_s = out[-1][0] + len(out[-1][1]) / SPEECH_CLOCK_HZ
            gap = round((begins_s - last_s) * SPEECH_CLOCK_HZ) // 480 * 480
            out.append((last_s, np.zeros(gap, np.int16)))
        out.append((begins_s, pcm))
    return out
