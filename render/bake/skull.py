"""The head as a smooth skull: the surface that hair grows on and lies over.

A strand that were pressed to the body's mesh would jump onto the ears. So the head, without its
ears, becomes a radius over azimuth and elevation around a point between the ears; heights above it,
normals and hairlines follow in closed form for any number of points at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

_AZIMUTHS, _ELEVATIONS = 144, 72
_BEHIND_EYES, _ABOVE_EYES = 0.076, 0.018
_TOP_ABOVE_EYES = 0.110
"""Metres of head over the eyes at which lengths here and in `hairstyles` hold."""
# Box around an ear, relative to the point between the eyes, at that size: |x| above, y and z
# between (metres).
_EAR_X, _EAR_Y, _EAR_Z = 0.050, (0.043, 0.104), (-0.066, 0.022)


def surface_samples(
    vertices: Floats, triangles: npt.NDArray[np.integer[Any]], count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """`count` points spread evenly over triangles and their outward normals, both (count, 3)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    at = rng.choice(len(triangles), count, p=area / area.sum())
    u, v = rng.random((2, count))
    flip = u + v > 1.0
    u, v = np.where(flip, 1.0 - u, u)[:, None], np.where(flip, 1.0 - v, v)[:, None]
    points = a[at] + u * (b - a)[at] + v * (c - a)[at]
    return points, cross[at] / area[at, None]


@dataclass(frozen=True, slots=True)
class Skull:
    """A head without ears.

    Attributes:
        centre: (3,) metres.
        eyes: The point between them, (3,).
        scale: Size against a head of 11 cm over the eyes.
        radius: Metres, (elevations, azimuths).
        covered: The same, swollen over the ears.
    """

    centre: Floats
    eyes: Floats
    scale: float
    radius: Floats
    covered: Floats

    def local(self, points: Floats) -> Floats:
        """Points relative to the middle of the eyes, in metres of a head of standard size."""
        return np.asarray((points - self.eyes) / self.scale)

    def azimuth(self, points: Floats) -> Floats:
        """Degrees from straight ahead around the vertical axis, 0 to 180 on either side."""
        d = points - self.centre
        return np.asarray(np.degrees(np.arctan2(np.abs(d[..., 0]), -d[..., 1])))

    def lift(self, points: Floats, height: Floats | float, ears: Floats | float = 0.0) -> Floats:
        """The points moved along their ray to `height` metres over the skull.

        Where `ears` is 1, over the ears too.
        """
        d = points - self.centre
        length = np.linalg.norm(d, axis=-1, keepdims=True)
        bare, swollen = self._read(self.radius, d), self._read(self.covered, d)
        radius = bare + np.asarray(ears) * (swollen - bare) + height
        return np.asarray(self.centre + d / length * radius[..., None])

    def height(self, points: Floats) -> Floats:
        """Height over the skull along the ray from its centre, metres."""
        d = points - self.centre
        return np.asarray(np.linalg.norm(d, axis=-1) - self._read(self.radius, d))

    def normals(self, points: Floats) -> Floats:
        """Outward normals of the skull under the points."""
        d = points - self.centre
        d = d / np.linalg.norm(d, axis=-1, keepdims=True)
        side = np.cross(d, [0.0, 0.0, 1.0]) + 1e-9
        side /= np.linalg.norm(side, axis=-1, keepdims=True)
        up = np.cross(side, d)
        step = 0.06
        base = self.lift(self.centre + d, 0.0)
        along = self.lift(self.centre + d + step * side, 0.0) - base
        over = self.lift(self.centre + d + step * up, 0.0) - base
        normal = np.cross(along, over)
        normal *= np.sign((normal * d).sum(axis=-1, keepdims=True))
        return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))

    def _read(self, table: Floats, d: Floats) -> Floats:
        """Bilinear reading of a table over azimuth and elevation in the directions `d`."""
        azimuth = np.arctan2(d[..., 0], -d[..., 1]) / (2 * np.pi) + 0.5
        elevation = np.arctan2(d[..., 2], np.hypot(d[..., 0], d[..., 1])) / np.pi + 0.5
        u = azimuth * _AZIMUTHS - 0.5
        v = np.clip(elevation * _ELEVATIONS - 0.5, 0.0, _ELEVATIONS - 1.001)
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        fu, fv = u - i, v - j
        left, right = i % _AZIMUTHS, (i + 1) % _AZIMUTHS
        low = table[j, left] * (1 - fu) + table[j, right] * fu
        high = table[j + 1, left] * (1 - fu) + table[j + 1, right] * fu
        return np.asarray(low * (1 - fv) + high * fv)


def fit_skull(vertices: Floats, triangles: npt.NDArray[np.integer[Any]], eyes: Floats) -> Skull:
    """The skull of a body's mesh in metres, z up, facing -y.

    `eyes`: the point between the eyeballs' centres, (3,).
    """
    reach = np.linalg.norm(vertices[triangles].mean(axis=1) - eyes, axis=1)
    triangles = triangles[
        (reach < 0.24) & (vertices[triangles][..., 2].min(axis=1) > eyes[2] - 0.14)
    ]
    points, _ = surface_samples(vertices, triangles, 600_000, np.random.default_rng(1))
    scale = float(vertices[triangles][..., 2].max() - eyes[2]) / _TOP_ABOVE_EYES
    centre = eyes + scale * np.array([0.0, _BEHIND_EYES, _ABOVE_EYES])
    x, y, z = (np.abs((points - eyes) / scale)[:, 0], *((points - eyes) / scale)[:, 1:].T)
    ear = (x > _EAR_X) & (y > _EAR_Y[0]) & (y < _EAR_Y[1]) & (z > _EAR_Z[0]) & (z < _EAR_Z[1])
    bare = _radii(points[~ear] - centre, rounds=2)
    whole = _radii(points - centre, rounds=6)
    return Skull(centre, np.asarray(eyes), scale, bare, np.maximum(bare, whole))


def _radii(offsets: Floats, rounds: int) -> Floats:
    """The greatest radius in every cell, holes filled, smoothed `rounds` times."""
    azimuth = np.arctan2(offsets[:, 0], -offsets[:, 1]) / (2 * np.pi) + 0.5
    elevation = np.arctan2(offsets[:, 2], np.hypot(*offsets[:, :2].T)) / np.pi + 0.5
    i = np.minimum((azimuth * _AZIMUTHS).astype(int), _AZIMUTHS - 1)
    j = np.minimum((elevation * _ELEVATIONS).astype(int), _ELEVATIONS - 1)
    table: Floats = np.zeros((_ELEVATIONS, _AZIMUTHS))
    np.maximum.at(table, (j, i), np.linalg.norm(offsets, axis=1))
    empty = table == 0.0
    table[empty] = table[~empty].mean()
    for _ in range(600):
        table = np.where(empty, _smoothed(table), table)
    for _ in range(rounds):
        table = _smoothed(table)
    return table


def _smoothed(table: Floats) -> Floats:
    """Mean of a table with its four neighbours; azimuth wraps around."""
    padded = np.pad(table, ((1, 1), (0, 0)), mode="edge")
    around = np.roll(table, 1, axis=1) + np.roll(table, -1, axis=1)
    return np.asarray((padded[:-2] + padded[2:] + around) / 8 + table / 2)
