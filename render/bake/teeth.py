"""Teeth and gums, modelled one by one along the arches of the base mesh's own strips.

Crown sizes: Wheeler's Dental Anatomy (Nelson 2014), tables of the permanent teeth.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

# Crown width and height in millimetres, from the middle outwards.
_CROWNS = {
    "upper": ((8.5, 10.2), (6.6, 9.0), (7.6, 9.8), (7.0, 8.4), (6.8, 7.8), (9.8, 7.4), (9.2, 7.0)),
    "lower": (
        (5.2, 8.6),
        (5.7, 8.9),
        (6.8, 10.0),
        (7.0, 8.4),
        (7.1, 8.0),
        (10.5, 7.4),
        (10.0, 7.0),
    ),
}
_OVERBITE_MM = 2.4  # how far the upper incisors reach below the parting of closed lips
_RINGS, _AROUND = 18, 28


@dataclass(frozen=True)
class Surface:
    """A mesh: points float (n, 3) metres, quads, and two traits of each point, 0..1.

    Attributes:
        edge: teeth: 1 at the biting edge, 0 at the gum; gums: 1 at the teeth.
        shade: the tooth's own shade.
    """

    points: Floats
    quads: list[tuple[int, int, int, int]]
    edge: Floats
    shade: Floats


@dataclass(frozen=True)
class Arch:
    """Half an ellipse in a level plane: x = width sin t, y = front + depth (1 - cos t); metres."""

    width: float
    depth: float
    front: float
    bite: float
    upper: bool

    def at(self, along: Floats) -> tuple[Floats, Floats, Floats]:
        """Points, tangents, outward normals, (n, 2) each, at signed distances from the middle."""
        t = np.linspace(-1.5, 1.5, 601)
        x, y = self.width * np.sin(t), self.front + self.depth * (1 - np.cos(t))
        reach = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        here = np.interp(along, reach - reach[300], t)
        tangent = np.stack([self.width * np.cos(here), self.depth * np.sin(here)], -1)
        tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
        point = np.stack(
            [self.width * np.sin(here), self.front + self.depth * (1 - np.cos(here))], -1
        )
        return point, tangent, np.stack([tangent[..., 1], -tangent[..., 0]], -1)


def arch(strip: Floats, parting_z: float, upper: bool) -> Arch:
    """The arch that a strip of the base mesh, (n, 3) at rest, lies on.

    Lower incisors close behind the upper ones, 1 mm under the parting of the lips.
    """
    half = float(np.abs(strip[:, 0]).max()) * (0.90 if upper else 0.86)
    front = float(strip[:, 1].min()) + (0.0012 if upper else 0.0030)
    depth = float(np.ptp(strip[:, 1])) * 0.95
    bite = parting_z - (_OVERBITE_MM if upper else 1.0) * 1e-3
    return Arch(half, depth, front, bite, upper)


def teeth(curve: Arch, rng: np.random.Generator, scale: float = 1.0) -> Surface:
    """Fourteen crowns, each a little turned, shifted and shaded by chance."""
    parts = [
        _crown(curve, side, number, middle, width, height, rng)
        for side in (1, -1)
        for number, middle, width, height in _row(curve, scale)
    ]
    return _joined(parts)


def gum(curve: Arch, scale: float = 1.0) -> Surface:
    """Gum: scalloped along the necks of the teeth, pointed between them."""
    row = _row(curve, scale)
    reach = row[-1][1] + row[-1][2] / 2
    along = np.linspace(-reach, reach, 361)
    necks = np.array([middle for _, middle, _, _ in row])
    widths = np.array([width for _, _, width, _ in row])
    heights = np.array([height for _, _, _, height in row])
    nearest = np.abs(np.abs(along)[:, None] - necks).argmin(1)
    share = np.clip(2 * np.abs(np.abs(along) - necks[nearest]) / widths[nearest], 0, 1)
    neck = np.interp(np.abs(along), necks, heights) - 0.0002
    margin = neck - 0.0044 * scale * share**3.2
    point, _, normal = curve.at(along)
    # Height above the margin, and how far out from the middle of the teeth, mm.
    profile = (
        (-0.0, 1.1),
        (0.3, 2.6),
        (1.0, 3.25),
        (2.5, 3.5),
        (5.0, 3.4),
        (9.0, 2.4),
        (11.0, -1.0),
    )
    swell = 0.00035 * np.cos(np.pi * share)
    rows = []
    for up, out in profile:
        stand = out * 1e-3 * scale + (swell if up > 0.2 else 0)
        base = point + normal * (np.zeros_like(along) + stand)[:, None]
        z = curve.bite + (1 if curve.upper else -1) * (margin + up * 1e-3 * scale)
        rows.append(np.column_stack([base, z]))
    points = np.concatenate(rows)
    count = len(along)
    quads = [
        (i * count + j, i * count + j + 1, (i + 1) * count + j + 1, (i + 1) * count + j)
        for i in range(len(rows) - 1)
        for j in range(count - 1)
    ]
    edge = np.repeat(np.linspace(1, 0, len(rows)), count)
    return Surface(points, quads, edge, np.full(len(points), 0.5))


def _row(curve: Arch, scale: float) -> list[tuple[int, float, float, float]]:
    """Number, distance from the middle, width and height (metres) of one side's teeth."""
    start, out = 0.0, []
    for number, (width, height) in enumerate(_CROWNS["upper" if curve.upper else "lower"]):
        wide = width * 1e-3 * scale
        out.append((number, start + wide / 2, wide, height * 1e-3 * scale))
        start += wide
    return out


