"""A line along the lid margins, so that lashes end on something dark however they are seen.

A ribbon that points at the viewer, as the upper one does half-way down, is thinner than a pixel and
breaks up. The line is a band of constant height on the ribbons' roots.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from render.baked.rig import Lashes

Floats = NDArray[np.float32]

_ROOT_V, _ROOT_HALF = 0.5, 0.02  # on the lashes' plate: upper lashes above, lower ones below
_DARK_BAND = 0.10  # of the plate around the roots; the line takes the place of it
_RISE_M, _FALL_M = 0.0007, 0.0006
_TAPER = 4.0  # columns of the ribbon over which the line begins
_UPPER_OPACITY, _LOWER_OPACITY = 0.95, 0.30


def with_lines(lashes: Lashes) -> tuple[Lashes, Floats]:
    """Ribbons with a line along the roots of each.

    Args:
        lashes: Ribbons as baked.

    Returns:
        The ribbons and lines, and the opacity of each vertex. The lines come first, for hairs are
        in front of them.
    """
    opacity = [np.ones(len(lashes.vertices), np.float32)]
    uv = lashes.uv.copy()
    sources, offsets, triangles = [], [], []
    count = len(lashes.vertices)
    for upper in (True, False):
        for left in (True, False):
            root = _root(lashes, upper=upper, left=left)
            if len(root) < 2:
                continue
            uv[root, 1] = _ROOT_V + (-_DARK_BAND if upper else _DARK_BAND)
            n = len(root)
            sources.append(np.tile(root, 3))
            offsets.append(np.repeat(np.array([_RISE_M, 0, -_FALL_M], np.float32), n))
            ends = np.minimum(np.arange(n), np.arange(n)[::-1]) / _TAPER
            strength = (_UPPER_OPACITY if upper else _LOWER_OPACITY) * np.clip(ends, 0, 1)
            opacity.append(np.concatenate([0 * strength, strength, 0 * strength]))
            a = count + (np.arange(2)[:, None] * n + np.arange(n - 1)).ravel()
            triangles += [np.stack(t, 1) for t in ((a, a + 1, a + n), (a + 1, a + n + 1, a + n))]
            count += 3 * n
    if not sources:
        return lashes, opacity[0]
    source, rise = np.concatenate(sources), np.concatenate(offsets)
    vertices = lashes.vertices[source] + rise[:, None] * np.array([0, 0, 1], np.float32)
    spots = np.stack([lashes.uv[source, 0], np.full(len(source), _ROOT_V, np.float32)], 1)
    longer = replace(
        lashes,
        vertices=np.concatenate([lashes.vertices, vertices]),
        triangles=np.concatenate([*triangles, lashes.triangles]).astype(np.int32),
        uv=np.concatenate([uv, spots]),
    )
    return _moving(longer, source), np.concatenate(opacity).astype(np.float32)


def _root(lashes: Lashes, *, upper: bool, left: bool) -> NDArray[np.intp]:
    """Vertices at the roots of one ribbon, along it."""
    v = lashes.uv[:, 1]
    at_root = np.abs(v - _ROOT_V) < _ROOT_HALF
    hairs = v < _ROOT_V - _ROOT_HALF if upper else v > _ROOT_V + _ROOT_HALF
    used = np.zeros(len(v), np.bool_)
    used[lashes.triangles[hairs[lashes.triangles].any(1)]] = True
    mine = np.flatnonzero(at_root & used & ((lashes.vertices[:, 0] > 0) == left))
    return mine[np.argsort(lashes.vertices[mine, 0])]


def _moving(lashes: Lashes, source: NDArray[np.intp]) -> Lashes:
    """The ribbons with every added vertex moving as the one that it was made from."""
    first = len(lashes.vertices) - len(source)
    copies: dict[int, list[int]] = {}
    for k, origin in enumerate(source):
        copies.setdefault(int(origin), []).append(first + k)
    starts, vertices, deltas = [0], [], []
    for k in range(len(lashes.morph_starts) - 1):
        for row in range(lashes.morph_starts[k], lashes.morph_starts[k + 1]):
            moved = int(lashes.morph_vertices[row])
            for vertex in (moved, *copies.get(moved, ())):
                vertices.append(vertex)
                deltas.append(lashes.morph_deltas[row])
        starts.append(len(vertices))
    return replace(
        lashes,
        morph_starts=np.array(starts, np.int32),
        morph_vertices=np.array(vertices, np.int32),
        morph_deltas=np.array(deltas, np.float32).reshape(-1, 3),
    )
