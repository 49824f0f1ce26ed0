"""From blendshape weights to canvas positions, and which triangles those move."""

import math

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import Floats, Ints, Lens, Morphs, inlined, kernel

_MOVED_PX = 0.15  # vertices that are less far from their rest need no drawing

_f32 = np.float32


@kernel
def place(morphs: Morphs, weights: Floats, lens: Lens, out: Floats) -> None:
    """Morph and project: `out[v]` becomes canvas x, canvas y and depth.

    Args:
        morphs: The mesh.
        weights: float32, shape (52,).
        lens: To canvas pixels.
        out: float32, shape (v, 3).
    """
    for v in range(len(out)):
        for c in range(3):
            out[v, c] = morphs.vertices[v, c]
    for k in range(len(weights)):
        weight = weights[k]
        if weight == 0:
            continue
        for row in range(morphs.starts[k], morphs.starts[k + 1]):
            v = morphs.indices[row]
            for c in range(3):
                out[v, c] += weight * morphs.deltas[row, c]
    _project(out, lens)


@kernel
def project(points: Floats, lens: Lens, out: Floats) -> None:
    """Project points, shape (n, 3), to canvas x, canvas y and depth."""
    out[:] = points
    _project(out, lens)


@inlined
def _project(points: Floats, lens: Lens) -> None:
    for i in range(len(points)):
        inverse = _f32(1) / (points[i, 1] + _f32(lens.distance))
        x = points[i, 0] * _f32(lens.zoom_x) * inverse
        y = (points[i, 2] - _f32(lens.height)) * _f32(lens.zoom_y) * inverse
        points[i, 2] = points[i, 1]
        points[i, 0] = _f32(lens.left) + x
        points[i, 1] = _f32(lens.top) - y


@kernel
def farthest_move(a: Floats, b: Floats, top: float, bottom: float) -> float:
    """The farthest that any vertex between two rows moved from `a` to `b`, in pixels."""
    farthest = _f32(0)
    for v in range(len(a)):
        if a[v, 1] >= top and a[v, 1] < bottom:
            move = max(abs(a[v, 0] - b[v, 0]), abs(a[v, 1] - b[v, 1]))
            farthest = max(farthest, move)
    return float(farthest)


@kernel
def moved_triangles(
    at: Floats,
    rest: Floats,
    triangles: Ints,
    candidates: Ints,
    always: NDArray[np.bool_],
    top: float,
    bottom: float,
    out: Ints,
    box: Ints,
) -> int:
    """Choose the triangles that must be drawn between two rows.

    Args:
        at: float32, shape (v, 3), canvas positions now.
        rest: The same at rest: what the blank canvas shows.
        triangles: int32, shape (t, 3).
        candidates: int32, triangles to look at.
        always: bool, shape (t,): drawn even when they have not moved.
        top: First row.
        bottom: One past the last row.
        out: int32, as long as `candidates`: receives the triangles.
        box: int32, shape (4,): receives x0, y0, x1, y1 around them, now and at rest.

    Returns:
        How many there are.
    """
    count = 0
    x0, y0, x1, y1 = _f32(1e9), _f32(1e9), _f32(-1e9), _f32(-1e9)
    for i in range(len(candidates)):
        t = candidates[i]
        low, high, moved = _f32(1e9), _f32(-1e9), always[t]
        for k in range(3):
            v = triangles[t, k]
            low = min(low, at[v, 1], rest[v, 1])
            high = max(high, at[v, 1], rest[v, 1])
            if abs(at[v, 0] - rest[v, 0]) > _MOVED_PX or abs(at[v, 1] - rest[v, 1]) > _MOVED_PX:
                moved = True
        if not moved or high < top or low > bottom:
            continue
        out[count] = t
        count += 1
        y0, y1 = min(y0, low), max(y1, high)
        for k in range(3):
            v = triangles[t, k]
            x0, x1 = min(x0, at[v, 0], rest[v, 0]), max(x1, at[v, 0], rest[v, 0])
    box[0], box[1] = math.floor(x0) - 1, max(math.floor(y0) - 1, top)
    box[2], box[3] = math.ceil(x1) + 2, min(math.ceil(y1) + 2, bottom)
    return count
