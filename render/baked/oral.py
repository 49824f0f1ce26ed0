"""What is inside the mouth: two rows of teeth and a tongue, bent from their flat plates."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from render.baked.asset import BakedFace, Plate
from render.baked.kernels import Floats
from render.baked.pictures import Canvas, Layer
from render.baked.rig import Card

_ARCH_HALF_M, _ARCH_DEPTH_M = 0.0335, 0.0426  # of the dental arch
_ARCH_BEHIND_M = 0.0083  # its front, behind where the lips meet
_TEETH_SIDE = 0.075  # of the plate: where teeth are deep in the shade of the cheeks
_UPPER_EDGE_M = -0.0030  # of the incisors, from where the lips meet: what shows at first
_LOWER_EDGE_M = -0.0045  # of theirs, with the jaw shut: nearly all of them stays behind the lip
_TIP_TEXELS = 0.12  # of a plate's width: the middle, where edges and tip are looked for
_TONGUE_RAISED = (0.0, 0.17, 0.30, 0.70)  # tongueOut: at rest, behind the teeth, ..., between them
_TONGUE_TIP_M = (0.0005, 0.0029, 0.0003)  # from the lower incisors' edge; at rest as baked
_TONGUE_OUT = 0.30  # tongueOut from which the tongue is in front of the lower teeth
_BAKED_JAW = 0.75  # weight of jawOpen on the plates of tongue and lower teeth
_TEETH_LUMA = 208.0  # of the brightest teeth in full light


class Oral:
    """Teeth and tongue of a face at one canvas size.

    Args:
        face: The face.
        canvas: Its size.
        lip_line: float32, shape (3,): where the lips meet in the middle at rest, in metres.
    """

    def __init__(self, face: BakedFace, canvas: Canvas, lip_line: Floats) -> None:
        self._camera, self._jaw, self._line = face.camera, face.mesh.jaw, lip_line
        self._canvas = canvas
        plates = face.plates
        self._upper_teeth = self._teeth(plates["teeth_upper"], -1, _UPPER_EDGE_M, 0.0)
        self._lower_teeth = self._teeth(plates["teeth_lower"], 0, _LOWER_EDGE_M, _BAKED_JAW)
        self._tongue = Layer.of(self._arch(plates["tongue"]), canvas.texture(plates["tongue"]))
        tip = self._tip(plates["tongue"], -1)
        tip += -_BAKED_JAW * self._jaw_motion(tip[None])[0]
        self._tongue_lifts = [0.0] + [
            float(lip_line[2]) + _LOWER_EDGE_M + over - float(tip[2]) for over in _TONGUE_TIP_M
        ]

    def layers(self, jaw: float, tongue: float) -> Iterator[tuple[Layer, Floats, float]]:
        """What is inside the mouth, in drawing order.

        Args:
            jaw: Weight of jawOpen.
            tongue: Weight of tongueOut.

        Yields:
            The layer, its points in space, and its brightness.
        """
        lift = np.array([0, 0, np.interp(tongue, _TONGUE_RAISED, self._tongue_lifts)], np.float32)
        out = float(np.clip((tongue - 0.1) / 0.4, 0, 1))
        tip = (self._tongue, self._with_jaw(self._tongue, jaw) + lift, 0.62 + 0.38 * out)
        teeth = (self._lower_teeth, self._with_jaw(self._lower_teeth, jaw), 0.84)
        yield from (teeth, tip) if tongue > _TONGUE_OUT else (tip, teeth)
        yield self._upper_teeth, self._upper_teeth.card.points, 1.0

    def _teeth(self, plate: Plate, end: int, edge_m: float, jaw: float) -> Layer:
        """A row of teeth with its edge so far above where the lips meet, when the jaw is shut."""
        layer = Layer.of(self._arch(plate), self._canvas.texture(plate))
        edge = self._tip(plate, end)
        height = float((edge - jaw * self._jaw_motion(edge[None])[0])[2])
        layer.card.points[:, 2] += float(self._line[2]) + edge_m - height
        luma = layer.texture[..., 0][layer.texture[..., 3] > 200]
        gain = (_TEETH_LUMA - 16) / (float(np.percentile(luma, 92)) - 16)
        shade = layer.card.shade * np.float32(np.clip(gain, 0.8, 1.5))
        return replace(layer, coat=layer.coat._replace(shade=shade))

    def _tip(self, plate: Plate, end: int) -> Floats:
        """The first (0) or last (-1) opaque point down the middle of a plate, in space."""
        middle = (self._camera.plate_px / 2 - plate.origin[0]) / plate.scale
        half = max(1.0, _TIP_TEXELS * plate.bgra.shape[1])
        strip = plate.bgra[:, round(middle - half) : round(middle + half), 3]
        rows = np.flatnonzero((strip > 128).mean(1) > 0.4)
        spot = [self._camera.plate_px / 2, plate.origin[1] + (rows[end] + 0.5) * plate.scale]
        front = self._line[1:2] + np.float32(_ARCH_BEHIND_M)
        return np.asarray(self._camera.unproject(np.array([spot], np.float32), front)[0])

    def _with_jaw(self, layer: Layer, jaw: float) -> Floats:
        moved = layer.card.points + np.float32(jaw - _BAKED_JAW) * self._jaw_motion(
            layer.card.points
        )
        return np.asarray(moved, np.float32)

    def _jaw_motion(self, points: Floats) -> Floats:
        jaw = self._jaw
        return np.asarray(points @ jaw[:3] + jaw[3], np.float32)

    def _arch(self, plate: Plate) -> Card:
        """A plate of teeth bent along the dental arch, dark towards the cheeks."""
        n, camera = 9, self._camera
        xs, ys = (
            np.linspace(start, start + length, n)
            for start, length in zip(
                plate.origin, np.array(plate.bgra.shape[1::-1]) * plate.scale, strict=True
            )
        )
        spots = np.stack([a.ravel() for a in np.meshgrid(xs, ys)], 1).astype(np.float32)
        aside = spots[:, 0] / camera.plate_px - 0.5
        across = np.clip(0.35 * aside / _ARCH_HALF_M, -1, 1)
        front = float(self._line[1]) + _ARCH_BEHIND_M
        depth = front + _ARCH_DEPTH_M * (1 - np.sqrt(1 - across**2))
        corner = np.arange(n * n).reshape(n, n)
        a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
        triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])
        shade = np.clip(1 - 0.6 * (aside / _TEETH_SIDE) ** 2, 0.2, 1)
        points = camera.unproject(spots, depth)
        return Card(
            points.astype(np.float32), triangles.astype(np.int32), spots, shade.astype(np.float32)
        )
