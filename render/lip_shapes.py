"""What the lips look like in the shapes that speech gives them: the rest plate, bent by the mesh.

For `render.mouth`, which looks for them in frames. Lips that round, spread or drop do not look as
they do at rest, so that what is cut from the rest plate alone is found where it is not: in the
shadow between rounded lips, on teeth. Nothing here draws a frame, and only what is seen of the skin
at rest is used: neither teeth nor the inside of the lips.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.lips import find_lips
from render.baked.rig import Camera, Mesh
from render.template import Luma, Part
from render.types import ARKIT
from render.visemes import sides

Floats = NDArray[np.floating]

SHAPES: tuple[Mapping[str, float], ...] = (
    {},
    {"jawOpen": 0.05, "mouthClose": 0.05},
    {"jawOpen": 0.30, "mouthClose": 0.30},
    {"jawOpen": 0.05},
    {"jawOpen": 0.10},
    {"jawOpen": 0.35},
    {"jawOpen": 0.28, "mouthLowerDown": 0.26, "mouthStretch": 0.22, "mouthUpperUp": 0.08},
    {"jawOpen": 0.46, "mouthLowerDown": 0.24, "mouthUpperUp": 0.14},
    {"jawOpen": 0.10, "mouthFunnel": 0.20, "mouthPucker": 0.12},
    {"jawOpen": 0.12, "mouthFunnel": 0.44, "mouthPucker": 0.24},
    {"jawOpen": 0.32, "mouthFunnel": 0.42, "mouthPucker": 0.26},
    {"jawOpen": 0.13, "mouthFunnel": 0.28, "mouthPucker": 0.58},
)
"""Shut, also over an open jaw; parted, wider and wide; rounded, from little to much."""

# In units of the distance from eyes to mouth.
_HALF, _TALL = 0.14, 0.20  # of the pictures
_MARGIN = 0.012  # between a picture and where the lips meet
_ASIDE, _FAR = 0.20, 0.34  # vertices that bend a picture, from the middle of the mouth
_CHIN = (0.30, 0.22, 0.50)  # half its width; from where to where below the mouth

_ON_SURFACE_M = 0.002
_JAW_SPLIT_M = 0.012  # that jawOpen 1 moves the lower lip, at the least, and the upper lip less
_MIDDLE_PX = 4.0
_BLUR_PX = 0.5
_NEIGHBOURS_PX = 5.0  # plate pixels around a pixel whose vertices carry it
_STIFF = 0.05


@dataclass(frozen=True, slots=True)
class LipShape:
    """Both lips in one shape of the mouth.

    Attributes:
        upper: The upper lip and the skin above; stands for its inner edge.
        lower: The lower lip and the skin below; the same.
        chin_after: By how much more than the lower lip's edge the chin moved down, in units.
    """

    upper: Part
    lower: Part
    chin_after: float


@dataclass(frozen=True, slots=True)
class View:
    """The rest plate as frames will be looked at.

    Attributes:
        picture: uint8, shape (h, w).
        origin: Plate position (x, y) of its top left corner.
        scale: Pixels per plate pixel.
        middle: Plate position of the middle of the mouth.
        unit: Plate pixels from eyes to mouth.
    """

    picture: Luma
    origin: NDArray[np.float64]
    scale: float
    middle: NDArray[np.float64]
    unit: float


def lip_shapes(face: BakedFace, view: View) -> list[LipShape]:
    """How the lips of a face look in each of `SHAPES`."""
    mesh, camera = face.mesh, face.camera
    at = camera.project(mesh.vertices)[:, :2]
    aside, down = np.abs(at[:, 0] - view.middle[0]), at[:, 1] - view.middle[1]
    seen, carried = _seen(mesh, camera), _carried(mesh)
    near = seen & (aside < _ASIDE * view.unit) & (np.abs(down) < _FAR * view.unit)
    half, first, last = (share * view.unit for share in _CHIN)
    chin = seen & (aside < half) & (down > first) & (down < last)
    lips, middle = find_lips(mesh, camera), 2  # of five columns
    upper = _Lip(np.flatnonzero(near & ~carried), _column(lips.upper, lips.upper_starts, middle), 1)
    lower = _Lip(np.flatnonzero(near & carried), _column(lips.lower, lips.lower_starts, middle), -1)
    out = []
    for shape in SHAPES:
        posed = camera.project(mesh.morphed(_both_sides(shape)))[:, :2]
        top, bottom = upper.part(at, posed, view), lower.part(at, posed, view)
        chin_moved = float((posed - at)[chin, 1].mean()) / view.unit
        out.append(LipShape(top, bottom, chin_moved - bottom.moved))
    return out


@dataclass(frozen=True, slots=True)
class _Lip:
    """One lip.

    Attributes:
        skin: Vertices that are seen at rest.
        edge: Vertices down the middle, its inner edge among them.
        side: 1 for the upper lip, whose inner edge is its lowest, -1 for the lower.
    """

    skin: NDArray[np.intp]
    edge: NDArray[np.int32]
    side: int

    def part(self, at: Floats, posed: Floats, view: View) -> Part:
        """Its picture when vertices have moved from `at` to `posed`, plate pixels, shape (v, 2)."""
        unit, scale = view.unit, view.scale
        moved = self._inner(posed[self.edge, 1]) - self._inner(at[self.edge, 1])
        central = self.skin[np.abs(at[self.skin, 0] - view.middle[0]) < _MIDDLE_PX]
        seam = central[np.argmax(self.side * at[central, 1])]
        y = posed[seam, 1] - self.side * _MARGIN * unit - (_TALL * unit if self.side > 0 else 0)
        corner = np.array([view.middle[0] - _HALF * unit, y])
        left, top = np.rint((corner - view.origin) * scale).astype(int).tolist()
        width, height = round(2 * _HALF * unit * scale), round(_TALL * unit * scale)
        grid = np.meshgrid(left + np.arange(width) + 0.5, top + np.arange(height) + 0.5)
        pixels = np.stack([axis.ravel() for axis in grid], 1) / scale + view.origin
        spots = (_carried_back(pixels, posed[self.skin], at[self.skin]) - view.origin) * scale - 0.5
        u, v = (spots[:, k].reshape(height, width).astype(np.float32) for k in range(2))
        picture = cv2.remap(view.picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR_PX), np.uint8)
        return Part(soft, (left, top), unit * scale, moved / unit)

    def _inner(self, rows: Floats) -> float:
        return self.side * float((self.side * rows).max())


def _seen(mesh: Mesh, camera: Camera) -> NDArray[np.bool_]:
    """Which vertices are on the surface that the camera sees at rest."""
    at, last = camera.project(mesh.vertices), len(mesh.relief) - 1
    cells = np.clip(at[:, :2] * len(mesh.relief) / camera.plate_px, 0, last).astype(int)
    return np.asarray(at[:, 2] - mesh.relief[cells[:, 1], cells[:, 0]] < _ON_SURFACE_M)


def _carried(mesh: Mesh) -> NDArray[np.bool_]:
    """Which vertices the jaw carries along."""
    drop = mesh.vertices[:, 2] - mesh.morphed({"jawOpen": 1.0})[:, 2]
    return np.asarray(drop > _JAW_SPLIT_M)


def _column(lip: NDArray[np.int32], starts: NDArray[np.intp], column: int) -> NDArray[np.int32]:
    return lip[starts[column] : starts[column + 1]]


def _both_sides(shape: Mapping[str, float]) -> dict[str, float]:
    return {ARKIT[k]: weight for name, weight in shape.items() for k in sides(name)}


def _carried_back(pixels: Floats, posed: Floats, at: Floats) -> Floats:
    """Where pixels were at rest: affine by moving least squares (Schaefer et al. 2006).

    Args:
        pixels: Shape (n, 2).
        posed: Where some points are, shape (p, 2).
        at: Where those were at rest.
    """
    squared = ((pixels[:, None] - posed[None]) ** 2).sum(2)
    share = np.exp(-squared / (2 * _NEIGHBOURS_PX**2)) + 1e-9 / (1 + squared)
    share /= share.sum(1, keepdims=True)
    here, there = share @ posed, share @ at
    before, after = posed[None] - here[:, None], at[None] - there[:, None]
    stiff = _STIFF * _NEIGHBOURS_PX**2 * np.eye(2)
    spread = np.einsum("np,npi,npj->nij", share, before, before) + stiff
    cross = np.einsum("np,npi,npj->nij", share, before, after) + stiff
    linear = np.linalg.solve(spread, cross)
    return np.asarray(there + np.einsum("ni,nij->nj", pixels - here, linear))
