"""Lashes: ribbons along the lid margins, and the picture that is drawn on them.

MPFB's helper lash strips give the direction and curl of the lashes in every expression, but their
roots lie up to a millimetre off the lid. Here every ribbon vertex is a weighted sum of the figure's
vertices: a point of the body's own lid margin, plus the strip's displacement from its root. So the
root cannot leave the lid, whatever the expression.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from render.bake.figure import Figure
from render.bake.lids import lid_margin

Floats = npt.NDArray[np.floating[Any]]

COLUMNS = 25
"""Points along one lid; the margin of the base mesh has about as many."""

_LIDS = ((0, "upper"), (1, "upper"), (0, "lower"), (1, "lower"))
_STRIPS = {"lower": "eyelashes-1", "upper": "eyelashes-2"}
_DROOP = 0.6
"""How far a lid's descent of 12 mm tips its lashes down, as a share of their length.

The strips' own turn leaves them pointing at the camera.
"""
_SPAN = {"upper": (0.07, 0.985), "lower": (0.12, 0.96)}
"""Part of a lid, from the inner corner to the outer one, that bears lashes."""
_ROW_V = (0.0, 0.42, 0.72, 1.0)
"""How far along the lashes the four rows of the helper strips are drawn."""


@dataclass(frozen=True, slots=True)
class LashRibbons:
    """Ribbons of both eyes.

    vertices: float32 (n, 3) metres, at rest. triangles: uint16 (m, 3). uv: float32 (n, 2), (0, 0)
    being the texture's top left corner. deltas: float32 (k, n, 3) metres, one displacement per
    blendshape, in the order asked for.
    """

    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.uint16]
    uv: npt.NDArray[np.float32]
    deltas: npt.NDArray[np.float32]

    def arrays(self, delta_unit: float) -> dict[str, npt.NDArray[Any]]:
        """What `mesh.npz` holds of them (face folder, format 3); `delta_unit` is in metres."""
        whole = np.round(self.deltas / delta_unit).astype(np.int16)
        moved = [np.flatnonzero(delta.any(axis=1)) for delta in whole]
        starts = np.cumsum([0, *map(len, moved)])
        return {
            "lash_vertices": self.vertices,
            "lash_triangles": self.triangles,
            "lash_uv": self.uv,
            "lash_morph_starts": starts.astype(np.int32),
            "lash_morph_vertices": np.concatenate(moved).astype(np.uint16),
            "lash_morph_deltas": np.concatenate(
                [delta[at] for delta, at in zip(whole, moved, strict=True)]
            ),
        }


def lash_ribbons(figure: Figure, names: Sequence[str], character: Mapping[str, Any]) -> LashRibbons:
    """Ribbons of `figure`'s four lids, with a displacement for each of the blendshapes `names`."""
    weights: list[Floats] = []
    uv: list[Floats] = []
    triangles: list[npt.NDArray[np.int64]] = []
    for eye, lid in _LIDS:
        first = sum(map(len, uv))
        weights.append(_weights(figure, eye, lid, lash_length(character, lid)))
        uv.append(_strip_uv(lid))
        triangles.append(_strip_triangles() + first)
    combine = np.concatenate(weights)
    used = np.flatnonzero(combine.any(axis=0))
    combine = combine[:, used]
    rest = np.asarray(figure.rest)[used]
    vertices = combine @ rest
    deltas = []
    for name in names:
        posed = np.asarray(figure.posed({name: 1.0}))
        delta = combine @ (posed[used] - rest)
        deltas.append(_drooped(vertices, delta))
    return LashRibbons(
        vertices.astype(np.float32),
        np.concatenate(triangles).astype(np.uint16),
        np.concatenate(uv).astype(np.float32),
        np.asarray(deltas, np.float32),
    )


def lash_length(character: Mapping[str, Any], lid: str) -> float:
    """Length of lashes as a multiple of the helper strips', which measure about 5 mm."""
    woman = character.get("body", {}).get("sex") == "female"
    return {"upper": 1.25 if woman else 1.05, "lower": 0.62 if woman else 0.5}[lid]


