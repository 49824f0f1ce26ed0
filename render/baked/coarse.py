"""Fewer triangles for the skin: where it moves smoothly, few vertices move it just as well.

Setting up a triangle costs as much as drawing thirty pixels of it. Vertices are taken away one by
one, each drawn into a neighbour (a half-edge collapse), as long as every vertex of the mesh as
baked, seen on the triangle that took its place, still moves as it did under every blendshape.
"""

from dataclasses import astuple
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import Floats, Ints, kernel
from render.baked.rig import Mesh, Skinning

_SLIP_M = 4.0e-4  # how far a vertex may stray under one blendshape at weight 1: 0.5 px at 512
_DEPTH_M = 3.0e-3  # the same of its depth at rest, which only tells what hides what
_SLIP_TEXELS = 1.5  # the same of its place on plate `open`, where that shows
_FADE = 0.12  # the same of its opacity and of what it takes from `open`
_LONGEST_M = 0.018  # side of a triangle
_PLUMPEST, _SLIVER = 0.05, 0.02  # twice its area over its longest side squared
_IN_THE_DARK = 4.0  # how much more of everything the inside of the mouth may stray
_ROUNDS = ((0.15, 4), (0.3, 4), (0.6, 6), (1.0, 12))  # share of that, and how often to look
_MOST_AROUND = 24  # triangles at one vertex

_f32 = np.float32


class _Stars(NamedTuple):
    """The triangles around each vertex, and on each triangle the vertices that are gone.

    What belongs to vertex v is `around[starts[v]:starts[v + 1]]`; guests likewise, by triangle.
    """

    starts: Ints
    around: Ints
    guest_starts: Ints
    guests: Ints


def coarse_mesh(
    mesh: Mesh, skin: Skinning, unfolded: Floats, which: NDArray[np.bool_]
) -> tuple[Mesh, Skinning]:
    """A mesh that moves and looks the same with fewer triangles, and how it takes its colours.

    Args:
        mesh: The mesh.
        skin: How it takes its colours.
        unfolded: float32, shape (v, 3): its vertices when lids and lips are smooth.
        which: bool, shape (t,): triangles of the skin to replace by fewer, as are those of the
            lining; the others are left out.
    """
    outside = _fewer(mesh, skin, unfolded, which, 1.0)
    lining = _fewer(mesh, skin, unfolded, mesh.lining, _IN_THE_DARK)
    kept, corners = np.unique(np.concatenate([outside, lining]), return_inverse=True)
    coarse = mesh.part(kept, corners.reshape(-1, 3).astype(np.int32), len(lining))
    return coarse, Skinning(*(field[kept] for field in astuple(skin)))


