"""A baked face made ready for one canvas size. Built once, read-only, shared by sessions."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import SHADING, BakedFace
from render.baked.coarse import coarse_mesh
from render.baked.kernels import Bytes, Coat, Floats
from render.baked.lips import Lips, find_lips
from render.baked.ocular import Ocular
from render.baked.oral import Oral
from render.baked.pictures import Canvas, Texture, resized, yuva
from render.baked.regions import Paint, at_rest, morphs_of, region
from render.baked.residuals import left_share, residuals
from render.baked.rig import Mesh, Skinning, buried, skinning
from render.baked.warp import COVER_REACH_PX, MIXED, OPAQUE, TRANSPARENT

_LINING_YUV = (44, 122, 142)  # wet dark red, before the shade of the mouth
_EYE_REACH_M = 0.0225  # around an eye, of the skin that may hide the eyeball
_MOUTH_REACH_M = 0.004  # around the lining, of the skin that it may show through
_SPLIT_M = 0.011  # below the eyes: just under the lower lids, where what speech moves ends


class ScaledFace:
    """Everything about a face that does not change from frame to frame.

    Attributes:
        face: The face.
        lens: From space to canvas pixels.
        rest: uint8, shape (h, w, 4): the blank canvas.
        cover: Classes of its alpha for `compose`.
        eyes: The upper part of the skin.
        mouth: The lower part.
        open: uint8, shape (h, w, 4): what the skin's coat mixes in.
        lining_coat: Paint of the inside of the mouth.
        lining_texture: uint8, shape (2, 2, 4).
        lips: Where they are; indices into:
        lip_morphs: Vertices of the lips, all that were baked.
        lips_at_rest: float32, shape (n, 3): their canvas positions at rest.
        residuals: What expressions add to the skin, in the order of `SHADING`.
        left_share: As `residuals.left_share`.
        drivers: float32, shape (7, 2, 52): weights to weights of the residuals' sides.
        ocular: Eyeballs, lids and lashes.
        oral: Teeth and tongue.
    """

    def __init__(self, face: BakedFace, scale: float) -> None:
        self.face = face
        self._canvas = canvas = Canvas(face, scale)
        self.lens = canvas.lens
        self.rest = yuva(resized(face.plates["rest"].bgra, canvas.size))
        self.cover = _cover(self.rest[..., 3])
        split = canvas.at(np.array([[0, face.eyes[0, 1], face.eyes[0, 2] - _SPLIT_M]]))
        self._add_regions(int(split[0, 1]))
        self._add_lips()
        shadings = [face.shading[name] for name in SHADING]
        self.residuals = residuals(shadings, canvas, int(split[0, 1]))
        self.left_share = left_share(canvas, float(face.eyes[0, 1]))
        self.drivers = np.stack([shading.drivers for shading in shadings])
        self.ocular = Ocular(face, canvas)
        self.oral = Oral(face, canvas, self.lips.line)

    def _add_regions(self, split_row: int) -> None:
        """Paint the mesh, and part it."""
        mesh, skin = _coarse(self.face)
        paint = self._paint(mesh, skin)
        centre = mesh.vertices[mesh.triangles].mean(1)
        by_eyes = np.zeros(len(mesh.triangles), np.bool_)
        for eye in self.face.eyes:
            by_eyes |= np.hypot(*(centre - eye)[:, [0, 2]].T) < _EYE_REACH_M
        inside = mesh.vertices[np.unique(mesh.triangles[mesh.lining])]
        low, high = inside.min(0) - _MOUTH_REACH_M, inside.max(0) + _MOUTH_REACH_M
        by_mouth = ((centre > low) & (centre < high))[:, [0, 2]].all(1)
        rows = len(self.rest)
        self.eyes = region(mesh, paint, self.lens, (0, split_row), by_eyes)
        self.mouth = region(mesh, paint, self.lens, (split_row, rows), by_mouth, ("tongueOut",))
        depth = self.mouth.mesh.vertices[:, 1]
        nearness = np.clip((-0.098 - depth) / 0.03, 0.12, 1).astype(np.float32)
        ones, nowhere = np.ones_like(nearness), 0 * self.mouth.coat.texels
        self.lining_coat = Coat(nowhere, nowhere, 0 * ones, ones, nearness)
        self.lining_texture = np.empty((2, 2, 4), np.uint8)
        self.lining_texture[:] = (*_LINING_YUV, 255)

    def _paint(self, mesh: Mesh, skin: Skinning) -> Paint:
        rest = Texture(self.rest, self._canvas.origin, self._canvas.scale)
        opened = self._canvas.texture(self.face.plates["open"])
        self.open = opened.picture
        ones = np.ones(len(skin.feather), np.float32)
        coat = Coat(
            rest.texels(skin.rest), opened.texels(skin.open), skin.open_share, skin.feather, ones
        )
        unmixed = (skin.feather == 1) & (skin.open_share == 0) & (skin.inner_lips == 0)
        plain = unmixed[mesh.triangles].all(1) & self._opaque(coat.texels[mesh.triangles])
        seen = (skin.feather > 0)[mesh.triangles].any(1)
        return Paint(coat, skin.inner_lips, plain, seen & ~mesh.lining)

    def _opaque(self, corners: Floats) -> NDArray[np.bool_]:
        """Whether the blank canvas is opaque around texels, shape (t, 3, 2) to (t,)."""
        (x0, y0), (x1, y1) = corners.min(1).astype(int).T, corners.max(1).astype(int).T + 2
        holes = cv2.integral((self.rest[..., 3] < 255).astype(np.uint8))
        return np.asarray(holes[y1, x1] - holes[y0, x1] - holes[y1, x0] + holes[y0, x0] == 0)

    def _add_lips(self) -> None:
        lips, mesh = _lips(self.face), self.face.mesh
        upper, lower = len(lips.upper), len(lips.lower)
        which = np.concatenate([lips.upper, lips.lower])
        self.lip_morphs = morphs_of(mesh.part(which, np.empty((0, 3), np.int32)))
        self.lips = replace(
            lips,
            upper=np.arange(upper, dtype=np.int32),
            lower=np.arange(upper, upper + lower, dtype=np.int32),
        )
        self.lips_at_rest = at_rest(self.lip_morphs, self.lens)


@lru_cache(maxsize=4)
def _lips(face: BakedFace) -> Lips:
    return find_lips(face.mesh, face.camera)


@lru_cache(maxsize=4)
def _coarse(face: BakedFace) -> tuple[Mesh, Skinning]:
    """The mesh to draw, which is the same in every size."""
    mesh = face.mesh
    skin = skinning(mesh, face.camera, face.eyes, _lips(face).line, face.open_pose)
    shown_ever = ~mesh.lining & ~buried(mesh, face.camera)
    return coarse_mesh(mesh, skin, mesh.morphed(face.open_pose), shown_ever)


def _cover(alpha: NDArray[np.uint8]) -> Bytes:
    reach = np.ones((2 * COVER_REACH_PX + 1,) * 2, np.uint8)
    out = np.full(alpha.shape, MIXED, np.uint8)
    out[cv2.dilate(alpha, reach) == 0] = TRANSPARENT
    out[cv2.erode(alpha, reach) == 255] = OPAQUE
    return out