def _weights(figure: Figure, eye: int, lid: str, length: float) -> Floats:
    """Weights of the figure's vertices in a ribbon's, (rows * COLUMNS, n)."""
    count = len(figure.rest)
    margin = np.array(lid_margin(eye, lid))
    strip = _strip_rows(figure, f"helper-{'lr'[eye]}-{_STRIPS[lid]}")
    points = np.asarray(figure.rest)
    arc = _arc(points[margin])
    # Where each column of the helper strip stands along the lid; the strip overhangs both corners.
    stands = _arc(points[strip[1]])
    along = np.linspace(*_SPAN[lid], COLUMNS)
    rows = []
    root = _interpolation(arc, margin, along, count)
    base = _interpolation(stands, strip[1], along, count)
    swell = 0.75 + 0.25 * np.sin(np.pi * np.clip(along, 0.0, 1.0)) ** 0.6
    for row in strip[1:]:
        tip = _interpolation(stands, row, along, count)
        rows.append(root + (tip - base) * (length * swell)[:, None])
    return np.concatenate(rows)


def _drooped(vertices: Floats, delta: Floats) -> Floats:
    """`delta` (n, 3) with the lashes tipped down as their roots go down, and up as they go up."""
    grid = vertices.reshape(len(_LIDS), len(_ROW_V), COLUMNS, 3)
    moved = delta.reshape(grid.shape)
    descent = -moved[:, :1, :, 2] / 0.012
    length = np.linalg.norm(grid - grid[:, :1], axis=3)
    tipped = moved.copy()
    tipped[..., 2] -= _DROOP * descent * length
    tipped[..., 1] += 0.25 * _DROOP * descent * length
    return tipped.reshape(-1, 3)


def _strip_rows(figure: Figure, group: str) -> npt.NDArray[np.int64]:
    """The vertices of a helper strip, (5, columns): deep row to tips, nose outwards."""
    quads = [q for q, g in zip(figure.faces, figure.groups, strict=True) if g == group]
    beside: dict[int, set[int]] = {}
    sides: dict[tuple[int, int], int] = {}
    for quad in quads:
        for a, b in zip(quad, [*quad[1:], quad[0]], strict=True):
            beside.setdefault(a, set()).add(b)
            beside.setdefault(b, set()).add(a)
            sides[min(a, b), max(a, b)] = sides.get((min(a, b), max(a, b)), 0) + 1
    rim: dict[int, list[int]] = {}
    for (a, b), faces in sides.items():
        if faces == 1:
            rim.setdefault(a, []).append(b)
            rim.setdefault(b, []).append(a)
    points = np.asarray(figure.rest)
    corners = sorted((v for v in rim if len(beside[v]) == 2), key=lambda v: points[v, 1])
    tips = _rim_side(rim, corners)
    if abs(points[tips[0], 0]) > abs(points[tips[-1], 0]):
        tips.reverse()
    rows, seen = [tips], set(tips)
    while len(seen) < len(beside):
        rows.append([next(iter(beside[v] - seen)) for v in rows[-1]])
        seen |= set(rows[-1])
    return np.array(rows[::-1])


def _rim_side(rim: Mapping[int, Sequence[int]], corners: Sequence[int]) -> list[int]:
    """The long side of a strip's rim between corners that starts at the foremost of them."""
    longest: list[int] = []
    for start in rim[corners[0]]:
        side = [corners[0], start]
        while side[-1] not in corners:
            a, b = rim[side[-1]]
            side.append(b if a == side[-2] else a)
        longest = max(longest, side, key=len)
    return longest


