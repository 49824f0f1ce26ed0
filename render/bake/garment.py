"""Garments as smooth shells around the shoulders, with a hemmed neckline.

Seen from a point in the chest the shoulders are a radius over azimuth and elevation; smoothed and
let out a little it hangs as cloth does. The shell's mesh starts exactly on the neckline, so its
edge is a curve, not a cut. Bands (ribbed collars, the trim of a cardigan) are swept along that
curve.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.bake.figure import Figure
from render.bake.growth import smooth, wave
from render.bake.skull import surface_samples

Floats = npt.NDArray[np.floating[Any]]
Border = Callable[[Floats], Floats]
"""Signed height of points over a neckline: below 0 there is cloth."""

_AZIMUTHS, _ELEVATIONS = 240, 120
_CHEST = np.array([0.0, -0.005, 0.40])
_LOWEST_RAD, _HIGHEST_RAD = -0.30, 1.52
_ROWS = 70


@dataclass(frozen=True, slots=True)
class Cloth:
    """A mesh: vertices (n, 3) metres, quads (m, 4), weave (n, 2) metres around and along."""

    vertices: Floats
    quads: npt.NDArray[np.int64]
    weave: Floats


class Shoulders:
    """The upper body without the head, as seen from the chest."""

    def __init__(self, figure: Figure) -> None:
        quads = np.asarray(figure.faces)[np.asarray(figure.groups) == "body"]
        points = np.asarray(figure.rest)
        low = points[quads][..., 2].min(axis=1)
        self.throat = np.asarray(figure.landmarks["neck"])
        quads = quads[(low > 0.25) & (low < self.throat[2] + 0.06)]
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        rng = np.random.default_rng(3)
        samples, _ = surface_samples(points, triangles, 500_000, rng)
        top = self.throat[2] + 0.018 + 0.35 * np.clip(samples[:, 1], 0.0, 0.05)
        samples = samples[samples[:, 2] < top]
        self.chest = _CHEST + np.array([0.0, 0.0, self.throat[2] - 0.546])
        self._radius = _table(samples - self.chest, rounds=3)
        self._loose = _table(samples - self.chest, rounds=14)

    def at(
        self, azimuth: Floats, elevation: Floats, out: Floats | float, loose: float = 0.0
    ) -> Floats:
        """Points `out` metres off the body, at angles in radians from the chest."""
        u = (azimuth / (2 * np.pi) + 0.5) * _AZIMUTHS - 0.5
        v = np.clip((elevation / np.pi + 0.5) * _ELEVATIONS - 0.5, 0, _ELEVATIONS - 1.001)
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        fu, fv = u - i, v - j
        table = np.maximum(self._radius, self._radius + loose * (self._loose - self._radius))
        low = table[j, i % _AZIMUTHS] * (1 - fu) + table[j, (i + 1) % _AZIMUTHS] * fu
        high = table[j + 1, i % _AZIMUTHS] * (1 - fu) + table[j + 1, (i + 1) % _AZIMUTHS] * fu
        radius = low * (1 - fv) + high * fv + out
        flat = np.cos(elevation)
        way = np.stack(
            [np.sin(azimuth) * flat, -np.cos(azimuth) * flat, np.sin(elevation)], axis=-1
        )
        return np.asarray(self.chest + way * radius[..., None])


def _table(offsets: Floats, rounds: int) -> Floats:
    """The greatest radius in every cell, holes filled, smoothed `rounds` times."""
    azimuth = np.arctan2(offsets[:, 0], -offsets[:, 1]) / (2 * np.pi) + 0.5
    elevation = np.arctan2(offsets[:, 2], np.hypot(*offsets[:, :2].T)) / np.pi + 0.5
    i = np.minimum((azimuth * _AZIMUTHS).astype(int), _AZIMUTHS - 1)
    j = np.minimum((elevation * _ELEVATIONS).astype(int), _ELEVATIONS - 1)
    table = np.zeros((_ELEVATIONS, _AZIMUTHS))
    np.maximum.at(table, (j, i), np.linalg.norm(offsets, axis=1))
    empty = table == 0.0
    table[empty] = table[~empty].mean()
    for k in range(400 + rounds):
        near = (np.roll(table, 1, 1) + np.roll(table, -1, 1)) / 2
        padded = np.pad(table, ((1, 1), (0, 0)), mode="edge")
        blurred = (near + (padded[:-2] + padded[2:]) / 2) / 4 + table / 2
        table = np.where(empty, blurred, table) if k < 400 else blurred
    return table


def crew(
    throat: Floats, drop: float, tilt: float = 0.40, rise: float = 0.014, half: float = 0.060
) -> Border:
    """A round neckline `drop` metres below the throat.

    It climbs by `tilt` a metre towards the back, and by `rise` at `half` to the side.
    """

    def border(points: Floats) -> Floats:
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        line = throat[2] - drop + tilt * (y - throat[1]) + rise * (x / half) ** 2
        return np.asarray(z - line)

    return border


def open_front(throat: Floats, drop: float, half: float, slope: float, behind: Border) -> Border:
    """A neckline with a V in front, `half` metres wide each side at `drop` below the throat."""

    def border(points: Floats) -> Floats:
        x, z = np.abs(points[..., 0]), points[..., 2]
        inside = half + slope * (z - throat[2] + drop) - x
        front = 1 - smooth(points[..., 1], throat[1] + 0.025, throat[1] + 0.055)
        return np.asarray(np.maximum(behind(points), np.minimum(inside, (front - 0.5) * 0.2)))

    return border


def shell(
    shoulders: Shoulders, border: Border, out: float, ease: float, seed: int, folds: float = 0.0014
) -> tuple[Cloth, Floats, Floats]:
    """A garment's shell; its neckline as points (k, 3) and as azimuth and elevation (k, 2).

    `out`: metres off the body at the neckline; `ease`: metres more, further down.
    """
    azimuth = np.linspace(-np.pi, np.pi, _AZIMUTHS + 1)[:-1]
    scan = np.linspace(_HIGHEST_RAD, _LOWEST_RAD, 600)
    above = border(shoulders.at(*np.meshgrid(azimuth, scan), out)) > 0.0  # (scan, azimuths)
    first = np.where(above.any(axis=0), len(scan) - above[::-1].argmax(axis=0), 0)
    # The lowest place that is still above the neckline: below it all is cloth.
    start = scan[np.clip(first, 0, len(scan) - 1)]
    if start.min() > -0.2:
        start = _rounded(start)
    s = np.linspace(0.0, 1.0, _ROWS)[:, None] ** 1.35
    elevation = start + (_LOWEST_RAD - start) * s
    around = np.broadcast_to(azimuth, elevation.shape)
    flat = shoulders.at(around, elevation, out)
    along = np.concatenate(
        [np.zeros((1, len(azimuth))), np.linalg.norm(np.diff(flat, axis=0), axis=2).cumsum(axis=0)]
    )
    rng = np.random.default_rng(seed)
    bump = wave(rng, 0.055)(flat * [1.0, 1.0, 0.7]) + 0.5 * wave(rng, 0.028)(flat * [1.0, 1.0, 0.5])
    away = smooth(along, 0.0, 0.05)
    points = shoulders.at(around, elevation, out + away * (ease + folds * bump), loose=0.8)
    points = points * away[..., None] + shoulders.at(around, elevation, out) * (1 - away[..., None])
    weave = np.stack([around * 0.13, along], axis=2)
    cloth = Cloth(points.reshape(-1, 3), _grid(_ROWS, _AZIMUTHS), weave.reshape(-1, 2))
    return cloth, points[0], np.stack([azimuth, start], axis=1)


def _rounded(line: Floats) -> Floats:
    """A closed line without the steps of its sampling."""
    for _ in range(6):
        line = (np.roll(line, 1) + np.roll(line, -1)) / 4 + line / 2
    return line


def band(
    shoulders: Shoulders,
    neckline: Floats,
    *,
    width: float,
    thickness: float,
    inside: float,
    out: float,
) -> Cloth:
    """A collar that stands `width` metres up the neck.

    `neckline`: azimuth and elevation, (k, 2).

    `inside`: how far it reaches down over the shell; `out`: metres off the body at the shell.
    """
    # Across the band, from its hidden inner edge over the rim to its outer foot: (metres up the
    # body, metres off it).
    t = thickness
    across = [
        *((-inside, 0.2 * t), (0.3 * width, 0.15 * t), (width - t, 0.2 * t)),
        *((width - 0.2 * t, 0.45 * t), (width - 0.1 * t, 0.8 * t), (width - 0.5 * t, 1.15 * t)),
        *((0.6 * width, 1.3 * t), (0.2 * width, 1.3 * t), (-0.3 * inside, 1.25 * t)),
        *((-0.85 * inside, 1.05 * t), (-inside, 0.6 * t)),
    ]
    fine = np.linspace(-inside - 0.004, width + 0.004, 60)
    azimuth, start = neckline.T
    # Metres up the body along the meridian of each azimuth, as a table of elevation.
    scan = np.linspace(-0.35, 0.30, 160)[:, None] + start
    line = shoulders.at(np.broadcast_to(azimuth, scan.shape), scan, out, loose=0.5)
    steps = np.linalg.norm(np.diff(line, axis=0), axis=2)
    length = np.concatenate([np.zeros((1, len(azimuth))), steps.cumsum(axis=0)])
    at_start = np.array(
        [np.interp(0.0, scan[:, k] - start[k], length[:, k]) for k in range(len(azimuth))]
    )
    rise = np.stack(
        [np.interp(fine, length[:, k] - at_start[k], scan[:, k]) for k in range(len(azimuth))],
        axis=1,
    )
    rows = []
    for up, off in across:
        elevation = np.array([np.interp(up, fine, rise[:, k]) for k in range(len(azimuth))])
        here = shoulders.at(azimuth, elevation, 0.0, loose=0.5)
        normal = _outward(shoulders, azimuth, elevation)
        rows.append(here + normal * off)
    points = np.stack(rows)
    around = np.concatenate([[0.0], np.linalg.norm(np.diff(points[5], axis=0), axis=1).cumsum()])
    weave = np.stack(
        [
            np.broadcast_to(around, points.shape[:2]),
            np.broadcast_to(np.array(across)[:, :1], points.shape[:2]),
        ],
        axis=2,
    )
    return Cloth(points.reshape(-1, 3), _grid(len(across), len(azimuth)), weave.reshape(-1, 2))


def _outward(shoulders: Shoulders, azimuth: Floats, elevation: Floats) -> Floats:
    """Normals of the shoulders."""
    step = 0.03
    side = shoulders.at(azimuth + step, elevation, 0.0, loose=1.0) - shoulders.at(
        azimuth - step, elevation, 0.0
    )
    up = shoulders.at(azimuth, elevation + step, 0.0, loose=1.0) - shoulders.at(
        azimuth, elevation - step, 0.0, loose=1.0
    )
    normal = np.cross(side, up)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    way = shoulders.at(azimuth, elevation, 0.0, loose=1.0) - shoulders.chest
    return np.asarray(normal * np.sign((normal * way).sum(axis=-1, keepdims=True)))


def trim(edge: Floats, chest: Floats, *, width: float, thickness: float) -> Cloth:
    """A flat band of `width` metres along the open edge (k, 3) of a shell around `chest`."""
    along = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
    along[0], along[-1] = edge[1] - edge[0], edge[-1] - edge[-2]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    out = edge - chest
    out -= along * (out * along).sum(axis=1, keepdims=True)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    over = np.cross(along, out)
    angle = np.linspace(0.0, 2 * np.pi, 17)
    flat = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.45 * width / 2
    high = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.8 * thickness / 2 + 0.4 * thickness
    points = edge + over * flat[:, None, None] + out * high[:, None, None]
    around = np.concatenate([[0.0], np.linalg.norm(np.diff(edge, axis=0), axis=1).cumsum()])
    weave = np.stack(
        [
            np.broadcast_to(around, points.shape[:2]),
            np.broadcast_to(flat[:, None], points.shape[:2]),
        ],
        2,
    )
    quads = _grid(len(angle), len(edge), closed=False)
    return Cloth(points.reshape(-1, 3), quads, weave.reshape(-1, 2))


def _grid(rows: int, columns: int, closed: bool = True) -> npt.NDArray[np.int64]:
    """Quads of a grid whose columns close into a ring, or don't."""
    row, column = np.mgrid[: rows - 1, : columns if closed else columns - 1]
    a, b = row * columns + column, row * columns + (column + 1) % columns
    return np.stack([a, b, b + columns, a + columns], axis=-1).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a garment, its fabric ("jersey", "rib", "knit", "fine_knit") and colour."""

    cloth: Cloth
    fabric: str
    second: bool = False


def pieces(figure: Figure, clothes: Mapping[str, Any], seed: int) -> list[Piece]:
    """The parts of a character's garment."""
    shoulders = Shoulders(figure)
    throat = shoulders.throat
    made = {"crew_neck": _crew_neck, "knit_top": _knit_top, "cardigan": _cardigan}
    if clothes["garment"] not in made:
        raise ValueError(f"garment {clothes['garment']!r} is none of {sorted(made)}")
    return made[clothes["garment"]](shoulders, throat, seed)


