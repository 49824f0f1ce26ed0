"""Randomness that is a function of time: the same seed, channel and time give the same value."""

import math
from functools import lru_cache

_MASK = (1 << 64) - 1


@lru_cache(1 << 12)  # a face asks for the same forty or so, frame after frame
def uniform(seed: int, channel: int, index: int) -> float:
    """A number in [0, 1) for an index, independent between seeds, channels and indices.

    SplitMix64's finaliser (Steele, Lea & Flood, 2014) over a linear mix of the three.
    """
    x = (
        seed * 0x9E3779B97F4A7C15 + channel * 0xD1B54A32D192ED03 + index * 0x8CB92BA72F3D8DD7
    ) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((x ^ (x >> 31)) >> 11) / (1 << 53)


def drift(seed: int, channel: int, at_s: float, period_s: float) -> float:
    """Smooth noise in [-1, 1] that turns about once every `period_s` (Perlin, 1985, in 1-D)."""
    position = at_s / period_s
    index = math.floor(position)
    f = position - index
    before = (uniform(seed, channel, index) * 2 - 1) * f
    after = (uniform(seed, channel, index + 1) * 2 - 1) * (f - 1)
    blend = f * f * f * (f * (f * 6 - 15) + 10)
    return max(-1.0, min(1.0, 2 * (before + blend * (after - before))))


def ease(x: float) -> float:
    """Smoothstep: 0 up to 0, 1 from 1, and flat at both ends."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)


def glide(x: float) -> float:
    """From 0 to 1 with the least jerk (Flash & Hogan 1985): how limbs, heads and eyes move."""
    x = min(1.0, max(0.0, x))
    return x * x * x * (10 - 15 * x + 6 * x * x)


def bump(since_s: float, rise_s: float, fall_s: float) -> float:
    """A rise and a fall that start at 0: 0 before, 1 after `rise_s`, 0 after both."""
    if since_s <= rise_s:
        return ease(since_s / rise_s)
    return 1 - ease((since_s - rise_s) / fall_s)
