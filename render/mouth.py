"""Measures from pixels alone how far the lips of a face in a video frame are apart.

For the headless client, benchmarks and tests, which see only what a caller receives: a decoded
frame after lossy coding, with the head moving. No part of drawing a face.

The skull is found by matching the nose and cheeks of the rest plate, at a few rolls of the head.
Below it the chin is found, and between them both lips, each by its own texture from its inner
margin outwards, in the few shapes that lips take (`render.lip_shapes`): the shape in which upper
lip, lower lip and chin together fit best, each where it fits best, tells where the two inner edges
are. What the distance between them grew by since rest is the opening: a jaw that drops behind
closed lips moves both alike, and lips that roll in come closer. Normalised correlation does not ask
how bright skin, beard or mouth are.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.compositor import frame_scale
from render.baked.pictures import yuva
from render.baked.rig import Camera, Mesh
from render.lip_shapes import View, lip_shapes
from render.template import Luma, Part, shrunk, vertex

_Box = tuple[float, float, float, float]

FULL_M = 0.016
"""Between the lips in a wide "ah", in metres."""
PARTED_M = 0.0015
"""More than motion and coding make of closed lips, in metres."""

# Boxes in units of the distance from eyes to mouth, from the middle of the mouth: x0, y0, x1, y1.
_VIEW: _Box = (-1.12, -1.20, 1.12, 1.05)
_ANCHOR: _Box = (-0.44, -0.72, 0.44, -0.20)
_CHIN: _Box = (-0.36, 0.22, 0.36, 0.50)
_ANCHOR_REACH = (0.66, 0.48)
_CHIN_REACH = (-0.10, 0.42)
_SIDEWAYS = (-0.08, 0.08)
_UPPER_REACH = (-0.10, 0.14)
_LOWER_REACH = (-0.10, 0.42)
_WITH_CHIN = 0.07  # the chin is that near to where the lower lip's shape has it
_COARSE, _FINE = 0.25, 0.5  # working pixels per plate pixel: for skull and chin; for lips
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
        coarse, fine = shrunk(view, _COARSE), shrunk(view, _FINE)
        self._shapes = lip_shapes(face, View(fine, corner, _FINE, self._middle, self._unit))
        small = self._unit * _COARSE
        self._chin = _cut(coarse, _CHIN, small)
        self._anchors = [_cut(_turned(coarse, roll, small), _ANCHOR, small) for roll in _ROLLS_RAD]

    def opening_m(self, luma: Luma) -> float:
        """How much farther than at rest the lips are apart, in metres; below 0 when pressed.

        Args:
            luma: uint8, shape (height, width): the frame's Y plane.
        """
        roll, moved = self._skull(self._view(luma, 0.0, np.zeros(2)))
        return self._gap(self._view(luma, roll, moved)) * self._unit * self._metres

    def openness(self, luma: Luma) -> float:
        """How open the mouth is: 0 at rest, about 1 in a wide "ah".

        Args:
            luma: As for `opening_m`.
        """
        return max(0.0, self.opening_m(luma)) / FULL_M

    def is_open(self, luma: Luma) -> bool:
        """Whether the lips are apart beyond what motion and coding make of closed ones."""
        return self.opening_m(luma) > PARTED_M

    def _gap(self, view: Luma) -> float:
        """By how much the lips' inner edges are farther apart than at rest, in units."""
        chins, chin_down = self._chin.scores(shrunk(view, _COARSE), _SIDEWAYS, _CHIN_REACH)
        chin, fine = chins.max(1), shrunk(view, _FINE)
        best, gap = -np.inf, 0.0
        for shape in self._shapes:
            scores, low = shape.lower.scores(fine, _SIDEWAYS, _LOWER_REACH)
            lower = scores.max(1)
            astray = np.abs(chin_down[None] - low[:, None] - shape.chin_after)
            fit = lower + np.where(astray <= _WITH_CHIN, chin[None], -1).max(1)
            scores, high = shape.upper.scores(fine, _SIDEWAYS, _UPPER_REACH)
            upper = scores.max(1)
            a, b = int(fit.argmax()), int(upper.argmax())
            if fit[a] + upper[b] > best:
                best = fit[a] + upper[b]
                finer = vertex(lower, a) - vertex(upper, b)
                gap = float(low[a] - high[b]) + finer / shape.lower.unit_px
        return gap

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
        coarse = shrunk(view, _COARSE)
        x, y = ((-v, v) for v in _ANCHOR_REACH)
        found = [anchor.find(coarse, x, y) for anchor in self._anchors]
        scores = np.array([score for _, score in found])
        best = int(scores.argmax())
        roll = _ROLLS_RAD[best] + vertex(scores, best) * (_ROLLS_RAD[1] - _ROLLS_RAD[0])
        return float(roll), np.array(found[best][0]) * self._unit


def _cut(view: Luma, box: _Box, unit_px: float) -> Part:
    """Cut a box out of a view at rest."""
    x0, y0, x1, y1 = (
        round((v - o) * unit_px) for v, o in zip(box, (*_VIEW[:2], *_VIEW[:2]), strict=True)
    )
    return Part(view[y0:y1, x0:x1], (x0, y0), unit_px)


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


def _turned(view: Luma, roll: float, unit_px: float) -> Luma:
    """A view with everything rolled about the middle of the anchor."""
    x = (_ANCHOR[0] + _ANCHOR[2]) / 2 - _VIEW[0]
    y = (_ANCHOR[1] + _ANCHOR[3]) / 2 - _VIEW[1]
    matrix = cv2.getRotationMatrix2D((x * unit_px, y * unit_px), -np.degrees(roll), 1.0)
    size = (view.shape[1], view.shape[0])
    return np.asarray(cv2.warpAffine(view, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
