"""Eyebrows and beards: short hairs, rooted in the resting face, that follow it into any pose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.bake.figure import Figure
from render.bake.growth import Strands, coils, smooth, wave

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

_EYE_M = 0.0285
"""Distance of an eye from the middle of the face at which this module's lengths hold."""


@dataclass(frozen=True, slots=True)
class Roots:
    """Places on a body: vertices int (n, 3) of the triangle and shares float (n, 3) of each."""

    vertices: Ints
    shares: Floats

    def on(self, points: Floats) -> Floats:
        """The places on a body with these vertices, or another quantity of its vertices there."""
        return np.asarray((points[self.vertices] * self.shares[..., None]).sum(axis=1))

    def picked(self, which: npt.NDArray[Any]) -> "Roots":
        """Some of them."""
        return Roots(self.vertices[which], self.shares[which])


def face_triangles(figure: Figure) -> Ints:
    """The triangles of a figure's head, int (m, 3)."""
    quads = np.asarray(figure.faces)[np.asarray(figure.groups) == "body"]
    middle = np.asarray(figure.rest)[quads].mean(axis=1) - np.asarray(figure.eyes[0]).mean(axis=0)
    quads = quads[(np.abs(middle[:, 2]) < 0.16) & (middle[:, 1] < 0.10)]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def vertex_normals(points: Floats, triangles: Ints) -> Floats:
    """Outward normals of the vertices of triangles; zero elsewhere."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for k in range(3):
        np.add.at(normals, triangles[:, k], cross)
    return np.asarray(normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20))


def in_front(
    points: Floats, triangles: Ints, x: Floats, z: Floats
) -> tuple[Roots, npt.NDArray[np.bool_]]:
    """The foremost places of a surface at (x, z), seen along +y, and which were on it at all."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 2] - (b - a)[:, 2] * (c - a)[:, 0]
    keep = np.abs(area) > 1e-12
    triangles, a, b, c, area = triangles[keep], a[keep], b[keep], c[keep], area[keep]
    best, shares = np.zeros(len(x), int), np.zeros((len(x), 3))
    found = np.zeros(len(x), bool)
    for k in range(len(x)):
        u = ((x[k] - a[:, 0]) * (c - a)[:, 2] - (z[k] - a[:, 2]) * (c - a)[:, 0]) / area
        v = ((b - a)[:, 0] * (z[k] - a[:, 2]) - (b - a)[:, 2] * (x[k] - a[:, 0])) / area
        inside = np.flatnonzero((u >= 0) & (v >= 0) & (u + v <= 1))
        if len(inside):
            y = a[inside, 1] + u[inside] * (b - a)[inside, 1] + v[inside] * (c - a)[inside, 1]
            at = inside[y.argmin()]
            best[k], shares[k], found[k] = at, (1 - u[at] - v[at], u[at], v[at]), True
    return Roots(triangles[best], shares), found


def brow_strands(figure: Figure, posed: Floats, brows: Mapping[str, Any], seed: int) -> Strands:
    """Both eyebrows on a body posed as `posed` (n, 3)."""
    rng = np.random.default_rng(seed)
    thickness = float(brows.get("thickness", 1.0))
    rest = np.asarray(figure.rest)
    triangles = face_triangles(figure)
    normals = vertex_normals(posed, triangles)
    whole = [
        _brow(rest, posed, normals, triangles, eye, thickness, rng)
        for eye in np.asarray(figure.eyes[0])
    ]
    points = np.concatenate(whole)
    radius = (0.000040 * rng.uniform(0.7, 1.15, len(points))).astype(np.float32)
    return Strands(points.astype(np.float32), radius, np.arange(len(points)), tip=0.2)