def _arc(line: Floats) -> Floats:
    """Arc length along a line of points (k, 3), from 0 to 1."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    return np.asarray(np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum())


def _interpolation(
    at: Floats, vertices: npt.NDArray[np.int64], along: Floats, count: int
) -> Floats:
    """Weights (len(along), count) that interpolate `vertices`, which stand at `at`, linearly."""
    after = np.clip(np.searchsorted(at, along), 1, len(at) - 1)
    share = np.clip((along - at[after - 1]) / (at[after] - at[after - 1]), 0.0, 1.0)
    weights = np.zeros((len(along), count))
    row = np.arange(len(along))
    weights[row, vertices[after - 1]] += 1.0 - share
    weights[row, vertices[after]] += share
    return weights


def _strip_uv(lid: str) -> Floats:
    """Upper lashes take the texture's top half, roots down; lower ones the rest, roots up."""
    u = np.tile(np.linspace(0.0, 1.0, COLUMNS), len(_ROW_V))
    v = np.repeat(_ROW_V, COLUMNS)
    return np.stack([u, 0.5 - 0.5 * v if lid == "upper" else 0.5 + 0.5 * v], axis=1)


def _strip_triangles() -> npt.NDArray[np.int64]:
    """Triangles of a grid of len(_ROW_V) rows and COLUMNS columns."""
    row, column = np.mgrid[: len(_ROW_V) - 1, : COLUMNS - 1]
    a = (row * COLUMNS + column).ravel()
    b, c, d = a + 1, a + COLUMNS, a + COLUMNS + 1
    return np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])


# --- the picture

_WIDTH, _HALF = 256, 40
_FINE = 6
"""Strokes are drawn this many times larger, then averaged: lashes are thinner than a texel."""


def lash_texture(character: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """The lashes, RGBA uint8 (80, 256, 4), straight alpha: upper ones in the top half.

    u runs from the nose outwards. The same picture serves both eyes.
    """
    rng = np.random.default_rng(zlib.crc32(str(character.get("name", "")).encode()))
    woman = character.get("body", {}).get("sex") == "female"
    upper = _strokes(rng, count=115 if woman else 90, width_px=5.2 if woman else 4.4, line=0.92)
    lower = _strokes(rng, count=70 if woman else 55, width_px=3.4, line=0.4)
    alpha = np.concatenate([upper[::-1], lower * (0.75 if woman else 0.65)])
    picture = np.empty((*alpha.shape, 4), np.uint8)
    picture[..., :3] = (22, 15, 12)
    picture[..., 3] = np.round(255 * np.clip(alpha, 0.0, 1.0))
    return picture


def _strokes(rng: np.random.Generator, count: int, width_px: float, line: float) -> Floats:
    """Opacity (_HALF, _WIDTH) of tapered lashes, a little grouped; roots in row 0.

    `line`: opacity of the dark line that they stand on.
    """
    width, height = _WIDTH * _FINE, _HALF * _FINE
    ink = np.zeros((height, width), np.float32)
    groups = np.sort(rng.uniform(0.0, 1.0, count // 5))
    for root in np.sort(rng.beta(1.05, 0.95, count)):
        lean = 0.01 + 0.17 * (root - 0.38)
        tip = root + lean + 0.35 * (groups[np.abs(groups - root - lean).argmin()] - root - lean)
        tip += rng.normal(0.0, 0.007)
        length = rng.uniform(0.55, 0.98) * (0.72 + 0.28 * np.sin(np.pi * min(root + 0.15, 1.0)))
        s = np.linspace(0.0, 1.0, 14)
        x = (root + (tip - root) * s**1.6) * width
        y = s * length * height
        for k in range(13):
            thickness = max(1, round(width_px * (1.0 - 0.85 * s[k]) * rng.uniform(0.9, 1.0)))
            ends = [(round(x[j] * 16), round(y[j] * 16)) for j in (k, k + 1)]
            cv2.line(ink, ends[0], ends[1], 1.0, thickness, cv2.LINE_AA, 4)
    v = np.arange(height)[:, None] / height
    u = np.arange(width)[None] / width
    fade = np.clip(np.minimum(u / 0.12, (1.0 - u) / 0.05), 0.0, 1.0)
    ink = np.maximum(ink, line * np.exp(-((v / 0.11) ** 2)))
    small = cv2.resize(ink * fade, (_WIDTH, _HALF), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64)
