"""How the inner loops of the baked face are compiled, and the records that they take.

Pictures are uint8, shape (h, w, 4): Y, U, V (BT.601, limited range) and alpha. Colour conversion is
linear, so blending and filtering in YUV equals doing it in RGB, and the last step writes I420
directly, with chroma sampled for every fourth pixel only. Canvas positions are float32 pixels;
texture positions are texels, 0 at the first texel's centre. Kernels release the GIL and allocate
nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Words = NDArray[np.uint32]

WITHIN, OVER = 1, 2
"""Marks: an eyeball or the inside of the mouth; skin drawn over it."""

FAR = 9.0
"""Depth of an empty pixel, in metres."""

_P = ParamSpec("_P")
_R = TypeVar("_R")
_kernels: list[Any] = []


class Morphs(NamedTuple):
    """Vertices and their sparse blendshapes; see `rig.Mesh`."""

    vertices: Floats
    starts: Ints
    indices: Ints
    deltas: Floats


class Lens(NamedTuple):
    """Pinhole to pixels: `x = left + zoom_x * X / (Y + distance)`, `y = top - zoom_y * ...`."""

    zoom_x: float
    zoom_y: float
    left: float
    top: float
    distance: float
    height: float


class Coat(NamedTuple):
    """Per-vertex paint: texels on two textures, the second one's share, opacity, brightness."""

    texels: Floats
    over_texels: Floats
    over_share: Floats
    opacity: Floats
    shade: Floats


class Residual(NamedTuple):
    """A change of the skin's colour.

    `spans`, int32, shape (n, 4), are row, first byte, bytes, and where these begin in `change`,
    int8: Y, U, V and 0 for every pixel. `on_eyes` and `on_mouth`: whose rows it changes.
    """

    spans: Ints
    change: NDArray[np.int8]
    on_eyes: bool
    on_mouth: bool


class Box(NamedTuple):
    """Pixels of a canvas: from x0, y0 to before x1, y1."""

    x0: int
    y0: int
    x1: int
    y1: int


class Target(NamedTuple):
    """What triangles are drawn on: picture, its words, depth (h, w), mark (h, w).

    `words` are the picture's pixels as uint32, shape (h, w), in the same memory.
    """

    picture: Bytes
    words: Words
    depth: Floats
    mark: Bytes

    @classmethod
    def of(cls, picture: Bytes) -> "Target":
        """A picture to draw on, nothing before it and nothing marked."""
        rows, columns = picture.shape[:2]
        depth = np.full((rows, columns), FAR, np.float32)
        return cls(picture, as_words(picture), depth, np.zeros((rows, columns), np.uint8))


class Planes(NamedTuple):
    """The planes of an I420 picture: y (h, w), u and v (h / 2, w / 2)."""

    y: Bytes
    u: Bytes
    v: Bytes


class Turn(NamedTuple):
    """How head and body move, each (3, 4): `x` goes to `[:, :3] @ x + [:, 3]`.

    Heights (z, metres): below `neck_low` all moves with the body, above `neck_high` with the head.
    """

    head: Floats
    body: Floats
    neck_low: float
    neck_high: float


def as_words(picture: Bytes) -> Words:
    """The pixels, Y in the lowest byte, of a picture, in the same memory; shape (h, w)."""
    return picture.view("<u4")[..., 0]


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile an entry point on its first call."""
    compiled = njit(nogil=True, fastmath=True, error_model="numpy")(function)
    _kernels.append(compiled)
    return compiled


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a part of kernels, with them."""
    return njit(nogil=True, fastmath=True, error_model="numpy", inline="always")(function)


def cache_kernels(folder: Path) -> None:
    """Keep compiled kernels in `folder`; call before the first one runs.

    A NUMBA_CACHE_DIR in the environment wins. Without either, every process compiles anew.
    """
    if not config.CACHE_DIR:  # type: ignore[attr-defined]  # set at run time by numba
        folder.mkdir(parents=True, exist_ok=True)
        config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    for compiled in _kernels:
        compiled.enable_caching()
