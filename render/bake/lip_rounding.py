"""Rounds the funnel of the lips, which the face units leave pointed below and wide.

The units draw the middle of the lower lip down by 7 mm and its sides by little, and the corners in
by 4 mm, so that an "o" over an open jaw is a triangle. Here the sides follow the middle, and the
corners come in as far again.
"""

import numpy as np

from render.bake.source import Floats
from render.types import ARKIT

_SIDES_M, _CORNERS_M = 0.0036, 0.0050  # how far the sides go down and the corners in, at weight 1
_JAW_M = (0.0325, 0.0125)  # jawOpen 1 moves the lower lip's middle, and its corners, down
_SKEW = 0.62  # of the way between those: the sides' fullest is nearer to the middle
_LOWER_M = (0.0105, 0.0145)  # it moves the upper lip down by less than this, the lower lip by more
_CORNER_M, _AROUND_M = (
    0.0215,
    (0.013, 0.016),
)  # from the middle; skin that goes along, across and up
_RISE = 0.25  # of the line between the lips, towards the corners
_CHIN_M = (0.012, 0.027)  # below where the lips meet, between which the sides stay behind
_DEEP_M = (0.012, 0.030)  # behind it, the same of what lines the mouth
_FUNNEL, _JAW = ARKIT.index("mouthFunnel"), ARKIT.index("jawOpen")


def rounded(vertices: Floats, deltas: Floats, mouth: Floats) -> Floats:
    """Displacements, (52, v, 3) metres, with a rounder mouthFunnel.

    Args:
        vertices: Shape (v, 3), metres, at rest.
        deltas: Shape (52, v, 3), metres.
        mouth: Where the lips meet in the middle, shape (3,).
    """
    x, z = vertices[:, 0], vertices[:, 2] - mouth[2]
    front = 1 - _step(vertices[:, 1] - mouth[1], *_DEEP_M)
    drop = -deltas[_JAW, :, 2]
    along = np.clip((_JAW_M[0] - drop) / (_JAW_M[0] - _JAW_M[1]), 0, 1)
    sides = np.sin(np.pi * along**_SKEW) ** 2 * _step(drop, *_LOWER_M)
    sides *= (1 - _step(-z, *_CHIN_M)) * front
    across = (np.abs(x) - _CORNER_M) / _AROUND_M[0]
    up = (z - _RISE * (np.abs(x) - _CORNER_M)) / _AROUND_M[1]
    corners = np.exp(-(across**2) - up**2) * _step(np.abs(x), 0.0, _CORNER_M) * front
    out = deltas.copy()
    out[_FUNNEL, :, 2] -= _SIDES_M * sides
    out[_FUNNEL, :, 0] -= _CORNERS_M * corners * np.sign(x)
    return out


def _step(value: Floats, start: float, end: float) -> Floats:
    """Cubic step from 0 at `start` to 1 at `end`."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
