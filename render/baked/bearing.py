"""How head and body stand in a pose: what the last step of a frame bends the canvas by."""

import math

import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.kernels import Floats, Turn

# Turns by a positive angle take the first of these axes towards the second.
_YAW, _PITCH, _ROLL = (0, 1), (2, 1), (2, 0)
_YAW_BEFORE_M = 0.022  # the pivot: as the relief is shallower than a head, so its outline stays
_ROLL_BELOW_M = 0.040  # the pivot: a head tilts on the whole neck, and the chin goes along
_BODY_YAW, _BODY_ROLL = 0.28, 0.16  # of the head's, that the shoulders go along
_HIPS = np.array((0.0, 0.02, 0.22))
_BREATH_M, _BREATH_OF_HEAD = 0.0030, 0.35  # rise of the shoulders; share of the head's
_SWELL = 0.006  # of the chest, sideways

Affine = NDArray[np.float64]


def turn(face: BakedFace, head: Floats, breath: float) -> Turn:
    """What moves with the head and what with the body.

    Args:
        face: The face.
        head: Yaw, pitch and roll, shape (3,), in radians; signs as in `FacePose.head`.
        breath: Rise of the shoulders, in [0, 1].
    """
    yaw, pitch, roll = head.tolist()
    pivot = face.pivot.astype(np.float64)
    with_head = (
        _about(pivot - (0, _YAW_BEFORE_M, 0), _YAW, yaw)
        @ _about(pivot, _PITCH, pitch)
        @ _about(pivot - (0, 0, _ROLL_BELOW_M), _ROLL, roll)
    )
    with_body = _about(_HIPS, _YAW, _BODY_YAW * yaw) @ _about(_HIPS, _ROLL, _BODY_ROLL * roll)
    neck = np.array((0.0, pivot[1], face.neck[0], 1.0))
    with_head[:, 3] += with_body @ neck - neck
    with_head[2, 3] += _BREATH_OF_HEAD * _BREATH_M * breath
    with_body[0] *= 1 + _SWELL * breath
    with_body[2, 3] += _BREATH_M * breath
    return Turn(with_head[:3].astype(np.float32), with_body[:3].astype(np.float32), *face.neck)


def _about(pivot: Affine, axes: tuple[int, int], angle: float) -> Affine:
    """The turn about a point that leaves the third axis alone, shape (4, 4)."""
    i, j = axes
    c, s = math.cos(angle), math.sin(angle)
    out = np.eye(4)
    out[i, i] = out[j, j] = c
    out[i, j], out[j, i] = -s, s
    out[:3, 3] = pivot - out[:3, :3] @ pivot
    return out
