"""The geometry of a baked face: camera, morphing mesh, eyeballs, teeth and depth relief.

Space is metres, right-handed, z up; the face looks along -y and x > 0 is its left, the viewer's
right. Plate coordinates are pixels of the square rest plate, x right and y down, and continuous:
pixel i covers [i, i + 1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.types import ARKIT

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

OPEN_POSE = {
    "jawOpen": 0.75,
    "eyeBlinkLeft": 1.0,
    "eyeBlinkRight": 1.0,
    "mouthLowerDownLeft": 0.3,
    "mouthLowerDownRight": 0.3,
    "mouthUpperUpLeft": 0.3,
    "mouthUpperUpRight": 0.3,
}
"""Weights of plate `open`, unless a face's card says otherwise."""

_EYE_CAP_RAD = 1.05  # how far an eyeball is modelled from its pole
_BURIED_M, _BURIED_HALF_M = 0.012, 0.045  # how deep, and how far from the middle of the face


@dataclass(frozen=True, slots=True)
class Camera:
    """The pinhole that every plate was baked through, at x = 0, looking along +y.

    Attributes:
        focal: Focal length over sensor width.
        distance: From the camera to y = 0, in metres.
        height: Its z, in metres.
        plate_px: Side of the square plate, in pixels.
    """

    focal: float
    distance: float
    height: float
    plate_px: int

    def project(self, points: NDArray[np.floating]) -> Floats:
        """Plate x, plate y and depth (y, metres) of points, shape (n, 3) to (n, 3)."""
        scale = self.focal * self.plate_px / (points[:, 1] + self.distance)
        x = 0.5 * self.plate_px + points[:, 0] * scale
        y = 0.5 * self.plate_px - (points[:, 2] - self.height) * scale
        return np.stack([x, y, points[:, 1]], 1).astype(np.float32)

    def unproject(self, plate: NDArray[np.floating], depth: NDArray[np.floating]) -> Floats:
        """Points, shape (n, 3), seen at plate positions, shape (n, 2), at depths y, shape (n,)."""
        scale = (depth + self.distance) / (self.focal * self.plate_px)
        x = (plate[:, 0] - 0.5 * self.plate_px) * scale
        z = self.height - (plate[:, 1] - 0.5 * self.plate_px) * scale
        return np.stack([x, depth, z], 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Mesh:
    """The part of the head that moves.

    Attributes:
        vertices: float32, shape (v, 3), at rest.
        triangles: int32, shape (t, 3).
        lining: bool, shape (t,): True inside the mouth.
        morph_starts: int32, shape (53,): blendshape k moves rows starts[k]..starts[k + 1] of:
        morph_vertices: int32, shape (m,): which vertex, and
        morph_deltas: float32, shape (m, 3): by how many metres at weight 1.
        jaw: float32, shape (4, 3): motion of a point (x, y, z, 1) fixed to the jaw at jawOpen 1.
        relief: float32, shape (r, r): depth y of what the plate shows, over the square plate.
        turn_relief: The same shape: over what depth the head turns; nowhere so steep that it tears.
    """

    vertices: Floats
    triangles: Ints
    lining: NDArray[np.bool_]
    morph_starts: Ints
    morph_vertices: Ints
    morph_deltas: Floats
    jaw: Floats
    relief: Floats
    turn_relief: Floats

    def morphed(self, weights: dict[str, float]) -> Floats:
        """Vertices under a few blendshapes; slow, for use at load."""
        out = self.vertices.copy()
        for name, weight in weights.items():
            k = ARKIT.index(name)
            rows = slice(self.morph_starts[k], self.morph_starts[k + 1])
            out[self.morph_vertices[rows]] += weight * self.morph_deltas[rows]
        return out

    def part(self, kept: NDArray[np.integer], triangles: Ints, linings: int = 0) -> "Mesh":
        """Some of its vertices.

        Args:
            kept: Which, each once.
            triangles: int32, shape (t, 3), into `kept`.
            linings: How many of the last triangles are inside the mouth.
        """
        index = np.full(len(self.vertices), -1, np.int32)
        index[kept] = np.arange(len(kept))
        stays = index[self.morph_vertices] >= 0
        before = np.concatenate([[0], np.cumsum(stays)])
        return Mesh(
            vertices=np.ascontiguousarray(self.vertices[kept]),
            triangles=triangles,
            lining=np.arange(len(triangles)) >= len(triangles) - linings,
            morph_starts=before[self.morph_starts].astype(np.int32),
            morph_vertices=index[self.morph_vertices[stays]],
            morph_deltas=np.ascontiguousarray(self.morph_deltas[stays]),
            jaw=self.jaw,
            relief=self.relief,
            turn_relief=self.turn_relief,
        )

    def reach(self) -> Floats:
        """The farthest that any one blendshape moves each vertex, in metres, shape (v,)."""
        out = np.zeros(len(self.vertices), np.float32)
        np.maximum.at(out, self.morph_vertices, np.abs(self.morph_deltas).max(1))
        return out


@dataclass(frozen=True, slots=True)
class Lashes:
    """Ribbons at the lid margins that follow the lids; a face may have none.

    Attributes:
        vertices: float32, shape (v, 3), at rest.
        triangles: int32, shape (t, 3).
        uv: float32 in [0, 1], shape (v, 2): positions on plate `lashes`.
        morph_starts: As in `Mesh`.
        morph_vertices: The same.
        morph_deltas: The same.
    """

    vertices: Floats
    triangles: Ints
    uv: Floats
    morph_starts: Ints
    morph_vertices: Ints
    morph_deltas: Floats


@dataclass(frozen=True, slots=True)
class Card:
    """A flat or curved piece of a plate that moves as a whole: teeth, tongue, eyeball.

    Attributes:
        points: float32, shape (n, 3), in metres.
        triangles: int32, shape (t, 3).
        plate: float32, shape (n, 2): where on its plate each point takes its colour.
        shade: float32, shape (n,): brightness factor.
    """

    points: Floats
    triangles: Ints
    plate: Floats
    shade: Floats


@dataclass(frozen=True, slots=True)
class Skinning:
    """How the mesh takes its colours from the plates.

    Attributes:
        rest: float32, shape (v, 2): positions on plate `rest`.
        open: float32, shape (v, 2): positions on plate `open`.
        open_share: float32 in [0, 1], shape (v,): how much of the colour is from `open`; 1 where
            the rest plate does not show the skin (upper lids, inside of the lips).
        inner_lips: float32 in [0, 1], shape (v,): the same, of the lips alone.
        feather: float32 in [0, 1], shape (v,): opacity; 0 where nothing ever moves.
    """

    rest: Floats
    open: Floats
    open_share: Floats
    inner_lips: Floats
    feather: Floats


def buried(mesh: Mesh, camera: Camera) -> NDArray[np.bool_]:
    """Which triangles lie deep under what the rest plate shows, shape (t,).

    The insides of nose and eye sockets: they move, but nothing ever uncovers them, and the skin
    over them may rest, and then is not drawn over them.
    """
    centre = mesh.vertices[mesh.triangles].mean(1)
    last = len(mesh.relief) - 1
    cells = camera.project(centre)[:, :2] / camera.plate_px * last
    column, row = np.clip(cells, 0, last).round().astype(int).T
    deep = centre[:, 1] - mesh.relief[row, column] > _BURIED_M
    return np.asarray(deep & (np.abs(centre[:, 0]) < _BURIED_HALF_M), np.bool_)


def skinning(
    mesh: Mesh, camera: Camera, eyes: Floats, lip_line: Floats, open_pose: dict[str, float]
) -> Skinning:
    """Work out what each vertex shows.

    A vertex whose triangles are much larger on the open plate than on the rest plate was folded
    away at rest. Only lids and lips fold; elsewhere the rest plate is always right.

    Args:
        mesh: The mesh.
        camera: The camera.
        eyes: Eye centres, shape (2, 3).
        lip_line: Where the lips meet in the middle, shape (3,).
        open_pose: Weights that plate `open` was baked with.
    """
    rest = camera.project(mesh.vertices)[:, :2]
    opened = camera.project(mesh.morphed(open_pose))[:, :2]
    sign = np.sign(np.median(_areas(rest, mesh.triangles)))
    area = {
        name: _per_vertex(np.maximum(_areas(uv, mesh.triangles) * sign, 0), mesh)
        for name, uv in (("rest", rest), ("open", opened))
    }
    ratio = area["open"] / (area["open"] + area["rest"] + 1e-9)
    v = mesh.vertices
    over = v[:, 2] - lip_line[2]
    lips = np.hypot(v[:, 0] / 0.034, over / np.where(over > 0, 0.009, 0.017)) < 1
    folds = lips.copy()
    for eye in eyes:
        folds |= np.hypot(v[:, 0] - eye[0], (v[:, 2] - eye[2]) * 1.15) < 0.0215
    share = np.clip((ratio - 0.58) / 0.12, 0, 1) * folds
    counts = _per_vertex(np.ones(len(mesh.triangles)), mesh)
    share[_per_vertex(mesh.lining.astype(float), mesh) > 0.5 * counts] = 1
    return Skinning(
        rest=rest,
        open=opened,
        open_share=share.astype(np.float32),
        inner_lips=(share * lips * np.clip((0.020 - np.abs(v[:, 0])) / 0.008, 0, 1)).astype(
            np.float32
        ),
        feather=np.clip((mesh.reach() - 5e-4) / 1.2e-3, 0, 1).astype(np.float32),
    )


def eyeball(centre: Floats, radius: float, camera: Camera) -> Card:
    """The front of an eyeball.

    The card stands still; to turn the eye, its texels are turned (`morphing.turned`).
    """
    rings, spokes = 10, 20
    polar = np.repeat(np.linspace(0, _EYE_CAP_RAD, rings + 1), spokes)
    around = np.tile(np.arange(spokes) * (2 * np.pi / spokes), rings + 1)
    unit = np.stack(
        [np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around)], 1
    )
    points = (unit * radius + centre).astype(np.float32)
    a = (np.arange(rings)[:, None] * spokes + np.arange(spokes)).ravel()
    b = (np.arange(rings)[:, None] * spokes + (np.arange(spokes) + 1) % spokes).ravel()
    triangles = np.concatenate(
        [np.stack(t, 1) for t in ((a, b, a + spokes), (b, b + spokes, a + spokes))]
    )
    return Card(
        points,
        triangles.astype(np.int32),
        camera.project(points)[:, :2],
        np.ones(len(points), np.float32),
    )


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Rotation matrix, shape (3, 3), for column vectors; signs as in `FacePose.head`."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    y = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    return np.asarray(z @ x @ y, np.float32)


def _areas(uv: Floats, triangles: Ints) -> NDArray[np.float64]:
    a, b, c = (uv[triangles[:, k]].astype(np.float64) for k in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])


def _per_vertex(values: NDArray[np.floating], mesh: Mesh) -> NDArray[np.float64]:
    """Sum over the triangles around each vertex."""
    out = np.zeros(len(mesh.vertices))
    for k in range(3):
        np.add.at(out, mesh.triangles[:, k], values)
    return out
