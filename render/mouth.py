"""Measures from pixels alone how far the lips of a face in a video frame are apart.

For the headless client, benchmarks and tests, which see only what a caller receives: a decoded
frame after lossy coding, with the head moving. No part of drawing a face.

The skull is found by matching the nose and cheeks of the rest plate, at a few rolls of the head.
Below it the chin is found, and between them both lips, each by its own texture from its inner
margin outwards. What the distance between the two grew by since rest is the opening of the inner
lips: a jaw that drops behind closed lips moves both alike, and lips that roll in come closer.
Normalised correlation does not ask how bright skin, beard or mouth are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.compositor import frame_scale
from render.baked.pictures import yuva
from render.baked.rig import Camera, Mesh

Luma = NDArray[np.uint8]
_Box = tuple[float, float, float, float]

FULL_M = 0.016
"""Between the lips in a wide "ah", in metres."""
PARTED_M = 0.0015
"""More than motion and coding make of closed lips, in metres."""

# Boxes in units of the distance from eyes to mouth, from the middle of the mouth: x0, y0, x1, y1.
# The lips' are narrow, for rounding bends a lip; and end above the chin, which looks like a lip.
_VIEW: _Box = (-1.12, -1.20, 1.12, 1.05)
_ANCHOR: _Box = (-0.44, -0.72, 0.44, -0.20)
_UPPER: _Box = (-0.10, -0.15, 0.10, -0.010)
_LOWER: _Box = (-0.07, 0.012, 0.07, 0.13)
_CHIN: _Box = (-0.36, 0.22, 0.36, 0.50)
_ANCHOR_REACH = (0.66, 0.48)
_CHIN_REACH = (-0.10, 0.42)
_SIDEWAYS = (-0.08, 0.08)
_UPPER_REACH = (-0.10, 0.14)
_LOWER_REACH = (-0.10, 0.42)
_WITH_CHIN = (-0.10, 0.20)  # a lower lip's chin has moved so much more
_COARSE = 0.25  # working pixels per plate pixel in which the skull is looked for
_ROLLS_RAD = np.radians([-8.0, -4.0, 0.0, 4.0, 8.0])

_NEAR_MIDDLE_M = 0.003
_ON_SURFACE_M = 0.002
_JAW_SPLIT_M = 0.012  # lower lip less upper, at jawOpen 1, at the least


class MouthMeter:
    """Tells how far the lips are apart beyond where they rest, for one face and frame size.

    Stateless.

    Args:
        width: Of the frames, in pixels.
        height: The same.
        face: The face that the frames show.

    Raises:
        ValueError: The face's lower lip does not move with its jaw.
    """

    def __init__(self, width: int, height: int, face: BakedFace) -> None:
        camera = face.camera
        self._scale = frame_scale(camera.plate_px, width, height)
        self._corner = np.array([width / 2, height]) - (
            np.array([camera.plate_px / 2, camera.plate_px]) * self._scale
        )
        self._middle, depth = lip_line(face.mesh, camera)
        self._unit = float(self._middle[1] - camera.project(face.eyes)[:, 1].mean())
        self._metres = (depth + camera.distance) / (camera.focal * camera.plate_px)
        corner, size = self._box(_VIEW)
        self._origin, self._size = corner, (round(size[0]), round(size[1]))
        rest = face.plates["rest"]
        offset = corner - rest.origin
        to_plate = np.array([[1, 0, offset[0]], [0, 1, offset[1]]]) / rest.scale
        view = _warped(yuva(rest.bgra)[..., 0], to_plate, self._size)
        coarse = _shrunk(view)
        self._upper = _Part.cut(view, _UPPER, self._unit)
        self._lower = _Part.cut(view, _LOWER, self._unit)
        self._chin = _Part.cut(coarse, _CHIN, self._unit * _COARSE)
        self._anchors = [
            _Part.cut(_turned(coarse, roll, self._unit * _COARSE), _ANCHOR, self._unit * _COARSE)
            for roll in _ROLLS_RAD
        ]

    def opening_m(self, luma: Luma) -> float:
        """How much farther than at rest the lips are apart, in metres; below 0 when pressed.

        Args:
            luma: uint8, shape (height, width): the frame's Y plane.
        """
        roll, moved = self._skull(self._view(luma, 0.0, np.zeros(2)))
        view = self._view(luma, roll, moved)
        upper = self._upper.find(view, _SIDEWAYS, _UPPER_REACH)[0][1]
        return (self._lower_lip(view) - upper) * self._unit * self._metres

    def openness(self, luma: Luma) -> float:
        """How open the mouth is: 0 at rest, about 1 in a wide "ah".

        Args:
            luma: As for `opening_m`.
        """
        return max(0.0, self.opening_m(luma)) / FULL_M

    def is_open(self, luma: Luma) -> bool:
        """Whether the lips are apart beyond what motion and coding make of closed ones."""
        return self.opening_m(luma) > PARTED_M

    def _lower_lip(self, view: Luma) -> float:
        """How far the lower lip moved down, in units: where it and its chin fit best together."""
        score, down = self._lower.scores(view, _SIDEWAYS, _LOWER_REACH)
        chins, chin_down = self._chin.scores(_shrunk(view), _SIDEWAYS, _CHIN_REACH)
        lips, chin = score.max(1), chins.max(1)
        apart = chin_down[None] - down[:, None]
        with_it = (apart >= _WITH_CHIN[0]) & (apart <= _WITH_CHIN[1])
        fit = lips + np.where(with_it, chin[None], -1).max(1)
        best = int(fit.argmax())
        return float(down[best] + _vertex(lips, best) * (down[1] - down[0]))

    def _box(self, box: _Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Corner and size of a box in plate pixels."""
        corners = np.array(box).reshape(2, 2) * self._unit + self._middle
        return corners[0], corners[1] - corners[0]

    def _view(self, luma: Luma, roll: float, moved: NDArray[np.float64]) -> Luma:
        """The lower face at plate scale, with a head that rolled and moved put upright again.

        Args:
            luma: The frame.
            roll: In radians, about the middle of the anchor.
            moved: Plate pixels, x and y.
        """
        corner, size = self._box(_ANCHOR)
        pivot = corner + size / 2
        turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        shift = turn @ (self._origin - pivot) + pivot + moved
        to_frame = self._scale * np.column_stack([turn, shift])
        to_frame[:, 2] += self._corner
        return _warped(luma, to_frame, self._size)

    def _skull(self, view: Luma) -> tuple[float, NDArray[np.float64]]:
        """Roll of the head in radians, and how far nose and cheeks moved in plate pixels."""
        coarse = _shrunk(view)
        x, y = ((-v, v) for v in _ANCHOR_REACH)
        found = [anchor.find(coarse, x, y) for anchor in self._anchors]
        scores = np.array([score for _, score in found])
        best = int(scores.argmax())
        roll = _ROLLS_RAD[best] + _vertex(scores, best) * (_ROLLS_RAD[1] - _ROLLS_RAD[0])
        return float(roll), np.array(found[best][0]) * self._unit


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the view as it looks at rest.

    Attributes:
        picture: uint8, shape (h, w).
        at: Pixel (x, y) of its top left corner in the view.
        unit_px: The unit of the boxes.
    """

    picture: Luma
    at: tuple[int, int]
    unit_px: float

    @classmethod
    def cut(cls, view: Luma, box: _Box, unit_px: float) -> "_Part":
        """Cut a box out of a view at rest."""
        x0, y0, x1, y1 = (
            round((v - o) * unit_px) for v, o in zip(box, (*_VIEW[:2], *_VIEW[:2]), strict=True)
        )
        return cls(view[y0:y1, x0:x1], (x0, y0), unit_px)

    def find(
        self, view: Luma, reach_x: tuple[float, float], reach_y: tuple[float, float]
    ) -> tuple[tuple[float, float], float]:
        """Where the part is in a view, to under a pixel.

        Args:
            view: As large as the one that it was cut from.
            reach_x: How far to the left and right to look, in units.
            reach_y: The same, up and down.

        Returns:
            How far it moved, x and y in units; and its normalised correlation there.
        """
        score, down = self.scores(view, reach_x, reach_y)
        y, x = (int(n) for n in np.unravel_index(int(score.argmax()), score.shape))
        left = max(self.at[0] + round(reach_x[0] * self.unit_px), 0)
        moved_x = (left - self.at[0] + x + _vertex(score[y, :], x)) / self.unit_px
        moved_y = float(down[y]) + _vertex(score[:, x], y) / self.unit_px
        return (moved_x, moved_y), float(score[y, x])

    def scores(
        self, view: Luma, reach_x: tuple[float, float], reach_y: tuple[float, float]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Normalised correlation in every place.

        Args:
            view: As for `find`.
            reach_x: The same.
            reach_y: The same.

        Returns:
            float32, shape (down, across); and how far down each row is, in units, shape (down,).
        """
        height, width = self.picture.shape
        (left, right), (top, bottom) = (
            (at + round(reach[0] * self.unit_px), at + round(reach[1] * self.unit_px) + size)
            for at, reach, size in zip(self.at, (reach_x, reach_y), (width, height), strict=True)
        )
        left, top = max(left, 0), max(top, 0)
        area = view[top:bottom, left:right]
        score = np.asarray(cv2.matchTemplate(area, self.picture, cv2.TM_CCOEFF_NORMED), np.float32)
        return score, (top - self.at[1] + np.arange(len(score))) / self.unit_px