def _crew_neck(shoulders: Shoulders, throat: Floats, seed: int) -> list[Piece]:
    body, _, line = shell(shoulders, crew(throat, 0.030), 0.0026, 0.004, seed)
    collar = band(shoulders, line, width=0.013, thickness=0.0024, inside=0.006, out=0.002)
    return [Piece(body, "jersey"), Piece(collar, "rib")]


def _knit_top(shoulders: Shoulders, throat: Floats, seed: int) -> list[Piece]:
    border = crew(throat, 0.044, tilt=0.46, rise=0.015, half=0.066)
    body, _, line = shell(shoulders, border, 0.0028, 0.0035, seed)
    collar = band(shoulders, line, width=0.015, thickness=0.0028, inside=0.007, out=0.002)
    return [Piece(body, "fine_knit"), Piece(collar, "rib")]


def _cardigan(shoulders: Shoulders, throat: Floats, seed: int) -> list[Piece]:
    inner, _, line = shell(shoulders, crew(throat, 0.034), 0.0020, 0.002, seed, folds=0.0008)
    collar = band(shoulders, line, width=0.011, thickness=0.0020, inside=0.005, out=0.002)
    behind = crew(throat, 0.050, tilt=0.52, rise=0.016, half=0.070)
    border = open_front(throat, 0.100, 0.024, 0.55, behind)
    outer, edge, where = shell(shoulders, border, 0.0085, 0.004, seed + 1)
    shown = np.flatnonzero(where[:, 1] > _LOWEST_RAD + 0.01)
    gap = int(np.diff(shown).argmax()) + 1 if np.diff(shown).max() > 1 else 0
    order = np.roll(shown, -gap)
    rim = trim(edge[order], shoulders.chest, width=0.020, thickness=0.0038)
    return [
        Piece(inner, "jersey", True),
        Piece(collar, "rib", True),
        Piece(outer, "knit"),
        Piece(rim, "rib"),
    ]
