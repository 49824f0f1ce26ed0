"""A baked face made ready for one canvas size. Built once, read-only, shared by sessions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import SHADING, BakedFace, Plate, Shading
from render.baked.eyeballs import without_glints
from render.baked.kernels import Bytes, Coat, Floats, Ints, Lens, Morphs, Shade
from render.baked.lash_line import with_lines
from render.baked.lips import find_lips
from render.baked.raster import place, project
from render.baked.rig import Card, Skinning, buried, eyeball, skinning
from render.baked.warp import COVER_REACH_PX, MIXED, OPAQUE, TRANSPARENT
from render.types import ARKIT

_ARCH_HALF_M, _ARCH_DEPTH_M = 0.0335, 0.0426  # of the dental arch
_ARCH_BEHIND_M = 0.0083  # its front, behind where the lips meet
_TEETH_SIDE = 0.075  # of the plate: where teeth vanish in the shade of the cheeks
_UPPER_EDGE_M = -0.0030  # of the incisors, from where the lips meet: what shows at first
_LOWER_EDGE_M = -0.0020  # of theirs, with the jaw shut: most of them stays behind the lip
_TIP_TEXELS = 0.12  # of a plate's width: the middle, where edges and tip are looked for
_TONGUE_RAISED = (0.0, 0.17, 0.30, 0.70)  # tongueOut: at rest, behind the teeth, ..., between them
_TONGUE_TIP_M = (-0.0020, 0.0004, -0.0022)  # from the lower incisors' edge; at rest as baked
_TONGUE_OUT = 0.30  # tongueOut from which the tongue is in front of the lower teeth
_BAKED_JAW = 0.75  # weight of jawOpen on the plates of tongue and lower teeth
_TEETH_LUMA = 208.0  # of the brightest teeth in full light
_LINING_YUV = (44, 122, 142)  # wet dark red, before the shade of the mouth
_LID_ELLIPSE_M = (0.0185, 0.0135)  # half axes of what `open` shows of a closed eye
_NOISE = 2.0  # levels that a residual changes around a pixel, and that no one sees
_SEAM_M = 0.006  # over which the left half of a residual gives way to the right half
_LASH_LIFT_M = 0.003  # towards the camera, so that lids never cover their own lashes

_YUV = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
)  # from RGB in [0, 1]: ITU-R BT.601-7, 8 bits, before the offsets


@dataclass(frozen=True, slots=True)
class Layer:
    """A card with its texture: teeth, tongue or eyeball."""

    card: Card
    coat: Coat
    texture: Bytes
    all: Ints


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture to fade in at a fixed place of the canvas."""

    picture: Bytes
    left: int
    top: int


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


