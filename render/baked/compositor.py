"""One frame of a baked face: morph, redraw what moved, turn the head, write I420."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.backdrop import backdrop
from render.baked.kernels import (
    FAR,
    WITHIN,
    Bytes,
    Coat,
    Floats,
    Ints,
    Planes,
    Target,
    Turn,
    as_words,
)
from render.baked.morphing import farthest_move, moved_triangles, place, project
from render.baked.pictures import Layer
from render.baked.raster import INSIDE, SURFACE, WHERE_INSIDE, draw, draw_skin
from render.baked.retouch import fade_in, shade_under, soften, tint
from render.baked.rig import rotation, turned_eye
from render.baked.scaled import ScaledFace
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
_TONGUE = ARKIT.index("tongueOut")
_PARTED_M = 0.0005  # lips closer than that show nothing of the mouth
_LIPS_AT_REST_PX = 0.3
_LID_SHADOW_M, _LIP_SHADOW_M = 0.0035, 0.0030  # how far down it reaches
_LID_CHORD_M = 0.004  # how deep in the eyeball a lid half-way down is, for it moves straight
_UNCHANGED_RAD = 0.008  # of gaze: a fifth of a pixel on the iris at 512
_UNCHANGED_TONGUE = 0.02
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
        self._target = Target.of(face.rest.copy())
        self._skin = face.rest.copy()
        self._words = as_words(self._skin)
        self._shade = np.zeros((len(face.shades), 2), np.float32)
        self._lash_at = np.empty_like(face.lash_morphs.vertices)
        self._at = face.at_rest.copy()
        self._lips_at = face.lips_at_rest.copy()
        self._bands = (
            _Band(0, face.split_row, face),
            _Band(face.split_row, rows, face),
        )
        self._gaze = (0.0, 0.0, 0.0)
        self._tongue = 0.0
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
        tongue = float(weights[_TONGUE])
        if mouth.changed(self._at) or abs(tongue - self._tongue) > _UNCHANGED_TONGUE:
            self._tongue = tongue
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
        for k, (layer, centre) in enumerate(zip(face.eyes, face.face.eyes, strict=True)):
            inward = -math.copysign(vergence / 2, float(centre[0]))
            plate = turned_eye(layer.card, centre, (yaw + inward, pitch), face.face.camera)
            blink = float(weights[_BLINKS[k]])
            back = np.array([0, 4 * _LID_CHORD_M * blink * (1 - blink), 0], np.float32)
            points = layer.card.points + back
            self._draw_layer(band, layer, points, INSIDE, face.eye_texels(plate))
            glint = face.glints[k]
            self._draw_layer(band, glint, points, WHERE_INSIDE, glint.coat.texels)
        self._draw_skin(band, chosen)
        self._finish(band, _LID_SHADOW_M, 0.5)
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
        jaw, tongue = float(weights[_JAW]), float(weights[_TONGUE])
        place(face.lip_morphs, weights, face.lens, self._lips_at)
        opening = face.lips.opening_m(self._heights())
        parted = opening > _PARTED_M
        moved = self._lips_moved()
        shown = face.mouth_region if moved else None
        chosen = band.begin(face, self._skin, self._at, shown, self._target)
        if moved:  # or else the rest plate would come through where the lips part at the corners
            light = float(np.clip(0.35 + 0.65 * jaw / 0.75, 0.35, 1))
            coat = face.lining_coat._replace(shade=face.lining_coat.shade * np.float32(light))
            draw(
                self._at, face.triangles, face.lining, coat, face.lining_texture, face.open,
                self._target, band.top, band.bottom, INSIDE,
            )  # fmt: skip
        if parted:
            light = float(np.clip(0.88 + 0.12 * opening / 0.006, 0.88, 1))
            for layer, points, dim in face.oral.layers(jaw, tongue):
                self._draw_layer(band, layer, points, WHERE_INSIDE, layer.coat.texels, light * dim)
        if moved:
            band.forget_inside(self._target)
        shadow = 0.5 * float(np.clip(1 - opening / 0.012, 0, 1))
        shade = face.coat.shade * (1 - np.float32(shadow) * face.inner_lips)
        self._draw_skin(band, chosen, face.coat._replace(shade=shade))
        if moved:
            self._finish(band, max(1e-5, min(_LIP_SHADOW_M, 0.5 * opening)), 0.35)

    def _heights(self) -> Floats:
        """Height of every vertex in metres, but for a constant, as if as far away as the lips."""
        lens = self._face.lens
        pixel = (float(self._face.lips.line[1]) + lens.distance) / lens.zoom_y
        return self._lips_at[:, 1] * np.float32(-pixel)

    def _lips_moved(self) -> bool:
        face = self._face
        moved = np.abs(self._lips_at[:, :2] - face.lips_at_rest[:, :2])
        return bool(moved.max() > _LIPS_AT_REST_PX)

    def _finish(self, band: "_Band", reach_m: float, strength: float) -> None:
        """Shade what is inside under the skin's edge, and smooth the edge."""
        lens = self._face.lens
        reach = reach_m * lens.zoom_y / (float(self._face.lips.line[1]) + lens.distance)
        x0, y0, x1, y1 = band.box_inside(self._target)
        shade_under(self._target, reach, strength, x0, y0, x1, y1)
        soften(self._target, x0, y0, x1, y1)

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

    def _draw_skin(self, band: "_Band", chosen: Ints, coat: Coat | None = None) -> None:
        face = self._face
        draw_skin(
            self._at, face.triangles, chosen, face.plain, coat or face.coat, self._skin,
            self._words, face.open, self._target, band.top, band.bottom,
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

    def box_inside(self, target: Target) -> tuple[int, int, int, int]:
        """What was drawn last, without the canvas's outermost pixels."""
        rows, columns = target.depth.shape
        x0, y0, x1, y1 = self._last_box
        return max(x0, 3), max(y0, 3), min(x1, columns - 3), min(y1, rows - 3)

    def forget_inside(self, target: Target) -> None:
        """Let the lips be drawn over whatever is inside the mouth."""
        x0, y0, x1, y1 = self._last_box
        target.depth[y0:y1, x0:x1][target.mark[y0:y1, x0:x1] == WITHIN] = FAR


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
