"""A baked face made ready for one canvas size. Built once, read-only, shared by sessions."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import SHADING, BakedFace
from render.baked.coarse import coarse_mesh
from render.baked.eyeballs import without_glints
from render.baked.kernels import Bytes, Coat, Floats, Ints, Morphs
from render.baked.lash_line import with_lines
from render.baked.lips import Lips, find_lips
from render.baked.morphing import place
from render.baked.oral import Oral
from render.baked.pictures import Canvas, Layer, Patch, Texture, resized, yuva
from render.baked.residuals import residual
from render.baked.rig import Mesh, Skinning, buried, eyeball, skinning
from render.baked.warp import COVER_REACH_PX, MIXED, OPAQUE, TRANSPARENT
from render.types import ARKIT

_LINING_YUV = (44, 122, 142)  # wet dark red, before the shade of the mouth
_LID_ELLIPSE_M = (0.0185, 0.0135)  # half axes of what `open` shows of a closed eye
_LASH_LIFT_M = 0.003  # towards the camera, so that lids never cover their own lashes
_EYE_REACH_M = 0.0225  # around an eye, of the skin that may hide the eyeball
_SPLIT_M = 0.011  # below the eyes: just under the lower lids, where what speech moves ends


class ScaledFace:
    """Everything about a face that does not change from frame to frame.

    Attributes:
        face: The face.
        lens: From space to canvas pixels.
        rest: uint8, shape (h, w, 4): the blank canvas.
        cover: Classes of its alpha for `compose`.
        morphs: The mesh, coarse.
        at_rest: float32, shape (v, 3): canvas positions of the mesh at rest.
        triangles: int32, shape (t, 3), plain ones first, then other skin, then the lining.
        plain: How many triangles show the skin alone, opaque and unshaded.
        skin: Triangles of the outside of the head.
        coat: Paint of the skin, `rest` under `open`.
        open: uint8, shape (h, w, 4): what `coat` mixes in.
        inner_lips: float32 in [0, 1], shape (v,): how much a vertex is of their inside.
        lining: Triangles of the inside of the mouth.
        lining_coat: Their paint.
        lining_texture: uint8, shape (2, 2, 4).
        eye_region: bool, shape (t,): triangles around the eyes.
        mouth_region: bool, shape (t,): triangles in front of the inside of the mouth.
        lips: Where they are; indices into:
        lip_morphs: Vertices of the lips, all that were baked.
        lips_at_rest: float32, shape (n, 3): their canvas positions at rest.
        shades: Residuals that expressions add to the skin, in the order of `SHADING`.
        shade_drivers: float32, shape (7, 2, 52): weights to weights of the residuals' sides.
        lash_morphs: Ribbons of the lashes.
        lash_coat: Their paint.
        lash_texture: uint8, shape (h, w, 4).
        lash_triangles: int32, shape (t, 3).
        all_lashes: Every one of them.
        lids: Left and right closed lids.
        eyes: Left and right eyeball.
        glints: What light reflects in them; does not turn with them.
        oral: Teeth and tongue.
        split_row: Canvas row between the eyes' and the mouth's band.
    """

    def __init__(self, face: BakedFace, scale: float) -> None:
        self.face = face
        self._canvas = canvas = Canvas(face, scale)
        self.lens = canvas.lens
        self.rest = yuva(resized(face.plates["rest"].bgra, canvas.size))
        self.cover = _cover(self.rest[..., 3])
        line = _lips(face).line
        split = np.array([[0, face.eyes[0, 1], face.eyes[0, 2] - _SPLIT_M]])
        self.split_row = int(canvas.at(split)[0, 1])
        mesh, skin = _coarse(face)
        self._paint(skin)
        self._add_mesh(mesh, skin)
        self._add_lips()
        self.shades = [residual(face.shading[n], canvas, float(face.eyes[0, 1])) for n in SHADING]
        self.shade_drivers = np.stack([face.shading[name].drivers for name in SHADING])
        self._add_lashes()
        self._add_eyes()
        self.oral = Oral(face, canvas, line)

    def _paint(self, skin: Skinning) -> None:
        """Prepare the paint of the mesh and the closed lids."""
        rest = Texture(self.rest, self._canvas.origin, self._canvas.scale)
        opened = self._canvas.texture(self.face.plates["open"])
        ones = np.ones(len(skin.feather), np.float32)
        self.open = opened.picture
        self.inner_lips = skin.inner_lips
        self.coat = Coat(
            rest.texels(skin.rest), opened.texels(skin.open), skin.open_share, skin.feather, ones
        )
        self.lids = [self._closed_lid(opened, eye) for eye in self.face.eyes]

    def _add_mesh(self, mesh: Mesh, skin: Skinning) -> None:
        """Place the mesh, and sort its triangles by how they are drawn."""
        self.morphs = _morphs(mesh)
        self.at_rest = self._at_rest(self.morphs)
        plain = ~mesh.lining & self._plain(mesh.triangles)
        shown = ~mesh.lining & (skin.feather[mesh.triangles] > 0).any(1)
        order = [np.flatnonzero(which) for which in (plain, shown & ~plain, mesh.lining)]
        self.plain, others = len(order[0]), len(order[1])
        self.triangles = np.ascontiguousarray(mesh.triangles[np.concatenate(order)])
        self.skin = np.arange(self.plain + others, dtype=np.int32)
        self.lining = np.arange(len(self.skin), len(self.triangles), dtype=np.int32)
        centre = mesh.vertices[self.triangles].mean(1)
        self.eye_region = np.zeros(len(self.triangles), np.bool_)
        for eye in self.face.eyes:
            self.eye_region |= np.hypot(*(centre - eye)[:, [0, 2]].T) < _EYE_REACH_M
        # What the lining may show through when it is drawn: the lips, and the skin before it.
        inside = mesh.vertices[np.unique(self.triangles[self.lining])]
        low, high = inside.min(0) - 0.004, inside.max(0) + 0.004
        self.mouth_region = ((centre > low) & (centre < high))[:, [0, 2]].all(1)
        ones = np.ones(len(mesh.vertices), np.float32)
        nearness = np.clip((-0.098 - mesh.vertices[:, 1]) / 0.03, 0.12, 1).astype(np.float32)
        nowhere = 0 * self.coat.texels
        self.lining_coat = Coat(nowhere, nowhere, 0 * ones, ones, nearness)
        self.lining_texture = np.empty((2, 2, 4), np.uint8)
        self.lining_texture[:] = (*_LINING_YUV, 255)

    def _plain(self, triangles: Ints) -> NDArray[np.bool_]:
        """Which triangles show the rest plate alone, opaque."""
        coat = self.coat
        corners = (coat.opacity == 1) & (coat.over_share == 0) & (self.inner_lips == 0)
        reach = coat.texels[triangles]
        (x0, y0), (x1, y1) = reach.min(1).astype(int).T, reach.max(1).astype(int).T + 2
        holes = cv2.integral((self.rest[..., 3] < 255).astype(np.uint8))
        clear = holes[y1, x1] - holes[y0, x1] - holes[y1, x0] + holes[y0, x0]
        return np.asarray(corners[triangles].all(1) & (clear == 0), np.bool_)

    def _at_rest(self, morphs: Morphs) -> Floats:
        out = np.empty_like(morphs.vertices)
        place(morphs, np.zeros(len(ARKIT), np.float32), self.lens, out)
        return out

    def _add_lips(self) -> None:
        lips, mesh = _lips(self.face), self.face.mesh
        upper, lower = len(lips.upper), len(lips.lower)
        which = np.concatenate([lips.upper, lips.lower])
        self.lip_morphs = _morphs(mesh.part(which, np.empty((0, 3), np.int32)))
        self.lips = replace(
            lips,
            upper=np.arange(upper, dtype=np.int32),
            lower=np.arange(upper, upper + lower, dtype=np.int32),
        )
        self.lips_at_rest = self._at_rest(self.lip_morphs)

    def _add_lashes(self) -> None:
        lashes, opacity = with_lines(self.face.lashes)
        lifted = lashes.vertices - np.array([0, _LASH_LIFT_M, 0], np.float32)
        self.lash_morphs = Morphs(
            lifted.astype(np.float32),
            lashes.morph_starts,
            lashes.morph_vertices,
            lashes.morph_deltas,
        )
        texture = yuva(self._lash_picture())
        size = np.array(texture.shape[1::-1], np.float32)
        texels = np.clip(lashes.uv * size - 0.5, 0, size - 1.01).astype(np.float32)
        ones = np.ones(len(texels), np.float32)
        self.lash_coat = Coat(texels, 0 * texels, 0 * ones, opacity, ones)
        self.lash_texture = texture
        self.lash_triangles = lashes.triangles
        self.all_lashes = np.arange(len(lashes.triangles), dtype=np.int32)

    def _fill_ellipse(
        self, mask: Floats, at: NDArray[np.floating], axes_m: tuple[float, float], value: float
    ) -> None:
        x, y, _ = self._canvas.at(at[None])[0]
        axes = tuple(round(a * self._canvas.zoom(float(at[1]))) for a in axes_m)
        cv2.ellipse(mask, (round(float(x)), round(float(y))), axes, 0, 0, 360, value, -1)

    def _closed_lid(self, opened: Texture, eye: Floats) -> Patch:
        """What plate `open` shows of a closed eye, soft-edged, resampled to the canvas."""
        mask = np.zeros(self.rest.shape[:2], np.float32)
        self._fill_ellipse(mask, eye + np.array([0, 0, 0.0012], np.float32), _LID_ELLIPSE_M, 1)
        blur = 5 * float(self._canvas.scale[0])
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)
        x, y, w, h = cv2.boundingRect((mask > 0.004).astype(np.uint8))
        canvas_x, canvas_y = np.meshgrid(np.arange(x, x + w) + 0.5, np.arange(y, y + h) + 0.5)
        plate = np.stack([canvas_x.ravel(), canvas_y.ravel()], 1) / self._canvas.scale
        texels = opened.texels((plate + self._canvas.origin).astype(np.float32))
        u, v = (texels[:, k].reshape(h, w) for k in range(2))
        patch = np.asarray(cv2.remap(opened.picture, u, v, cv2.INTER_LINEAR), np.uint8)
        patch[..., 3] = np.rint(255 * mask[y : y + h, x : x + w])
        return Patch(patch, x, y)

    def _lash_picture(self) -> NDArray[np.uint8]:
        """The lashes' plate, shrunk to about as many texels as the ribbons cover on the canvas."""
        bgra, lashes = self.face.plates["lashes"].bgra, self.face.lashes
        size = np.array(bgra.shape[1::-1])
        if not len(lashes.triangles):
            return bgra
        shown = _longest(self._canvas.at(lashes.vertices)[:, :2], lashes.triangles)
        stored = _longest(lashes.uv * size, lashes.triangles)
        shrink = min(1.0, float(np.median(shown / np.maximum(stored, 1e-6))))
        wanted = np.maximum(4, np.rint(size * shrink)).astype(int)
        premultiplied = bgra.astype(np.float32)
        premultiplied[..., :3] *= premultiplied[..., 3:] / 255
        small = resized(premultiplied, wanted)
        small[..., :3] *= 255 / np.maximum(small[..., 3:], 1)
        return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8)

    def _add_eyes(self) -> None:
        plates, camera = self.face.plates, self.face.camera
        eyes = plates["eyes"]
        centres = (camera.project(self.face.eyes)[:, :2] - eyes.origin) / eyes.scale
        depth = float(self.face.eyes[0, 1]) + camera.distance
        radius = self.face.eye_radius * camera.focal * camera.plate_px / depth / eyes.scale
        clean, glints = without_glints(eyes.bgra, centres, radius)
        cards = [eyeball(eye, self.face.eye_radius, camera) for eye in self.face.eyes]
        self._eye_texture = self._canvas.texture(replace(eyes, bgra=clean))
        self.eyes = [self._canvas.layer(card, replace(eyes, bgra=clean)) for card in cards]
        self.glints = [
            _where_opaque(self._canvas.layer(card, replace(eyes, bgra=glints))) for card in cards
        ]

    def eye_texels(self, plate: Floats) -> Floats:
        """Texels on the eyes' plate of plate positions."""
        return self._eye_texture.texels(plate)


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


