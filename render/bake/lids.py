"""Eyelids that meet: how far a blink must go on a given face.

MPFB's blink lowers the lid by the same millimetres on every face, so on a narrow eye the upper lid
goes through the lower one. Here each column of the lid goes just as far as the lower lid is.
"""

import numpy as np

from render.bake.source import Floats, Move

# Front edge of the lid margins in MPFB's base mesh (hm08), from the inner corner to the outer one:
# (eye, lid) -> vertices. No target changes their numbers. Eye 0 is the figure's left (x > 0).
_MARGINS = {
    (0, "upper"): (
        *(6850, 6847, 6886, 6844, 6841, 6838, 6785, 6784),
        *(6790, 6793, 6796, 6799, 6802, 6805, 6808),
    ),
    (1, "upper"): (66, 63, 102, 60, 57, 54, 1, 0, 6, 9, 12, 15, 18, 21, 24),
    (0, "lower"): (
        *(6856, 6837, 11695, 6834, 6831, 6828, 6825),
        *(6820, 6817, 6814, 11693, 6811, 6808),
    ),
    (1, "lower"): (72, 53, 5080, 50, 47, 44, 41, 36, 33, 30, 5078, 27, 24),
}
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_OVERLAP_M = 0.0003
"""How far a closed upper lid covers the lower one."""
_LEAST_DROP_M = 0.0025
"""A lid moves less near its corners, where it meets the other anyway."""


def lid_margin(eye: int, lid: str) -> tuple[int, ...]:
    """Vertices of the base mesh along a lid's margin.

    Eye 0 is the left; `lid` is "upper" or "lower".
    """
    return _MARGINS[eye, lid]


def met(rest: Floats, blink: Move, eye: int, share: float) -> Move:
    """`blink` scaled so that `share` of it, on top of `rest` (n, 3), brings the lids together."""
    upper, lower = (list(_MARGINS[eye, lid]) for lid in ("upper", "lower"))
    whole = np.zeros_like(rest)
    whole[blink.vertices] = blink.by
    x = rest[:, 0]
    part = np.ones(len(rest))
    for _ in range(4):
        closed = rest + share * part[:, None] * whole
        line = closed[lower][np.argsort(closed[lower, 0])]
        over = np.interp(closed[upper, 0], line[:, 0], line[:, 2]) - closed[upper, 2] - _OVERLAP_M
        drop = rest[upper, 2] - closed[upper, 2]
        moving = np.flatnonzero(-whole[upper, 2] > _LEAST_DROP_M)
        shorter = np.clip(1.0 - over[moving] / drop[moving], 0.5, 1.3)
        wanted = np.clip(part[upper][moving] * shorter, 0.3, 1.15)
        order = np.argsort(x[upper][moving])
        part = np.interp(x, x[upper][moving][order], wanted[order])
    return Move(blink.vertices, blink.by * part[blink.vertices, None])
