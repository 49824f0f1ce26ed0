"""What to put where a packet of speech is missing."""

import numpy as np
from numpy.typing import NDArray

from render.types import SPEECH_CLOCK_HZ

FADE_S = 0.06
"""Made-up speech fades to silence over this: longer repetition sounds like a buzz.

ITU-T G.711 Appendix I, which this follows in outline, fades from 10 ms to 60 ms.
"""

_PITCH_HZ = (70, 400)  # of human voices
_STEP = 6  # pitch is searched at 8 kHz


def conceal(history: NDArray[np.int16], samples: int) -> NDArray[np.int16]:
    """Carry speech on over a gap: its last pitch period, repeated and faded out.

    Args:
        history: int16 at 48 kHz, shape (n,): what came before. 30 ms or more let the lowest
            voices be found.
        samples: Length of the gap.

    Returns:
        int16 at 48 kHz, shape (samples,).
    """
    period = _pitch_period(history)
    if period == 0:
        return np.zeros(samples, np.int16)
    repeated = np.resize(history[-period:], samples).astype(np.float32)
    fade = 1 - np.arange(samples, dtype=np.float32) / (FADE_S * SPEECH_CLOCK_HZ)
    return np.asarray(repeated * np.maximum(fade, 0), np.int16)


def _pitch_period(history: NDArray[np.int16]) -> int:
    """Lag at which the end of `history` most resembles what precedes it; 0 if it is too short."""
    coarse = history[::-1][::_STEP][::-1].astype(np.float32)
    shortest, longest = (SPEECH_CLOCK_HZ // _STEP // hz for hz in reversed(_PITCH_HZ))
    longest = min(longest, len(coarse) // 2)
    if longest <= shortest:
        return 0
    recent = coarse[-longest:]
    lags = np.arange(shortest, longest + 1)
    likeness = [
        float(recent @ earlier) / (float(np.linalg.norm(earlier)) + 1.0)
        for earlier in (coarse[len(coarse) - longest - lag : len(coarse) - lag] for lag in lags)
    ]
    return int(lags[int(np.argmax(likeness))]) * _STEP
