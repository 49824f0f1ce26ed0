"""One frame of a baked face: morph, redraw what moved, turn the head, write I420."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.backdrop import backdrop
from render.baked.kernels import Bytes, Floats, Ints, Planes, Target, Turn
from render.baked.raster import (
    BEHIND_LIPS,
    FAR,
    LINING,
    SURFACE,
    draw,
    fade_in,
    farthest_move,
    moved_triangles,
    place,
    project,
    tint,
)
from render.baked.rig import rotation, turned_eye
from render.baked.scaled import Layer, ScaledFace
from render.baked.warp import CELL_PX, aim, compose
from render.types import ARKIT, FacePose
from speech.errors import RenderError

HEAD_LIMIT_RAD = np.radians(
    [8.0, 7.0, 8.0]
)  # yaw, pitch, roll; beyond, one view's texture stretches
GAZE_LIMIT_RAD = np.radians([20.0, 14.0])
_VERGENCE_LIMIT_RAD = 0.25  # a finger's length from the nose
_BREATH_M = 0.0022
_SHADE_STEPS = 16  # in which the weight of a residual moves
_STRONGEST_SHADE = 1.2
_NARROWEST = 640  # plate pixels that any frame shows from side to side: the head and some room

_BLINKS = [ARKIT.index("eyeBlinkLeft"), ARKIT.index("eyeBlinkRight")]
_JAW = ARKIT.index("jawOpen")
_LIP_RAISERS = [
    ARKIT.index(name) for name in ("mouthSmileLeft", "mouthUpperUpLeft", "mouthLowerDownLeft")
]
_UNCHANGED_RAD = 0.008  # of gaze: a fifth of a pixel on the iris at 512
_REACH_M = 0.04  # no vertex moves farther
_UNCHANGED_PX = 0.10  # vertices that moved less since they were drawn need no new drawing


class Compositor:
    """Draws poses of one face in one frame size. Not thread-safe: one per session.

    Work follows change: the canvas has two bands, eyes and mouth, and a band is drawn again only
    when something in it moved. Turning the canvas into the frame is done every time.
    """

    def __init__(self, face: ScaledFace, width: int, height: int) -> None:
        self._face = face
        rows = face.rest.shape[0]
        self._target = Target(
            face.rest.copy(),
            np.full(face.rest.shape[:2], FAR, np.float32),
            np.zeros(face.rest.shape[:2], np.uint8),
        )
        self._skin = face.rest.copy()
        self._shade = np.zeros((len(face.shades), 2), np.float32)
        self._lash_at = np.empty_like(face.lash_morphs.vertices)
        self._at = face.at_rest.copy()
        self._bands = (
            _Band(0, face.split_row, face),
            _Band(face.split_row, rows, face),
        )
        self._gaze = (0.0, 0.0, 0.0)
        side = face.face.camera.plate_px
        scale = frame_scale(face.face.camera.plate_px, width, height)
        zoom = face.face.camera.focal * side * scale
        self._frame = face.lens._replace(
            zoom_x=zoom, zoom_y=zoom, left=width / 2, top=height - side * scale / 2
        )
        relief = len(face.face.mesh.relief) - 1
        self._relief = face.lens._replace(
            zoom_x=face.face.camera.focal * relief,
            zoom_y=face.face.camera.focal * relief,
            left=relief / 2,
            top=relief / 2,
        )
        self._grid = np.empty((height // CELL_PX + 1, width // CELL_PX + 1, 2), np.float32)
        room = cv2.cvtColor(
            backdrop(face.face.plates["background"].bgra[..., :3], width, height),
            cv2.COLOR_BGR2YUV_I420,
        )
        self._backdrop = _planes(np.asarray(room, np.uint8))

    def draw(self, pose: FacePose) -> Bytes:
        """The frame of a pose: uint8, shape (height * 3 // 2, width), I420, newly allocated.

        Head and gaze are kept within what one baked view can show.

        Raises:
            RenderError: The pose has the wrong shape or holds numbers that are not finite.
        """
        weights, head, gaze, breath = _checked(pose)
        face = self._face
        place(face.morphs, weights, face.lens, self._at)
        eyes, mouth = self._bands
        self._add_shading(weights)
        if eyes.changed(self._at) or math.dist(gaze, self._gaze) > _UNCHANGED_RAD:
            self._gaze = gaze
            self._draw_eyes(eyes, weights, gaze)
        if mouth.changed(self._at):
            self._draw_mouth(mouth, weights)
        height = (len(self._grid) - 1) * CELL_PX
        out = np.empty((height * 3 // 2, (self._grid.shape[1] - 1) * CELL_PX), np.uint8)
        turn = Turn(rotation(*head), face.face.pivot, *face.face.neck, _BREATH_M * breath)
        aim(self._frame, face.lens, face.face.mesh.relief, self._relief, turn, self._grid)
        compose(self._target.picture, face.cover, self._grid, self._backdrop, _planes(out))
        return out

    def _add_shading(self, weights: Floats) -> None:
        """Shade the skin again where a residual's weight changed."""
        face = self._face
        wanted = np.clip(face.shade_drivers @ weights, 0, _STRONGEST_SHADE)
        wanted = np.rint(wanted * _SHADE_STEPS) / _SHADE_STEPS
        changed = [
            shade
            for shade, new, old in zip(face.shades, wanted, self._shade, strict=True)
            if shade.change.size and (new != old).any()
        ]
        self._shade = wanted
        if not changed:
            return
        x0, y0 = min(s.left for s in changed), min(s.top for s in changed)
        x1 = max(s.left + s.change.shape[1] // 4 for s in changed)
        y1 = max(s.top + s.change.shape[0] for s in changed)
        self._skin[y0:y1, x0:x1] = face.rest[y0:y1, x0:x1]
        flat = self._skin.reshape(len(self._skin), -1)
        for shade, (left, right) in zip(face.shades, wanted.tolist(), strict=True):
            if left or right:
                tint(shade, left, right, flat, x0, y0, x1, y1)
        for band in self._bands:
            top, bottom = max(y0, band.top), min(y1, band.bottom)
            if top < bottom:
                self._target.picture[top:bottom, x0:x1] = self._skin[top:bottom, x0:x1]
                band.stale = True

    def _draw_eyes(self, band: "_Band", weights: Floats, gaze: tuple[float, float, float]) -> None:
        face = self._face
        chosen = band.begin(face, self._skin, self._at, face.eye_region, self._target)
        yaw, pitch, vergence = gaze
        for layer, centre in zip(face.eyes, face.face.eyes, strict=True):
            inward = -math.copysign(vergence / 2, float(centre[0]))
            plate = turned_eye(layer.card, centre, (yaw + inward, pitch), face.face.camera)
            self._draw_layer(band, layer, layer.card.points, SURFACE, face.eye_texels(plate))
        self._draw_skin(band, chosen)
        for lid, blink in zip(face.lids, weights[_BLINKS], strict=True):
            closed = float(np.clip((blink - 0.5) / 0.5, 0, 1))
            if closed:
                opacity = closed * closed * (3 - 2 * closed)
                fade_in(
                    self._target.picture,
                    lid.picture,
                    opacity,
                    lid.left,
                    lid.top,
                    band.top,
                    band.bottom,
                )
        self._draw_lashes(band, weights)

    def _draw_lashes(self, band: "_Band", weights: Floats) -> None:
        face = self._face
        place(face.lash_morphs, weights, face.lens, self._lash_at)
        draw(
            self._lash_at, face.lash_triangles, face.all_lashes, face.lash_coat,
            face.lash_texture, face.lash_texture, self._target, band.top, band.bottom, SURFACE,
        )  # fmt: skip

    def _draw_mouth(self, band: "_Band", weights: Floats) -> None:
        face = self._face
        jaw = float(weights[_JAW])
        raised = 0.5 * float(weights[_LIP_RAISERS].sum())
        parted = jaw > 0.03 or raised > 0.08
        shown = face.mouth_region if parted else None
        chosen = band.begin(face, self._skin, self._at, shown, self._target)
        if parted:
            light = float(np.clip(0.35 + 0.65 * jaw / 0.75, 0.35, 1))
            coat = face.lining_coat._replace(shade=face.lining_coat.shade * np.float32(light))
            draw(
                self._at, face.triangles, face.lining, coat, face.lining_texture, face.open,
                self._target, band.top, band.bottom, LINING,
            )  # fmt: skip
            light = float(np.clip(0.70 + 0.35 * jaw + 0.30 * raised, 0.3, 0.98))
            for layer, moved, dim in face.mouth_layers(jaw):
                self._draw_layer(band, layer, moved, BEHIND_LIPS, layer.coat.texels, light * dim)
            band.forget_lining(self._target)
        self._draw_skin(band, chosen)

    def _draw_layer(
        self,
        band: "_Band",
        layer: Layer,
        points: Floats,
        mode: int,
        texels: Floats,
        light: float = 1.0,
    ) -> None:
        at = np.empty_like(points)
        project(points, self._face.lens, at)
        coat = layer.coat._replace(texels=texels, shade=layer.coat.shade * np.float32(light))
        draw(
            at, layer.card.triangles, layer.all, coat, layer.texture, layer.texture,
            self._target, band.top, band.bottom, mode,
        )  # fmt: skip

    def _draw_skin(self, band: "_Band", chosen: Ints) -> None:
        face = self._face
        draw(
            self._at, face.triangles, chosen, face.coat, self._skin, face.open,
            self._target, band.top, band.bottom, SURFACE,
        )  # fmt: skip


class _Band:
    """Rows of the canvas that are drawn together, and what is on them now."""

    def __init__(self, top: int, bottom: int, face: ScaledFace) -> None:
        self.top, self.bottom = top, bottom
        self.stale = True
        self._drawn = face.at_rest.copy()
        rows = face.at_rest[face.triangles[face.skin], 1]
        reach = _REACH_M * face.lens.zoom_y / face.lens.distance
        near = (rows.max(1) > top - reach) & (rows.min(1) < bottom + reach)
        self._candidates = face.skin[near]
        self._nothing = np.zeros(len(face.triangles), np.bool_)
        self._chosen = np.empty(len(self._candidates), np.int32)
        self._box = np.zeros(4, np.int32)
        self._last_box = (0, 0, 0, 0)

    def changed(self, at: Floats) -> bool:
        """Whether the band shows something else than `at`."""
        return self.stale or farthest_move(at, self._drawn, self.top, self.bottom) > _UNCHANGED_PX

    def begin(
        self,
        face: ScaledFace,
        skin: Bytes,
        at: Floats,
        always: NDArray[np.bool_] | None,
        target: Target,
    ) -> Ints:
        """Blank what was drawn last, and return the triangles to draw now."""
        self.stale = False
        self._drawn[:] = at
        x0, y0, x1, y1 = self._last_box
        target.picture[y0:y1, x0:x1] = skin[y0:y1, x0:x1]
        count = moved_triangles(
            at, face.at_rest, face.triangles, self._candidates,
            self._nothing if always is None else always, self.top, self.bottom,
            self._chosen, self._box,
        )  # fmt: skip
        rows, columns = target.depth.shape
        x0, y0, x1, y1 = self._box.tolist() if count else (0, 0, 0, 0)
        self._last_box = (max(x0, 0), max(y0, 0), min(x1, columns), min(y1, rows))
        x0, y0, x1, y1 = self._last_box
        target.depth[y0:y1, x0:x1] = FAR
        target.mark[y0:y1, x0:x1] = 0
        return self._chosen[:count]

    def forget_lining(self, target: Target) -> None:
        """Let the lips be drawn over whatever is inside the mouth."""
        x0, y0, x1, y1 = self._last_box
        target.depth[y0:y1, x0:x1][target.mark[y0:y1, x0:x1] == 1] = FAR


def frame_scale(plate_px: int, width: int, height: int) -> float:
    """Frame pixels per plate pixel: the plate fills the height, unless that would cut the head."""
    return min(height / plate_px, width / _NARROWEST)


def _planes(i420: Bytes) -> Planes:
    """Views of the planes of an I420 picture, shape (height * 3 // 2, width)."""
    rows, width = i420.shape
    height = rows * 2 // 3
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return Planes(i420[:height], chroma[0], chroma[1])


def _checked(pose: FacePose) -> tuple[Floats, Floats, tuple[float, float, float], float]:
    """Weights, head, gaze (yaw, pitch, vergence) and breath, within their limits."""
    weights = np.asarray(pose.weights, np.float32)
    head, gaze = np.asarray(pose.head, np.float32), np.asarray(pose.gaze, np.float32)
    if weights.shape != (len(ARKIT),) or head.shape != (3,) or gaze.shape != (2,):
        raise RenderError(
            f"A pose has {weights.shape} weights, {head.shape} head, {gaze.shape} gaze"
        )
    if not np.isfinite(weights.sum() + head.sum() + gaze.sum() + pose.breath + pose.vergence):
        raise RenderError("A pose holds numbers that are not finite")
    yaw, pitch = np.clip(gaze, -GAZE_LIMIT_RAD, GAZE_LIMIT_RAD).tolist()
    return (
        np.clip(weights, 0, 1),
        np.clip(head, -HEAD_LIMIT_RAD, HEAD_LIMIT_RAD).astype(np.float32),
        (yaw, pitch, float(np.clip(pose.vergence, 0, _VERGENCE_LIMIT_RAD))),
        float(np.clip(pose.breath, 0, 1)),
    )
