"""Pixels as words, whose channels are weighed all at once.

A word is Y, U, V, A from the lowest byte. Spread over 64 bits, each channel has 16 of its own, so
that one product weighs all four: from the lowest, Y, V, U, A. Weights are in 1 / 256.
"""

import numpy as np

from render.baked.kernels import Words, inlined

_u64 = np.uint64
_ONE = np.uintp(1)  # unsigned, so that numba leaves out the test for negative indices
_SPREAD, _HALVES = _u64(0x00FF00FF00FF00FF), _u64(0x0080008000800080)
_8, _24 = _u64(8), _u64(24)
_FULL = _u64(256)
_COLOURS, _ALPHA = np.uint32(0x00FFFFFF), np.uint32(0xFF000000)


@inlined
def spread(word: np.uint32) -> np.uint64:
    """A word, spread."""
    wide = _u64(word)
    return (wide | (wide << _24)) & _SPREAD


@inlined
def sample(words: Words, stride: int, u: int, v: int) -> np.uint64:
    """Bilinear sample, spread, at a position in 1 / 256 texels.

    Positions must be non-negative and leave a texel right and below.
    """
    fu, fv = u & 255, v & 255
    k11 = (fu * fv) >> 8
    k10, k01 = fu - k11, fv - k11
    k00 = 256 - fu - k01
    above = np.uintp((v >> 8) * stride + (u >> 8))
    below = above + np.uintp(stride)
    total = (
        spread(words[above]) * _u64(k00)
        + spread(words[above + _ONE]) * _u64(k10)
        + spread(words[below]) * _u64(k01)
        + spread(words[below + _ONE]) * _u64(k11)
        + _HALVES
    )
    return (total >> _8) & _SPREAD


@inlined
def mixed(under: np.uint64, over: np.uint64, share: int) -> np.uint64:
    """Two spread words, `share` of 256 of the second."""
    more = _u64(share)
    return ((under * (_FULL - more) + over * more + _HALVES) >> _8) & _SPREAD


@inlined
def put(words: Words, y: np.uintp, x: np.uintp, wide: np.uint64) -> None:
    """Write the colours of a spread word; alpha stays as it is."""
    word = np.uint32(wide | (wide >> _24))
    words[y, x] = (word & _COLOURS) | (words[y, x] & _ALPHA)
