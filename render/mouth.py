"""Measures from pixels alone how open the mouth of a face in a video frame is.

For the headless client, benchmarks and tests, which see only what a caller receives: a decoded
frame after lossy coding, with the head moving. No part of drawing a face.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.compositor import frame_scale
from render.baked.scaled import yuva

Luma = NDArray[np.uint8]

_WORK = 0.5  # working pixels per plate pixel
_VIEW = (288, 352, 736, 812)  # plate x0, y0, x1, y1: nose to throat, and room for head motion
_ANCHOR = (392, 432, 632, 524)  # nose and cheeks: move with the skull
_CHIN = (440, 576, 584, 692)  # lower lip and chin: move with the jaw
_FULL_PX = 24.0  # working pixels that the jaw drops in a wide "ah"
_OPEN_PX = 2.5  # more than head motion and coding make of a closed mouth


class MouthMeter:
    """Tells how far the lower lip is from where it rests, for one face and frame size.

    The skull is found by matching the nose and cheeks, then the lower lip and chin are found
    below it; what the distance grew by is the opening. Stateless.

    Args:
        width: Of the frames, in pixels.
        height: The same.
        face: The face that the frames show.
    """

    def __init__(self, width: int, height: int, face: BakedFace) -> None:
        plate_px = face.camera.plate_px
        scale = frame_scale(plate_px, width, height)
        corner = np.array([width / 2, height]) - np.array([plate_px / 2, plate_px]) * scale
        box = [round(v * scale + c) for v, c in zip(_VIEW, (*corner, *corner), strict=True)]
        self._rows, self._columns = slice(max(box[1], 0), box[3]), slice(max(box[0], 0), box[2])
        self._size = (round((_VIEW[2] - _VIEW[0]) * _WORK), round((_VIEW[3] - _VIEW[1]) * _WORK))
        rest = face.plates["rest"]
        x0, y0 = (int(v) for v in rest.origin)
        view = rest.bgra[_VIEW[1] - y0 : _VIEW[3] - y0, _VIEW[0] - x0 : _VIEW[2] - x0]
        luma = yuva(view)[..., 0]
        small = np.asarray(cv2.resize(luma, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        self._anchor, self._anchor_at = _template(small, _ANCHOR)
        self._chin, self._chin_at = _template(small, _CHIN)

    def openness(self, luma: Luma) -> float:
        """How open the mouth is: 0 at rest, about 1 in a wide "ah".

        Args:
            luma: uint8, shape (height, width): the frame's Y plane.
        """
        return max(0.0, self._drop(luma)) / _FULL_PX

    def is_open(self, luma: Luma) -> bool:
        """Whether the mouth is open beyond what motion and coding make of a closed one."""
        return self._drop(luma) > _OPEN_PX

    def _drop(self, luma: Luma) -> float:
        """How far the lower lip and chin are below their place at rest, in working pixels."""
        view = np.asarray(
            cv2.resize(luma[self._rows, self._columns], self._size, interpolation=cv2.INTER_AREA),
            np.uint8,
        )
        skull = _find(view, self._anchor, self._anchor_at, (-28, 28), (-20, 20))
        expected = (self._chin_at[0] + skull[0], self._chin_at[1] + skull[1])
        jaw = _find(view, self._chin, (round(expected[0]), round(expected[1])), (-5, 5), (-5, 40))
        return jaw[1] + round(expected[1]) - expected[1]


def _template(view: Luma, box: tuple[int, int, int, int]) -> tuple[Luma, tuple[int, int]]:
    """A part of the view given by plate coordinates, and its corner in working pixels."""
    x0, y0 = (round((box[k] - _VIEW[k]) * _WORK) for k in range(2))
    x1, y1 = (round((box[k + 2] - _VIEW[k]) * _WORK) for k in range(2))
    return view[y0:y1, x0:x1], (x0, y0)


def _find(
    view: Luma, part: Luma, at: tuple[int, int], dx: tuple[int, int], dy: tuple[int, int]
) -> tuple[float, float]:
    """How far `part` has moved from `at`: the best normalised correlation, to under a pixel."""
    height, width = part.shape
    left, top = max(at[0] + dx[0], 0), max(at[1] + dy[0], 0)
    right = min(at[0] + dx[1] + width, view.shape[1])
    bottom = min(at[1] + dy[1] + height, view.shape[0])
    area = view[top:bottom, left:right]
    score = np.asarray(cv2.matchTemplate(area, part, cv2.TM_CCOEFF_NORMED), np.float32)
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    return (
        left - at[0] + int(x) + _vertex(score[y, :], int(x)),
        top - at[1] + int(y) + _vertex(score[:, x], int(y)),
    )


def _vertex(scores: NDArray[np.floating], peak: int) -> float:
    """Where a parabola through the peak and its neighbours is highest, from the peak."""
    if not 0 < peak < len(scores) - 1:
        return 0.0
    before, here, after = (float(scores[peak + k]) for k in (-1, 0, 1))
    curvature = before - 2 * here + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0