def lip_line(mesh: Mesh, camera: Camera) -> tuple[NDArray[np.float64], float]:
    """Where the lips meet in the middle: plate position (x, y), and depth y in metres.

    It is where, going down the visible surface, the jaw begins to carry the skin along.

    Raises:
        ValueError: It does so nowhere.
    """
    at = camera.project(mesh.vertices)
    cells = np.clip(at[:, :2] * len(mesh.relief) / camera.plate_px, 0, len(mesh.relief) - 1)
    column, row = cells.astype(int).T
    seen = at[:, 2] - mesh.relief[row, column] < _ON_SURFACE_M
    chosen = np.flatnonzero(seen & (np.abs(mesh.vertices[:, 0]) < _NEAR_MIDDLE_M))
    chosen = chosen[np.argsort(at[chosen, 1])]
    drop = mesh.vertices[chosen, 2] - mesh.morphed({"jawOpen": 1.0})[chosen, 2]
    steps = np.diff(drop)
    if not len(steps) or steps.max() < _JAW_SPLIT_M:
        raise ValueError("the lower lip does not move with the jaw")
    ends = at[chosen[[steps.argmax(), steps.argmax() + 1]]]
    return np.array([camera.plate_px / 2, ends[:, 1].mean()]), float(ends[:, 2].mean())