def _fewer(
    mesh: Mesh, skin: Skinning, unfolded: Floats, which: NDArray[np.bool_], slack: float
) -> Ints:
    """Triangles, shape (t, 3), that take the place of some."""
    features = _features(mesh, skin)
    triangles = np.ascontiguousarray(mesh.triangles[which])
    kept = _on_border(triangles, len(unfolded))
    home = np.full(len(unfolded), -1, np.int32)  # triangle on which a vertex that is gone lies
    flat = np.empty((len(unfolded), 2), np.float32)
    for limit, looks in _ROUNDS:
        for _ in range(looks):
            starts, corners = _grouped(triangles.ravel(), len(unfolded))
            stars = _Stars(starts, corners // 3, *_grouped(home, len(triangles)))
            gone = _thin_out(unfolded, features, triangles, stars, home, kept, flat, limit * slack)
            alive = triangles[:, 0] >= 0
            index = np.cumsum(alive, dtype=np.int32) - 1
            home[home >= 0] = index[home[home >= 0]]
            triangles = np.ascontiguousarray(triangles[alive])
            if gone < len(unfolded) // 1000:
                break
    return triangles


def _features(mesh: Mesh, skin: Skinning) -> Floats:
    """What may stray by 1, shape (v, n): deltas of every blendshape, place and paint."""
    count = len(mesh.morph_starts) - 1
    deltas = np.zeros((count, len(mesh.vertices), 3), np.float32)
    shape = np.repeat(np.arange(count), np.diff(mesh.morph_starts))
    deltas[shape, mesh.morph_vertices] = mesh.morph_deltas / _SLIP_M
    moving = deltas[np.abs(deltas).max((1, 2)) > 0]
    rows = moving.transpose(1, 0, 2).reshape(len(mesh.vertices), -1)
    place = mesh.vertices / np.array([_SLIP_M, _DEPTH_M, _SLIP_M], np.float32)
    shown = skin.open * (skin.open_share > 0)[:, None] / _SLIP_TEXELS
    paint = np.stack([skin.feather, skin.open_share, skin.inner_lips], 1) / _FADE
    return np.ascontiguousarray(np.concatenate([rows, place, shown, paint], 1), np.float32)


def _on_border(triangles: Ints, vertices: int) -> NDArray[np.bool_]:
    """Vertices at an edge that belongs to one triangle alone."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    out = np.zeros(vertices, np.bool_)
    out[unique[count != 2]] = True
    return out


def _grouped(groups: Ints, count: int) -> tuple[Ints, Ints]:
    """Where each group starts in a list of indices ordered by their groups, and that list."""
    order = np.argsort(groups, kind="stable").astype(np.int32)
    order = order[np.searchsorted(groups[order], 0) :]  # those below 0 are in no group
    starts = np.searchsorted(groups[order], np.arange(count + 1)).astype(np.int32)
    return starts, order


@kernel
def _thin_out(
    points: Floats,
    features: Floats,
    triangles: Ints,
    stars: _Stars,
    home: Ints,
    kept: NDArray[np.bool_],
    flat: Floats,
    limit: float,
) -> int:
    """Take away vertices that have no common neighbour, once through.

    Args:
        points: float32, shape (v, 3).
        features: float32, shape (v, n).
        triangles: int32, shape (t, 3), changed in place; -1 where one is gone.
        stars: Of these triangles.
        home: int32, shape (v,): the triangle on which a vertex lies, kept up to date.
        kept: bool, shape (v,): vertices to keep.
        flat: float32, shape (v, 2): room for positions on a star's plane.
        limit: Farthest that any feature may stray.

    Returns:
        How many vertices went.
    """
    busy = np.zeros(len(points), np.bool_)
    ring = np.empty((_MOST_AROUND, 2), np.int32)
    gone = 0
    for v in range(len(points)):
        star = stars.around[stars.starts[v] : stars.starts[v + 1]]
        if kept[v] or busy[v] or len(star) < 3 or len(star) > _MOST_AROUND:
            continue
        free = True
        for k in range(len(star)):
            t = star[k]
            corner = 0 if triangles[t, 0] == v else 1 if triangles[t, 1] == v else 2
            ring[k, 0], ring[k, 1] = triangles[t, (corner + 1) % 3], triangles[t, (corner + 2) % 3]
            free = free and not busy[ring[k, 0]] and not busy[ring[k, 1]]
        around = ring[: len(star)]
        if not free or not _flatten(points, around, v, star, stars, flat):
            continue
        plumpest = _f32(_PLUMPEST)
        for k in range(len(star)):
            plumpest = min(plumpest, _plumpness(flat, v, ring[k, 0], ring[k, 1]))
        if plumpest <= 0:
            continue
        best, target = limit, -1
        for k in range(len(star)):
            least = float(max(_f32(_SLIVER), plumpest))
            strayed = _strayed(flat, features, around, ring[k, 0], v, star, stars, least, best)
            if strayed < best:
                best, target = strayed, ring[k, 0]
        if target >= 0:
            gone += 1
            _collapse(flat, triangles, around, target, v, star, stars, home)
            for k in range(len(star)):
                busy[ring[k, 0]] = True
    return gone


@kernel
def _flatten(points: Floats, ring: Ints, v: int, star: Ints, stars: _Stars, flat: Floats) -> bool:
    """Lay a star, and who lies on it, on the plane that it is closest to; False if it has none."""
    nx, ny, nz = _f32(0), _f32(0), _f32(0)
    for k in range(len(ring)):
        ax, ay, az = _to(points, v, ring[k, 0])
        bx, by, bz = _to(points, v, ring[k, 1])
        nx, ny, nz = nx + ay * bz - az * by, ny + az * bx - ax * bz, nz + ax * by - ay * bx
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    if length < _f32(1e-12):
        return False
    nx, ny, nz = nx / length, ny / length, nz / length
    # Duff et al., Building an Orthonormal Basis, Revisited, JCGT 6(1), 2017.
    sign = _f32(1) if nz >= 0 else _f32(-1)
    p = _f32(-1) / (sign + nz)
    q = nx * ny * p
    across = (_f32(1) + sign * nx * nx * p, sign * q, -sign * nx)
    along = (q, sign + ny * ny * p, -ny)
    _lay(points, v, across, along, flat)
    for k in range(len(ring)):
        _lay(points, ring[k, 0], across, along, flat)
        _lay(points, ring[k, 1], across, along, flat)
    for t in star:
        for i in range(stars.guest_starts[t], stars.guest_starts[t + 1]):
            _lay(points, stars.guests[i], across, along, flat)
    return True


@kernel
def _to(points: Floats, a: int, b: int) -> tuple[np.float32, np.float32, np.float32]:
    return (
        points[b, 0] - points[a, 0],
        points[b, 1] - points[a, 1],
        points[b, 2] - points[a, 2],
    )


@kernel
def _lay(
    points: Floats,
    v: int,
    across: tuple[np.float32, np.float32, np.float32],
    along: tuple[np.float32, np.float32, np.float32],
    flat: Floats,
) -> None:
    x, y, z = points[v, 0], points[v, 1], points[v, 2]
    flat[v, 0] = x * across[0] + y * across[1] + z * across[2]
    flat[v, 1] = x * along[0] + y * along[1] + z * along[2]


@kernel
def _plumpness(flat: Floats, a: int, b: int, c: int) -> np.float32:
    """Twice the area of a triangle over its longest side squared; below 0 when it is turned."""
    abx, aby = flat[b, 0] - flat[a, 0], flat[b, 1] - flat[a, 1]
    acx, acy = flat[c, 0] - flat[a, 0], flat[c, 1] - flat[a, 1]
    bcx, bcy = acx - abx, acy - aby
    longest = max(abx * abx + aby * aby, acx * acx + acy * acy, bcx * bcx + bcy * bcy)
    if longest > _f32(_LONGEST_M * _LONGEST_M):
        return _f32(-1)
    return np.float32((abx * acy - acx * aby) / longest)


@kernel
def _shares(
    flat: Floats, p: int, a: int, b: int, c: int
) -> tuple[np.float32, np.float32, np.float32]:
    """Barycentric coordinates of a vertex on a triangle."""
    abx, aby = flat[b, 0] - flat[a, 0], flat[b, 1] - flat[a, 1]
    acx, acy = flat[c, 0] - flat[a, 0], flat[c, 1] - flat[a, 1]
    apx, apy = flat[p, 0] - flat[a, 0], flat[p, 1] - flat[a, 1]
    area = abx * acy - acx * aby
    of_b, of_c = (apx * acy - acx * apy) / area, (abx * apy - apx * aby) / area
    return _f32(1) - of_b - of_c, of_b, of_c


@kernel
def _on(flat: Floats, ring: Ints, target: int, p: int) -> int:
    """Which of a fan's triangles a vertex lies on."""
    best, found = _f32(-1e9), -1
    for k in range(len(ring)):
        a, b = ring[k, 0], ring[k, 1]
        if target in (a, b):
            continue
        inside = min(_shares(flat, p, target, a, b))
        if inside > best:
            best, found = inside, k
    return found


@kernel
def _strayed(
    flat: Floats,
    features: Floats,
    ring: Ints,
    target: int,
    v: int,
    star: Ints,
    stars: _Stars,
    least: float,
    limit: float,
) -> float:
    """How far any feature strays when a vertex is drawn into a neighbour; huge if it can't be."""
    for k in range(len(ring)):
        a, b = ring[k, 0], ring[k, 1]
        if target not in (a, b) and _plumpness(flat, target, a, b) < _f32(least):
            return 1e9
    worst = _strays(flat, features, ring, target, v)
    for t in star:
        for i in range(stars.guest_starts[t], stars.guest_starts[t + 1]):
            if worst >= limit:
                return worst
            worst = max(worst, _strays(flat, features, ring, target, stars.guests[i]))
    return worst


@kernel
def _strays(flat: Floats, features: Floats, ring: Ints, target: int, p: int) -> float:
    """How far any feature of one vertex would stray."""
    k = _on(flat, ring, target, p)
    a, b = ring[k, 0], ring[k, 1]
    of_target, of_a, of_b = _shares(flat, p, target, a, b)
    worst = _f32(0)
    for n in range(features.shape[1]):
        now = of_target * features[target, n] + of_a * features[a, n] + of_b * features[b, n]
        worst = max(worst, abs(now - features[p, n]))
    return float(worst)


@kernel
def _collapse(
    flat: Floats,
    triangles: Ints,
    ring: Ints,
    target: int,
    v: int,
    star: Ints,
    stars: _Stars,
    home: Ints,
) -> None:
    """Draw a vertex into `target`, and find everything that lay around it a new home."""
    home[v] = star[_on(flat, ring, target, v)]
    for t in star:
        for i in range(stars.guest_starts[t], stars.guest_starts[t + 1]):
            home[stars.guests[i]] = star[_on(flat, ring, target, stars.guests[i])]
    for k in range(len(ring)):
        a, b = ring[k, 0], ring[k, 1]
        if target in (a, b):
            triangles[star[k]] = -1
        else:
            triangles[star[k], 0], triangles[star[k], 1], triangles[star[k], 2] = target, a, b