class ScaledFace:
    """Everything about a face that does not change from frame to frame.

    Attributes:
        lens: From space to canvas pixels.
        rest: uint8, shape (h, w, 4): the blank canvas.
        cover: Classes of its alpha for `compose`.
        at_rest: float32, shape (v, 3): canvas positions of the mesh at rest.
        morphs: The mesh.
        coat: Paint of the skin, `rest` under `open`.
        shades: Residuals that expressions add to the skin, in the order of `SHADING`.
        shade_drivers: float32, shape (7, 2, 52): weights to weights of the residuals' sides.
        lash_morphs: Ribbons of the lashes.
        lash_coat: Their paint.
        lash_texture: uint8, shape (h, w, 4).
        lash_triangles: int32, shape (t, 3).
        all_lashes: Every one of them.
        lids: Left and right closed lids.
        triangles: int32, shape (t, 3).
        skin: Triangles of the outside of the head.
        lining: Triangles of the inside of the mouth.
        lining_coat: Their paint.
        eye_region: bool, shape (t,): triangles around the eyes.
        mouth_region: bool, shape (t,): triangles in front of the inside of the mouth.
        eyes: Left and right eyeball.
        glints: What light reflects in them; does not turn with them.
        lips: Where they are.
        inner_lips: float32 in [0, 1], shape (v,): how much a vertex is of their inside.
        upper_teeth: Fixed to the skull.
        lower_teeth: Fixed to the jaw.
        tongue: The same.
        split_row: Canvas row between the eyes' and the mouth's band.
    """

    def __init__(self, face: BakedFace, scale: float) -> None:
        self.face = face
        side = face.camera.plate_px
        paper = face.plates["rest"]
        shown = np.array(paper.bgra.shape[1::-1]) * paper.scale
        size = np.maximum(16, np.rint(shown * scale)).astype(int)
        self.scale = (size / shown).astype(np.float32)
        zoom = face.camera.focal * side * self.scale
        middle = (side / 2 - np.array(paper.origin)) * self.scale
        self.lens = Lens(
            zoom_x=float(zoom[0]),
            zoom_y=float(zoom[1]),
            left=float(middle[0]),
            top=float(middle[1]),
            distance=face.camera.distance,
            height=face.camera.height,
        )
        self.rest = yuva(_resized(paper.bgra, size))
        self.cover = _cover(self.rest[..., 3])
        mesh = face.mesh
        self.triangles = mesh.triangles
        self.morphs = Morphs(
            mesh.vertices, mesh.morph_starts, mesh.morph_vertices, mesh.morph_deltas
        )
        self.at_rest = np.empty_like(mesh.vertices)
        place(self.morphs, np.zeros(len(ARKIT), np.float32), self.lens, self.at_rest)
        centre = mesh.vertices[mesh.triangles].mean(1)
        self.eye_region = np.zeros(len(mesh.triangles), np.bool_)
        for eye in face.eyes:
            self.eye_region |= np.hypot(*(centre - eye)[:, [0, 2]].T) < 0.0225
        # What the lining may show through when it is drawn: the lips, and the skin before it.
        inside = mesh.vertices[np.unique(mesh.triangles[mesh.lining])]
        low, high = inside.min(0) - 0.004, inside.max(0) + 0.004
        self.mouth_region = ((centre > low) & (centre < high))[:, [0, 2]].all(1)
        shown_ever = ~mesh.lining & ~buried(mesh, face.camera)
        self.skin = np.flatnonzero(shown_ever).astype(np.int32)
        self.lining = np.flatnonzero(mesh.lining).astype(np.int32)
        self.lips = find_lips(mesh, face.camera)
        self.split_row = int(self._canvas(np.array([[0, face.eyes[0, 1], self._split_z()]]))[0, 1])
        self._paint(skinning(mesh, face.camera, face.eyes, self.lips.line, face.open_pose))
        self._add_shading()
        self._add_lashes()
        self._add_layers()

    def _split_z(self) -> float:
        """Height just under the lower lids, where what speech moves ends."""
        return float(self.face.eyes[0, 2]) - 0.011

    def _canvas(self, points: NDArray[np.floating]) -> Floats:
        out = np.empty((len(points), 3), np.float32)
        project(points.astype(np.float32), self.lens, out)
        return out

    def _texture(self, plate: Plate) -> Texture:
        """A plate, shrunk to the canvas; one that is coarser than the canvas stays as it is."""
        full = np.array(plate.bgra.shape[1::-1])
        shrink = np.minimum(1, self.scale * plate.scale)
        size = np.maximum(2, np.rint(full * shrink)).astype(int)
        per_pixel = (size / full / plate.scale).astype(np.float32)
        small = _resized(plate.bgra, size)
        return Texture(yuva(small), np.array(plate.origin, np.float32), per_pixel)

    def _paint(self, skin: Skinning) -> None:
        """Prepare the paint of the mesh and the closed lids."""
        plates = self.face.plates
        rest = Texture(self.rest, np.array(plates["rest"].origin, np.float32), self.scale)
        opened = self._texture(plates["open"])
        ones = np.ones(len(skin.feather), np.float32)
        self.open = opened.picture
        self.inner_lips = skin.inner_lips
        self.coat = Coat(
            rest.texels(skin.rest), opened.texels(skin.open), skin.open_share, skin.feather, ones
        )
        depth = self.face.mesh.vertices[:, 1]
        nearness = np.clip((-0.098 - depth) / 0.03, 0.12, 1).astype(np.float32)
        self.lining_coat = Coat(0 * skin.rest, 0 * skin.rest, 0 * ones, ones, nearness)
        self.lining_texture = np.empty((2, 2, 4), np.uint8)
        self.lining_texture[:] = (*_LINING_YUV, 255)
        self.lids = [self._closed_lid(opened, eye) for eye in self.face.eyes]

    def _add_shading(self) -> None:
        chosen = [self.face.shading[name] for name in SHADING]
        self.shades = [self._shade(shading) for shading in chosen]
        self.shade_drivers = np.stack([shading.drivers for shading in chosen])

    def _shade(self, shading: Shading) -> Shade:
        """A residual at canvas scale, cut to where it shows."""
        x, y = (np.array(shading.origin) - self.face.plates["rest"].origin) * self.scale
        full = np.array(shading.change.shape[1::-1])
        left, top = round(float(x)), round(float(y))
        size = np.maximum(2, np.rint(full * shading.scale * self.scale)).astype(int)
        bgr = _resized(shading.change.astype(np.float32), size)
        change = np.rint(bgr[..., ::-1] / 255 @ _YUV.T)
        rows, columns = self.rest.shape[:2]
        outside = np.ones(change.shape[:2], np.bool_)
        outside[max(0, -top) : rows - top, max(0, -left) : columns - left] = False
        change[outside] = 0
        strength = np.asarray(cv2.GaussianBlur(np.abs(change).max(2), (0, 0), 2), np.float32)
        change[strength <= _NOISE] = 0  # a path tracer's, not the expression's
        u, v, w, h = cv2.boundingRect((strength > _NOISE).astype(np.uint8))
        cut = np.zeros((h, w, 4), np.int8)
        cut[..., :3] = np.clip(change[v : v + h, u : u + w], -127, 127)
        zoom = self.lens.zoom_x / (float(self.face.eyes[0, 1]) + self.lens.distance)
        aside_m = (np.arange(w) + left + u + 0.5 - self.lens.left) / zoom
        share = np.clip(0.5 + aside_m / _SEAM_M, 0, 1).astype(np.float32)
        return Shade(cut.reshape(h, w * 4), np.repeat(share, 4), left + u, top + v)

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
        x, y, _ = self._canvas(at[None])[0]
        zoom = self.lens.zoom_x / (float(at[1]) + self.lens.distance)
        axes = tuple(round(a * zoom) for a in axes_m)
        cv2.ellipse(mask, (round(float(x)), round(float(y))), axes, 0, 0, 360, value, -1)

    def _closed_lid(self, opened: Texture, eye: Floats) -> Patch:
        """What plate `open` shows of a closed eye, soft-edged, resampled to the canvas."""
        mask = np.zeros(self.rest.shape[:2], np.float32)
        self._fill_ellipse(mask, eye + np.array([0, 0, 0.0012], np.float32), _LID_ELLIPSE_M, 1)
        blur = 5 * float(self.scale[0])
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)
        x, y, w, h = cv2.boundingRect((mask > 0.004).astype(np.uint8))
        canvas_x, canvas_y = np.meshgrid(np.arange(x, x + w) + 0.5, np.arange(y, y + h) + 0.5)
        plate = np.stack([canvas_x.ravel(), canvas_y.ravel()], 1) / self.scale
        texels = opened.texels((plate + self.face.plates["rest"].origin).astype(np.float32))
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
        shown = _longest(self._canvas(lashes.vertices)[:, :2], lashes.triangles)
        stored = _longest(lashes.uv * size, lashes.triangles)
        shrink = min(1.0, float(np.median(shown / np.maximum(stored, 1e-6))))
        wanted = np.maximum(4, np.rint(size * shrink)).astype(int)
        premultiplied = bgra.astype(np.float32)
        premultiplied[..., :3] *= premultiplied[..., 3:] / 255
        small = _resized(premultiplied, wanted)
        small[..., :3] *= 255 / np.maximum(small[..., 3:], 1)
        return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8)

    def _add_layers(self) -> None:
        plates, camera = self.face.plates, self.face.camera
        eyes = plates["eyes"]
        centres = (camera.project(self.face.eyes)[:, :2] - eyes.origin) / eyes.scale
        depth = float(self.face.eyes[0, 1]) + camera.distance
        radius = self.face.eye_radius * camera.focal * camera.plate_px / depth / eyes.scale
        clean, glints = without_glints(eyes.bgra, centres, radius)
        cards = [eyeball(eye, self.face.eye_radius, camera) for eye in self.face.eyes]
        self._eye_texture = self._texture(replace(eyes, bgra=clean))
        self.eyes = [self._layer(card, replace(eyes, bgra=clean)) for card in cards]
        self.glints = [
            _where_opaque(self._layer(card, replace(eyes, bgra=glints))) for card in cards
        ]
        self.upper_teeth = self._teeth("teeth_upper", _UPPER_EDGE_M, 0.0)
        self.lower_teeth = self._teeth("teeth_lower", _LOWER_EDGE_M, _BAKED_JAW)
        self.tongue = self._layer(self._arch(plates["tongue"]), plates["tongue"])
        tip = self._tip(self.tongue, plates["tongue"], -1)
        tip += -_BAKED_JAW * self._jaw_motion(tip[None])[0]
        self._tongue_lifts = [0.0] + [
            float(self.lips.line[2]) + _LOWER_EDGE_M + over - float(tip[2])
            for over in _TONGUE_TIP_M
        ]

    def _teeth(self, name: str, edge_m: float, jaw: float) -> Layer:
        """A row of teeth with its edge so far above where the lips meet, when the jaw is shut."""
        plate = self.face.plates[name]
        layer = self._layer(self._arch(plate), plate)
        edge = self._tip(layer, plate, -1 if name == "teeth_upper" else 0)
        height = float((edge - jaw * self._jaw_motion(edge[None])[0])[2])
        layer.card.points[:, 2] += float(self.lips.line[2]) + edge_m - height
        luma = layer.texture[..., 0][layer.texture[..., 3] > 200]
        gain = (_TEETH_LUMA - 16) / (float(np.percentile(luma, 92)) - 16)
        shade = layer.card.shade * np.float32(np.clip(gain, 0.8, 1.5))
        return replace(layer, coat=layer.coat._replace(shade=shade))

    def _tip(self, layer: Layer, plate: Plate, end: int) -> Floats:
        """The first (0) or last (-1) opaque point down the middle of a plate, in space."""
        middle = (self.face.camera.plate_px / 2 - plate.origin[0]) / plate.scale
        half = max(1.0, _TIP_TEXELS * plate.bgra.shape[1])
        strip = plate.bgra[:, round(middle - half) : round(middle + half), 3]
        rows = np.flatnonzero((strip > 128).mean(1) > 0.4)
        spot = [self.face.camera.plate_px / 2, plate.origin[1] + (rows[end] + 0.5) * plate.scale]
        front = self.lips.line[1:2] + np.float32(_ARCH_BEHIND_M)
        return np.asarray(self.face.camera.unproject(np.array([spot], np.float32), front)[0])

    def mouth_layers(self, jaw: float, tongue: float) -> Iterator[tuple[Layer, Floats, float]]:
        """What is inside the mouth, in drawing order.

        Args:
            jaw: Weight of jawOpen.
            tongue: Weight of tongueOut.

        Yields:
            The layer, its points in space, and its brightness.
        """
        lift = np.array([0, 0, np.interp(tongue, _TONGUE_RAISED, self._tongue_lifts)], np.float32)
        out = float(np.clip((tongue - 0.1) / 0.4, 0, 1))
        tip = (self.tongue, self._with_jaw(self.tongue, jaw) + lift, 0.62 + 0.38 * out)
        teeth = (self.lower_teeth, self._with_jaw(self.lower_teeth, jaw), 0.84)
        yield from (teeth, tip) if tongue > _TONGUE_OUT else (tip, teeth)
        yield self.upper_teeth, self.upper_teeth.card.points, 1.0

    def _with_jaw(self, layer: Layer, jaw: float) -> Floats:
        moved = layer.card.points + np.float32(jaw - _BAKED_JAW) * self._jaw_motion(
            layer.card.points
        )
        return np.asarray(moved, np.float32)

    def _jaw_motion(self, points: Floats) -> Floats:
        jaw = self.face.mesh.jaw
        return np.asarray(points @ jaw[:3] + jaw[3], np.float32)

    def eye_texels(self, plate: Floats) -> Floats:
        """Texels on the eyes' plate of plate positions."""
        return self._eye_texture.texels(plate)

    def _layer(self, card: Card, plate: Plate) -> Layer:
        texture = self._texture(plate)
        flat = np.zeros_like(card.plate)
        ones = np.ones(len(card.points), np.float32)
        coat = Coat(texture.texels(card.plate), flat, 0 * ones, ones, card.shade)
        return Layer(card, coat, texture.picture, np.arange(len(card.triangles), dtype=np.int32))

    def _arch(self, plate: Plate) -> Card:
        """A plate of teeth bent along the dental arch, dark towards the cheeks."""
        n, camera = 9, self.face.camera
        xs, ys = (
            np.linspace(start, start + length, n)
            for start, length in zip(
                plate.origin, np.array(plate.bgra.shape[1::-1]) * plate.scale, strict=True
            )
        )
        spots = np.stack([a.ravel() for a in np.meshgrid(xs, ys)], 1).astype(np.float32)
        aside = spots[:, 0] / camera.plate_px - 0.5
        across = np.clip(0.35 * aside / _ARCH_HALF_M, -1, 1)
        front = float(self.lips.line[1]) + _ARCH_BEHIND_M
        depth = front + _ARCH_DEPTH_M * (1 - np.sqrt(1 - across**2))
        corner = np.arange(n * n).reshape(n, n)
        a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
        triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])
        shade = np.clip(1 - 0.9 * (aside / _TEETH_SIDE) ** 2, 0.06, 1)
        points = camera.unproject(spots, depth)
        return Card(
            points.astype(np.float32), triangles.astype(np.int32), spots, shade.astype(np.float32)
        )


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


def _resized(picture: NDArray[Any], size: NDArray[np.int_]) -> NDArray[Any]:
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
    out[..., :3] = np.rint(rgb @ _YUV.T + np.array([16, 128, 128], np.float32))
    out[..., 3] = bgra[..., 3]
    return out


def _cover(alpha: NDArray[np.uint8]) -> Bytes:
    reach = np.ones((2 * COVER_REACH_PX + 1,) * 2, np.uint8)
    out = np.full(alpha.shape, MIXED, np.uint8)
    out[cv2.dilate(alpha, reach) == 0] = TRANSPARENT
    out[cv2.erode(alpha, reach) == 255] = OPAQUE
    return out