def _warped(picture: Luma, matrix: NDArray[np.float64], size: tuple[int, int]) -> Luma:
    """A view of a picture; `matrix` (2, 3) takes the view's positions to the picture's."""
    centres = matrix.copy()  # positions are continuous, OpenCV's pixels are their own centres
    centres[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(picture, centres, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _shrunk(view: Luma) -> Luma:
    size = (round(view.shape[1] * _COARSE), round(view.shape[0] * _COARSE))
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)


def _turned(view: Luma, roll: float, unit_px: float) -> Luma:
    """A view with everything rolled about the middle of the anchor."""
    x = (_ANCHOR[0] + _ANCHOR[2]) / 2 - _VIEW[0]
    y = (_ANCHOR[1] + _ANCHOR[3]) / 2 - _VIEW[1]
    matrix = cv2.getRotationMatrix2D((x * unit_px, y * unit_px), -np.degrees(roll), 1.0)
    size = (view.shape[1], view.shape[0])
    return np.asarray(cv2.warpAffine(view, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _vertex(scores: NDArray[np.floating], peak: int) -> float:
    """Where a parabola through the peak and its neighbours is highest, from the peak."""
    if not 0 < peak < len(scores) - 1:
        return 0.0
    before, here, after = (float(scores[peak + k]) for k in (-1, 0, 1))
    curvature = before - 2 * here + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0
