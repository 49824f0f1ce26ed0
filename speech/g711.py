"""G.711: telephone speech, 8 bits a sample at 8 kHz (ITU-T G.711, 11/88).

Both laws are tables. The decoder's follows the recommendation's tables 1 and 2; the encoder picks
the code whose value is nearest, and of two equally near ones that of the smaller magnitude, or the
positive one.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 8_000

Law = Literal["mu", "a"]


def decode(code: bytes, law: Law) -> NDArray[np.int16]:
    """Expand codes to PCM.

    Args:
        code: One byte a sample.
        law: μ-law or A-law.

    Returns:
        int16, shape (samples,), 8 kHz.
    """
    return _VALUES[law][np.frombuffer(code, np.uint8)]


def encode(pcm: NDArray[np.int16], law: Law) -> bytes:
    """Compress PCM to codes, one byte a sample.

    Args:
        pcm: int16, shape (samples,), 8 kHz.
        law: μ-law or A-law.
    """
    return _CODES[law][pcm.astype(np.int32) + 32768].tobytes()


def _mu_values() -> NDArray[np.int16]:
    """Of all 256 codes; the line's bits are inverted."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = ((mantissa.astype(np.int32) << 3) + 132 << exponent) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


def _a_values() -> NDArray[np.int16]:
    """Of all 256 codes; the line's even bits are inverted."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, linear, (linear + 256) << np.maximum(exponent - 1, 0))
    return np.where(code & 128, magnitude, -magnitude).astype(np.int16)


def _codes(values: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The nearest code for every int16, from -32768 on."""
    order = np.lexsort((-np.arange(256), values))  # of the two zeros of the μ-law, the positive
    sorted_values = values[order].astype(np.int32)
    pcm = np.arange(-32768, 32768)
    right = np.clip(np.searchsorted(sorted_values, pcm), 1, len(order) - 1)
    below, above = sorted_values[right - 1], sorted_values[right]
    to_below, to_above = np.abs(pcm - below), np.abs(above - pcm)
    is_tie, is_smaller = to_below == to_above, np.abs(below) < np.abs(above)
    takes_below = (to_below < to_above) | (is_tie & is_smaller)
    return order[np.where(takes_below, right - 1, right)].astype(np.uint8)


_VALUES: Final = {"mu": _mu_values(), "a": _a_values()}
_CODES: Final = {law: _codes(values) for law, values in _VALUES.items()}