def _crown(
    curve: Arch,
    side: int,
    number: int,
    middle: float,
    width: float,
    height: float,
    rng: np.random.Generator,
) -> Surface:
    """A crown lofted from the biting edge (q = 0) to the neck (q = 1)."""
    q = np.linspace(0, 1, _RINGS)[:, None] ** 1.3
    around = 2 * np.pi * np.arange(_AROUND)[None] / _AROUND
    cos, sin = np.cos(around), np.sin(around)
    incisor = number < 2
    # Neighbours touch a quarter of the way up; the crown narrows to its neck.
    neck, tip = (0.17, 0.05) if incisor else (0.17, 0.24)
    wide = (
        0.99
        - neck * np.clip((q - 0.35) / 0.65, 0, 1) ** 1.8
        - tip * np.clip(1 - q / 0.25, 0, 1) ** 2
    )
    thin = (0.55, 3.0) if number <= 2 else (2.6, 1.6)
    thick = (thin[0] + thin[1] * q**0.8) * 1e-3
    lx = width / 2 * wide * np.sign(cos) * np.abs(cos) ** 0.75
    ly = thick * np.sign(sin) * np.abs(sin) ** 0.9
    across = np.abs(lx) / (width / 2)
    # The outer face bulges, falls off to its sides, and leans inwards towards its edge.
    ly = ly + 1e-3 * (1.0 * np.sin(0.8 * np.pi * q) + 1.2 - 1.1 * across**2.5 - 1.1 * (1 - q) ** 2)
    corner = (
        1.5e-3 * across**1.5
        if number == 2
        else 0.75e-3 * np.clip((across - 0.55) / 0.45, 0, 1) ** 2
    )
    rise = height * q + corner * (1 - q) ** 4 + rng.uniform(0, 0.3e-3)
    rise = rise + (0.6e-3 if number == 1 and curve.upper else 0)
    turn = rng.normal(0, 0.03 if curve.upper else 0.085)
    c, s = np.cos(turn), np.sin(turn)
    lx, ly = c * lx - s * ly, s * lx + c * ly
    along = np.array([side * middle])
    point, tangent, normal = (v[0] for v in curve.at(along))
    point = point + normal * rng.normal(0, 0.00018)
    xy = point + lx[..., None] * tangent + ly[..., None] * normal
    z = curve.bite + (1 if curve.upper else -1) * (rise + 0 * lx)
    points = np.concatenate([xy, z[..., None]], -1).reshape(-1, 3)
    quads = [
        (
            i * _AROUND + j,
            i * _AROUND + (j + 1) % _AROUND,
            (i + 1) * _AROUND + (j + 1) % _AROUND,
            (i + 1) * _AROUND + j,
        )
        for i in range(_RINGS - 1)
        for j in range(_AROUND)
    ]
    # close the biting edge by a fan of quads over its middle
    quads += [(j, _AROUND - j, _AROUND - j - 1, j + 1) for j in range(1, _AROUND // 2 - 1)]
    edge = np.repeat(1 - q[:, 0], _AROUND)
    shade = np.full(len(points), np.clip(0.5 + 0.10 * number - 0.1 + rng.normal(0, 0.08), 0, 1))
    return Surface(points, quads, edge, shade)


def _joined(parts: list[Surface]) -> Surface:
    quads, start = [], 0
    for part in parts:
        quads += [tuple(v + start for v in quad) for quad in part.quads]
        start += len(part.points)
    return Surface(
        np.concatenate([p.points for p in parts]),
        quads,  # type: ignore[arg-type]
        np.concatenate([p.edge for p in parts]),
        np.concatenate([p.shade for p in parts]),
    )