def _brow(
    rest: Floats, posed: Floats, normals: Floats, triangles: Ints, eye: Floats, thickness: float,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """One eyebrow's hairs (n, 8, 3): upright at the nose, then outwards, meeting in the middle."""
    count = int(900 * thickness**0.7)
    scale, side = abs(eye[0]) / _EYE_M, np.sign(eye[0])
    t = rng.beta(1.15, 1.2, count)
    v = np.clip(rng.normal(0.0, 0.52, count), -1.15, 1.15)
    middle = 0.0168 + 0.0052 * np.sin(np.minimum(t / 0.66, 1.0) * np.pi / 2)
    middle -= 0.0058 * np.clip((t - 0.66) / 0.34, 0.0, 1.0) ** 1.4
    width = 0.0040 * thickness * (1 - 0.66 * t**2.0) * (0.55 + 0.45 * smooth(t, 0.0, 0.14))
    x = side * scale * (0.0125 + 0.0400 * t + rng.normal(0.0, 0.0006, count))
    z = eye[2] + scale * (middle + v * width - 0.0022)
    near = np.linalg.norm(rest[triangles].mean(axis=1)[:, [0, 2]] - eye[[0, 2]], axis=1) < 0.05
    roots, found = in_front(rest, triangles[near], x, z)
    roots, t, v = roots.picked(found), t[found], v[found]
    normal = roots.on(normals)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    angle = np.interp(t, [0.0, 0.08, 0.25, 0.6, 1.0], [84.0, 66.0, 38.0, 8.0, -28.0])
    angle = np.radians(angle - 24.0 * v * smooth(t, 0.05, 0.2) + rng.normal(0.0, 12.0, len(t)))
    way = np.stack([side * np.cos(angle), np.zeros(len(t)), np.sin(angle)], axis=1)
    way -= normal * (way * normal).sum(axis=1, keepdims=True)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = scale * rng.uniform(0.0050, 0.0088, len(t)) * (1 - 0.35 * t)
    length *= 0.7 + 0.3 * smooth(t, 0.0, 0.1)
    bend = np.cross(normal, way) * (side * rng.normal(-0.12, 0.10, len(t)))[:, None]
    s = np.linspace(0.0, 1.0, 8)[None, :, None]
    lie = rng.uniform(0.5, 1.0, (len(t), 1, 1)) * 0.001
    start = (roots.on(posed) - 0.0004 * normal)[:, None]
    along = (way[:, None] * s + bend[:, None] * s**2) * length[:, None, None]
    return np.asarray(start + along + normal[:, None] * lie * (1.7 * s - 1.15 * s**2))


def beard_strands(figure: Figure, posed: Floats, beard: Mapping[str, Any], seed: int) -> Strands:
    """A short trimmed beard and moustache on a body posed as `posed` (n, 3)."""
    rng = np.random.default_rng(seed)
    rest, triangles = np.asarray(figure.rest), face_triangles(figure)
    bearded = beard_mask(figure, rest[triangles].reshape(-1, 3)).reshape(-1, 3).max(axis=1) > 0.02
    roots = _scattered(rest, triangles[bearded], 62_000, rng)
    at = roots.on(rest)
    roots = roots.picked(~_hidden(at, float(figure.landmarks["mouth"][2])))
    at = roots.on(rest)
    mask = beard_mask(figure, at + 0.0012 * wave(rng, 0.008)(at)[:, None])
    keep = rng.random(len(at)) < float(beard.get("density", 1.0)) * mask
    roots, mask = roots.picked(keep), mask[keep]
    normal = roots.on(vertex_normals(posed, triangles))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    down = np.array([0.0, 0.0, -1.0]) - normal * -normal[:, 2:]
    start = roots.on(posed) - 0.0006 * normal
    length = rng.uniform(0.0028, 0.0052, len(start)) * (0.45 + 0.55 * mask)
    points = coils(start, normal + 0.9 * down, length, 0.00055 * np.ones(len(start)), rng)
    radius = np.full(len(points), 0.000048, np.float32)
    return Strands(points, radius, np.arange(len(points)), tip=0.5)


def beard_mask(figure: Figure, points: Floats) -> Floats:
    """How densely a beard grows at points of the resting face, 0 to 1."""
    eye = float(np.abs(np.asarray(figure.eyes[0])[:, 0]).mean()) / _EYE_M
    local = (points - np.asarray(figure.landmarks["mouth"])) / eye
    x, y, z = np.abs(local[:, 0]), local[:, 1], local[:, 2]
    chin = float(figure.landmarks["chin"][2] - figure.landmarks["mouth"][2]) / eye
    cheek = np.interp(
        x, [0.0, 0.028, 0.040, 0.052, 0.062, 0.070], [0.032, 0.016, 0.008, 0.018, 0.040, 0.075]
    )
    lips = np.hypot(x / 0.0285, z / np.where(z > 0, 0.0085, 0.0125))
    below = smooth(cheek - z, 0.0, 0.009)
    neck = smooth(z - (chin - 0.016 + 0.2 * np.clip(x - 0.02, 0.0, None)), 0.0, 0.008)
    behind = 1 - smooth(y, 0.064, 0.074)
    moustache = smooth(0.0215 - z - 0.27 * x, 0.0, 0.003)
    upper = np.where((z > 0) & (x < 0.032), moustache, 1.0)
    groove = 1 - 0.5 * np.exp(-((x / 0.0035) ** 2)) * (z > 0)
    # Under the lip's middle a tuft; bare skin on either side of it.
    bare = smooth(np.hypot((x - 0.013) / 0.008, (z + 0.016) / 0.0055), 0.7, 1.2)
    return np.asarray(below * neck * behind * upper * groove * bare * smooth(lips, 1.0, 1.15))


def _hidden(
    points: Floats, mouth_m: float, cell: float = 0.0015, behind: float = 0.004
) -> npt.NDArray[np.bool_]:
    """Which points around the mouth lie behind others, seen from the front: those on its inside."""
    column = np.floor(points[:, 0] / cell).astype(int)
    row = np.floor(points[:, 2] / cell).astype(int)
    column, row = column - column.min() + 1, row - row.min() + 1
    front = np.full((column.max() + 2, row.max() + 2), np.inf)
    np.minimum.at(front, (column, row), points[:, 1])
    around = [np.roll(front, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    nearest = np.min(around, axis=0)[column, row]
    near = (np.abs(points[:, 0]) < 0.036) & (np.abs(points[:, 2] - mouth_m) < 0.035)
    return np.asarray(near & (points[:, 1] > nearest + behind))


def _scattered(points: Floats, triangles: Ints, count: int, rng: np.random.Generator) -> Roots:
    """Places spread evenly over triangles."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    at = rng.choice(len(triangles), count, p=area / area.sum())
    u, v = rng.random((2, count))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return Roots(triangles[at], np.stack([1 - u - v, u, v], axis=1))