def _morphs(mesh: Mesh) -> Morphs:
    return Morphs(mesh.vertices, mesh.morph_starts, mesh.morph_vertices, mesh.morph_deltas)


def _where_opaque(layer: Layer) -> Layer:
    """A layer without the triangles on which its texture shows nothing."""
    alpha = cv2.dilate(layer.texture[..., 3], np.ones((3, 3), np.uint8))
    corners = layer.coat.texels[layer.card.triangles]
    low, high = corners.min(1).astype(int), np.ceil(corners.max(1)).astype(int) + 1
    shown = [alpha[y0:y1, x0:x1].any() for (x0, y0), (x1, y1) in zip(low, high, strict=True)]
    return replace(layer, all=np.flatnonzero(shown).astype(np.int32))


def _longest(at: Floats, triangles: Ints) -> Floats:
    """The longest side of each triangle, shape (t,)."""
    corners = at[triangles]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    return np.asarray(sides.max(1), np.float32)


def _cover(alpha: NDArray[np.uint8]) -> Bytes:
    reach = np.ones((2 * COVER_REACH_PX + 1,) * 2, np.uint8)
    out = np.full(alpha.shape, MIXED, np.uint8)
    out[cv2.dilate(alpha, reach) == 0] = TRANSPARENT
    out[cv2.erode(alpha, reach) == 255] = OPAQUE
    return out
