"""One frame of a baked face: morph, redraw what changed, turn the head, write I420."""

import cv2
import numpy as np

from render.baked.backdrop import backdrop
from render.baked.bands import Band
from render.baked.bearing import turn
from render.baked.kernels import Bytes, Floats, Planes, Target
from render.baked.morphing import place, project
from render.baked.raster import INSIDE, SURFACE, WHERE_INSIDE
from render.baked.residuals import Tint
from render.baked.scaled import ScaledFace
from render.baked.warp import CELL_PX, aim, compose
from render.types import ARKIT, FacePose
from speech.errors import RenderError

HEAD_LIMIT_RAD = np.radians([12.0, 7.0, 8.0])  # yaw, pitch, roll; beyond, one view stretches
GAZE_LIMIT_RAD = np.radians([20.0, 14.0])
_VERGENCE_LIMIT_RAD = 0.25  # a finger's length from the nose
_NARROWEST = 640  # plate pixels that any frame shows from side to side: the head and some room

_BLINKS = [ARKIT.index("eyeBlinkLeft"), ARKIT.index("eyeBlinkRight")]
_JAW = ARKIT.index("jawOpen")
_TONGUE = ARKIT.index("tongueOut")
_ROUNDING = [ARKIT.index("mouthPucker"), ARKIT.index("mouthFunnel")]
_ROUNDED, _ROUND_LIGHT = (0.35, 0.85), (1.0, 0.38)  # lips that stand out shade what is behind them
_PARTED_M = 0.0005  # lips closer than that show nothing of the mouth
_SEALED_M, _SEALED_LIGHT = 0.0020, np.float32(1.6)  # lips that close show a lip where they part
_LIPS_AT_REST_PX = 0.3
_LID_SHADOW_M, _LIP_SHADOW_M = 0.0035, 0.0030  # how far down it reaches
_LID_CHORD_M = 0.004  # how deep in the eyeball a lid half-way down is, for it moves straight
_GAZE_STEP_PX = 0.2  # that a step of the gaze moves the iris


