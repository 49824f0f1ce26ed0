"""Plates at canvas scale: pictures in YUV, and how space and plates map to them."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace, Plate
from render.baked.kernels import Bytes, Coat, Floats, Ints, Lens
from render.baked.morphing import project
from render.baked.rig import Card

YUV = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
)
"""From RGB in [0, 1]: ITU-R BT.601-7, 8 bits, before the offsets."""


@dataclass(frozen=True, slots=True)
class Texture:
    """A plate at canvas scale, in YUVA, and how plate positions become its texels."""

    picture: Bytes
    origin: Floats
    scale: Floats

    def texels(self, plate: Floats) -> Floats:
        """Texels of plate positions, shape (n, 2), kept where bilinear sampling may read."""
        limit = np.array(self.picture.shape[1::-1], np.float32) - 1.01
        texels: Floats = np.clip((plate - self.origin) * self.scale - 0.5, 0, limit)
        return texels.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Layer:
    """A card with its texture: teeth, tongue or eyeball."""

    card: Card
    coat: Coat
    texture: Bytes
    all: Ints

    @classmethod
    def of(cls, card: Card, texture: "Texture") -> "Layer":
        """A card that shows a texture where it lies on its plate."""
        flat = np.zeros_like(card.plate)
        ones = np.ones(len(card.points), np.float32)
        coat = Coat(texture.texels(card.plate), flat, 0 * ones, ones, card.shade)
        return cls(card, coat, texture.picture, np.arange(len(card.triangles), dtype=np.int32))


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture to fade in at a fixed place of the canvas."""

    picture: Bytes
    left: int
    top: int


class Canvas:
    """One size of a face's canvas: what plate `rest` shows, at so many pixels.

    Attributes:
        size: Width and height, in pixels.
        scale: float32, shape (2,): canvas pixels per plate pixel.
        origin: float32, shape (2,): plate position of its top left corner.
        lens: From space to canvas pixels.
    """

    def __init__(self, face: BakedFace, scale: float) -> None:
        camera, paper = face.camera, face.plates["rest"]
        shown = np.array(paper.bgra.shape[1::-1]) * paper.scale
        self.size = np.maximum(16, np.rint(shown * scale)).astype(int)
        self.scale: Floats = (self.size / shown).astype(np.float32)
        self.origin = np.array(paper.origin, np.float32)
        zoom = camera.focal * camera.plate_px * self.scale
        middle = (camera.plate_px / 2 - self.origin) * self.scale
        self.lens = Lens(
            zoom_x=float(zoom[0]),
            zoom_y=float(zoom[1]),
            left=float(middle[0]),
            top=float(middle[1]),
            distance=camera.distance,
            height=camera.height,
        )

    def at(self, points: NDArray[np.floating]) -> Floats:
        """Canvas x, canvas y and depth of points, shape (n, 3)."""
        out = np.empty((len(points), 3), np.float32)
        project(points.astype(np.float32), self.lens, out)
        return out

    def zoom(self, depth: float) -> float:
        """Pixels per metre at a depth y."""
        return self.lens.zoom_x / (depth + self.lens.distance)

    def texture(self, plate: Plate) -> Texture:
        """A plate, shrunk to the canvas; one that is coarser than the canvas stays as it is."""
        full = np.array(plate.bgra.shape[1::-1])
        shrink = np.minimum(1, self.scale * plate.scale)
        size = np.maximum(2, np.rint(full * shrink)).astype(int)
        per_pixel = (size / full / plate.scale).astype(np.float32)
        small = resized(plate.bgra, size)
        return Texture(yuva(small), np.array(plate.origin, np.float32), per_pixel)


def resized(picture: NDArray[Any], size: NDArray[np.int_]) -> NDArray[Any]:
    """A picture in another size (width, height): averaged when it shrinks, smooth when it grows."""
    width, height = int(size[0]), int(size[1])
    if (height, width) == picture.shape[:2]:
        return picture
    shrinks = width <= picture.shape[1]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=kind), picture.dtype)


def yuva(bgra: NDArray[np.uint8]) -> Bytes:
    """BGRA to Y, U, V, A: BT.601, limited range (ITU-R BT.601-7, 8 bits)."""
    rgb = bgra[..., 2::-1].astype(np.float32) / 255
    out = np.empty(bgra.shape, np.uint8)
    out[..., :3] = np.rint(rgb @ YUV.T + np.array([16, 128, 128], np.float32))
    out[..., 3] = bgra[..., 3]
    return out
