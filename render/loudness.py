"""How loud a stretch of speech is, as lips follow it."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from render.types import TRACK_RATE_HZ
from speech.types import AudioFrame

_FLOOR_DB, _FULL_DB = -38.0, -8.0  # against the chunk's own loud parts
_USUAL_DBFS = -16.5  # the 90th percentile of our voices, which are levelled to -20 dBFS on average
_DB_PER_EFFORT = 40.0
_EFFORTS = (0.55, 1.15)
_HOLD_FRAMES = 7  # on either side: gaps this short (stops) are part of the speech around them


@dataclass(frozen=True, slots=True)
class Loudness:
    """Loudness of a chunk over time.

    Attributes:
        effort: Factor on how far the mouth opens, from how loud the chunk is as a whole: people who
            speak up open their mouths more (Schulman 1989). 1 at the level that our voices have.
        level: float64 in [0, 1], shape (frames,), `TRACK_RATE_HZ` frames a second; 0 is silence,
            1 as loud as the chunk gets.
    """

    level: NDArray[np.float64]
    effort: float = 1.0

    @classmethod
    def of(cls, audio: AudioFrame) -> "Loudness":
        """Measure: RMS of 10 ms steps, held over short gaps, smoothed."""
        step = audio.sample_rate // TRACK_RATE_HZ
        count = len(audio.pcm) // step
        if not count or not audio.pcm.any():
            return cls(np.zeros(max(count, 1)))
        steps = audio.pcm[: count * step].reshape(count, step).astype(np.float64)
        rms = np.sqrt((steps**2).mean(1))
        loud = np.percentile(rms, 90) + 1e-9
        level = np.clip(
            (20 * np.log10(rms / loud + 1e-9) - _FLOOR_DB) / (_FULL_DB - _FLOOR_DB), 0, 1
        )
        width = 2 * _HOLD_FRAMES + 1
        held = sliding_window_view(np.pad(level, 2 * _HOLD_FRAMES), width).max(1)
        louder_db = 20 * np.log10(loud / 32768) - _USUAL_DBFS
        effort = float(np.clip(1 + louder_db / _DB_PER_EFFORT, *_EFFORTS))
        return cls(sliding_window_view(held, width).mean(1), effort)

    def around(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Level at times from the chunk's first sample; 0 well outside it, shape (times,)."""
        at = (np.arange(len(self.level)) + 0.5) / TRACK_RATE_HZ
        # Lips lead: the level just ahead counts, and beyond both ends it fades within the hold.
        edge = 2 * _HOLD_FRAMES / TRACK_RATE_HZ
        padded_at = np.concatenate([[at[0] - edge], at, [at[-1] + edge]])
        padded = np.concatenate([[0.0], self.level, [0.0]])
        return np.asarray(np.interp(times_s, padded_at, padded, left=0, right=0))
