"""What belongs to the eyes and is not skin: eyeballs, their reflections, closed lids, lashes."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.eyeballs import without_glints
from render.baked.kernels import Coat, Floats, Ints, Lens, Morphs
from render.baked.lash_line import with_lines
from render.baked.morphing import turned
from render.baked.pictures import Canvas, Layer, Patch, Texture, resized, yuva
from render.baked.rig import eyeball, rotation

_LID_ELLIPSE_M = (0.0185, 0.0135)  # half axes of what `open` shows of a closed eye
_LASH_LIFT_M = 0.003  # towards the camera, so that lids never cover their own lashes


@dataclass(frozen=True, slots=True)
class Eyeball:
    """One eye.

    Attributes:
        layer: Its front; looks straight ahead.
        glint: What light reflects in it, which does not turn with it.
        centre: float32, shape (3,), in metres.
        inward: The sign of a yaw towards the nose.
    """

    layer: Layer
    glint: Layer
    centre: Floats
    inward: float


class Ocular:
    """Eyes, lids and lashes of a face at one canvas size.

    Attributes:
        eyeballs: Left and right.
        lids: Left and right, closed.
        lash_morphs: Ribbons of the lashes.
        lash_triangles: int32, shape (t, 3).
        all_lashes: Every one of them.
        lash_coat: Their paint.
        lash_texture: uint8, shape (h, w, 4).
        radius_px: Of an eyeball.
    """

    def __init__(self, face: BakedFace, canvas: Canvas) -> None:
        self._face, self._canvas = face, canvas
        self.radius_px = face.eye_radius * canvas.zoom(float(face.eyes[0, 1]))
        opened = canvas.texture(face.plates["open"])
        self.lids = [self._closed_lid(opened, eye) for eye in face.eyes]
        self._add_eyeballs()
        self._add_lashes()

    def look(self, eye: Eyeball, yaw: float, pitch: float) -> Floats:
        """Texels, float32, shape (n, 2), of an eye that looks along a direction, in radians."""
        out = np.empty_like(eye.layer.coat.texels)
        turn = rotation(yaw, pitch, 0.0)
        turned(eye.layer.card.points, eye.centre, turn, self._to_texels, *self._last_texel, out)
        return out

    def _add_eyeballs(self) -> None:
        face, camera, eyes = self._face, self._face.camera, self._face.plates["eyes"]
        centres = (camera.project(face.eyes)[:, :2] - eyes.origin) / eyes.scale
        depth = float(face.eyes[0, 1]) + camera.distance
        radius = face.eye_radius * camera.focal * camera.plate_px / depth / eyes.scale
        clean, glints = without_glints(eyes.bgra, centres, radius)
        texture = self._canvas.texture(replace(eyes, bgra=clean))
        reflections = self._canvas.texture(replace(eyes, bgra=glints))
        self._to_texels = _to_texels(face, texture)
        rows, columns = texture.picture.shape[:2]
        self._last_texel = (columns - 1.01, rows - 1.01)
        self.eyeballs = []
        for eye in face.eyes:
            card = eyeball(eye, face.eye_radius, camera)
            self.eyeballs.append(
                Eyeball(
                    Layer.of(card, texture),
                    _where_opaque(Layer.of(card, reflections)),
                    eye,
                    -1.0 if eye[0] > 0 else 1.0,
                )
            )

    def _add_lashes(self) -> None:
        lashes, opacity = with_lines(self._face.lashes)
        lifted = lashes.vertices - np.array([0, _LASH_LIFT_M, 0], np.float32)
        self.lash_morphs = Morphs(
            lifted.astype(np.float32),
            lashes.morph_starts,
            lashes.morph_vertices,
            lashes.morph_deltas,
        )
        self.lash_texture = yuva(self._lash_picture())
        size = np.array(self.lash_texture.shape[1::-1], np.float32)
        texels = np.clip(lashes.uv * size - 0.5, 0, size - 1.01).astype(np.float32)
        ones = np.ones(len(texels), np.float32)
        self.lash_coat = Coat(texels, 0 * texels, 0 * ones, opacity, ones)
        self.lash_triangles = lashes.triangles
        self.all_lashes = np.arange(len(lashes.triangles), dtype=np.int32)

    def _lash_picture(self) -> NDArray[np.uint8]:
        """The lashes' plate, shrunk to about as many texels as the ribbons cover on the canvas."""
        bgra, lashes = self._face.plates["lashes"].bgra, self._face.lashes
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

    def _fill_ellipse(
        self, mask: Floats, at: NDArray[np.floating], axes_m: tuple[float, float], value: float
    ) -> None:
        x, y, _ = self._canvas.at(at[None])[0]
        axes = tuple(round(a * self._canvas.zoom(float(at[1]))) for a in axes_m)
        cv2.ellipse(mask, (round(float(x)), round(float(y))), axes, 0, 0, 360, value, -1)

    def _closed_lid(self, opened: Texture, eye: Floats) -> Patch:
        """What plate `open` shows of a closed eye, soft-edged, resampled to the canvas."""
        mask = np.zeros(self._canvas.size[::-1], np.float32)
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


def _to_texels(face: BakedFace, texture: Texture) -> Lens:
    """From space to texels, as `Texture.texels` after `Camera.project`."""
    camera = face.camera
    zoom = camera.focal * camera.plate_px * texture.scale
    middle = (camera.plate_px / 2 - texture.origin) * texture.scale - 0.5
    return Lens(
        float(zoom[0]), float(zoom[1]), float(middle[0]), float(middle[1]), camera.distance,
        camera.height,
    )  # fmt: skip


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