class Compositor:
    """Draws poses of one face in one frame size. Not thread-safe: one per session.

    A frame is a function of its pose alone, which is rounded to steps too small to see. Work
    follows change: the canvas has two bands, eyes and mouth, and a band is drawn again only when
    it shows something else. Turning the canvas into the frame is done every time.
    """

    def __init__(self, face: ScaledFace, width: int, height: int) -> None:
        self._face = face
        self._target = Target.of(face.rest.copy())
        self._tint = Tint(face.rest, face.residuals, face.left_share)
        self._eyes = Band(face, face.eyes, self._target, self._tint)
        self._mouth = Band(face, face.mouth, self._target, self._tint)
        self._lash_at = np.empty_like(face.ocular.lash_morphs.vertices)
        self._lips_at = face.lips_at_rest.copy()
        self._gaze_step = _GAZE_STEP_PX / face.ocular.radius_px
        side = face.face.camera.plate_px
        scale = frame_scale(face.face.camera.plate_px, width, height)
        zoom = face.face.camera.focal * side * scale
        self._frame = face.lens._replace(
            zoom_x=zoom, zoom_y=zoom, left=width / 2, top=height - side * scale / 2
        )
        relief = len(face.face.mesh.turn_relief) - 1
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
        self._tint.show(face.drivers @ weights, self._target.picture)
        gaze = np.rint(gaze / self._gaze_step) * self._gaze_step
        wanted = face.eyes.rounded(weights)
        if not self._eyes.shows(wanted, gaze, self._tint.of(eyes=True)):
            self._draw_eyes(wanted, *gaze.tolist())
        wanted = face.mouth.rounded(weights)
        if not self._mouth.shows(wanted, self._tint.of(eyes=False)):
            self._draw_mouth(wanted)
        height = (len(self._grid) - 1) * CELL_PX
        out = np.empty((height * 3 // 2, (self._grid.shape[1] - 1) * CELL_PX), np.uint8)
        bearing = turn(face.face, head, breath)
        depth = face.face.mesh.turn_relief
        aim(self._frame, face.lens, depth, self._relief, bearing, self._grid)
        compose(self._target.words, face.cover, self._grid, self._backdrop, _planes(out))
        return out

    def _draw_eyes(self, weights: Floats, yaw: float, pitch: float, vergence: float) -> None:
        face, band = self._face, self._eyes
        band.begin(weights, uncover=True)
        for eye, blink in zip(face.ocular.eyeballs, weights[_BLINKS].tolist(), strict=True):
            points = eye.layer.card.points
            at = np.empty_like(points)
            back = np.array([0, 4 * _LID_CHORD_M * blink * (1 - blink), 0], np.float32)
            project(points + back, face.lens, at)
            texels = face.ocular.look(eye, yaw + eye.inward * vergence / 2, pitch)
            band.draw_layer(eye.layer, at, eye.layer.coat._replace(texels=texels), INSIDE)
            band.draw_layer(eye.glint, at, eye.glint.coat, WHERE_INSIDE)
        band.draw_skin(band.region.coat)
        band.finish(_LID_SHADOW_M, 0.5)
        for lid, blink in zip(face.ocular.lids, weights[_BLINKS].tolist(), strict=True):
            closed = min(1.0, max(0.0, (blink - 0.5) / 0.5))
            if closed:
                opacity = closed * closed * (3 - 2 * closed)
                band.fade_in(lid, opacity)
        place(face.ocular.lash_morphs, weights, face.lens, self._lash_at)
        band.draw(
            self._lash_at, face.ocular.lash_triangles, face.ocular.all_lashes,
            face.ocular.lash_coat, face.ocular.lash_texture, SURFACE,
        )  # fmt: skip

    def _draw_mouth(self, weights: Floats) -> None:
        face, band = self._face, self._mouth
        place(face.lip_morphs, weights, face.lens, self._lips_at)
        opening, moved = self._opening_m(), self._lips_moved()
        band.begin(weights, uncover=moved)
        if moved:  # or else the rest plate would come through where the lips part at the corners
            self._draw_inside(weights, opening)
            band.forget_inside()
        coat = band.region.coat
        shadow = 0.5 * min(1.0, max(0.0, 1 - opening / 0.012))
        shade = coat.shade * (1 - np.float32(shadow) * band.region.inner_lips)
        band.draw_skin(coat._replace(shade=shade))
        if moved:
            band.finish(max(1e-5, min(_LIP_SHADOW_M, 0.5 * opening)), 0.35)

    def _draw_inside(self, weights: Floats, opening: float) -> None:
        """The inside of the mouth: lining, and teeth and tongue when the lips are parted."""
        face, band = self._face, self._mouth
        jaw, tongue = float(weights[_JAW]), float(weights[_TONGUE])
        light = min(1.0, 0.35 + 0.65 * jaw / 0.75)
        sealed = np.float32(max(0.0, 1 - opening / _SEALED_M))
        shade = face.lining_coat.shade * np.float32(light)
        coat = face.lining_coat._replace(shade=shade + sealed * (_SEALED_LIGHT - shade))
        region = band.region
        band.draw(band.at, region.mesh.triangles, region.lining, coat, face.lining_texture, INSIDE)
        if opening <= _PARTED_M:
            return
        light = min(1.0, 0.88 + 0.12 * opening / 0.006)
        light *= float(np.interp(weights[_ROUNDING].sum(), _ROUNDED, _ROUND_LIGHT))
        for layer, points, dim in face.oral.layers(jaw, tongue):
            at = np.empty_like(points)
            project(points, face.lens, at)
            coat = layer.coat._replace(shade=layer.coat.shade * np.float32(light * dim))
            band.draw_layer(layer, at, coat, WHERE_INSIDE)

    def _opening_m(self) -> float:
        """How far the lips are apart, from heights as if all were as far away as their line."""
        lens = self._face.lens
        pixel = (float(self._face.lips.line[1]) + lens.distance) / lens.zoom_y
        return self._face.lips.opening_m(self._lips_at[:, 1] * np.float32(-pixel))

    def _lips_moved(self) -> bool:
        moved = np.abs(self._lips_at[:, :2] - self._face.lips_at_rest[:, :2])
        return bool(moved.max() > _LIPS_AT_REST_PX)


def frame_scale(plate_px: int, width: int, height: int) -> float:
    """Frame pixels per plate pixel: the plate fills the height, unless that would cut the head."""
    return min(height / plate_px, width / _NARROWEST)


def _planes(i420: Bytes) -> Planes:
    """Views of the planes of an I420 picture, shape (height * 3 // 2, width)."""
    rows, width = i420.shape
    height = rows * 2 // 3
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return Planes(i420[:height], chroma[0], chroma[1])


def _checked(pose: FacePose) -> tuple[Floats, Floats, Floats, float]:
    """Weights, head, gaze (yaw, pitch, vergence) and breath, within their limits."""
    weights = np.asarray(pose.weights, np.float32)
    head, gaze = np.asarray(pose.head, np.float32), np.asarray(pose.gaze, np.float32)
    if weights.shape != (len(ARKIT),) or head.shape != (3,) or gaze.shape != (2,):
        raise RenderError(
            f"A pose has {weights.shape} weights, {head.shape} head, {gaze.shape} gaze"
        )
    if not np.isfinite(weights.sum() + head.sum() + gaze.sum() + pose.breath + pose.vergence):
        raise RenderError("A pose holds numbers that are not finite")
    yaw, pitch = np.clip(gaze, -GAZE_LIMIT_RAD, GAZE_LIMIT_RAD)
    vergence = np.clip(pose.vergence, 0, _VERGENCE_LIMIT_RAD)
    return (
        np.clip(weights, 0, 1),
        np.clip(head, -HEAD_LIMIT_RAD, HEAD_LIMIT_RAD).astype(np.float32),
        np.array([yaw, pitch, vergence], np.float32),
        float(np.clip(pose.breath, 0, 1)),
    )
