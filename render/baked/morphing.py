"""From weights and gaze to canvas positions and texels, and which triangles those move."""

import math

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import Box, Floats, Ints, Lens, Morphs, inlined, kernel

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
def moved_triangles(
    at: Floats,
    rest: Floats,
    triangles: Ints,
    candidates: Ints,
    always: NDArray[np.bool_],
    limits: Box,
    out: Ints,
) -> tuple[int, Box]:
    """Choose the triangles that must be drawn within some rows.

    Args:
        at: float32, shape (v, 3), canvas positions now.
        rest: The same at rest: what the blank canvas shows.
        triangles: int32, shape (t, 3).
        candidates: int32, triangles to look at.
        always: bool, as long as `candidates`: drawn even when they have not moved.
        limits: Pixels that may be drawn on.
        out: int32, as long as `candidates`: receives the triangles.

    Returns:
        How many there are, and the pixels around them, now and at rest.
    """
    count = 0
    x0, y0, x1, y1 = _f32(1e9), _f32(1e9), _f32(-1e9), _f32(-1e9)
    for i in range(len(candidates)):
        t = candidates[i]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        moved = always[i] or _moved(at, rest, a) or _moved(at, rest, b) or _moved(at, rest, c)
        if not moved:
            continue
        low = min(at[a, 1], at[b, 1], at[c, 1], rest[a, 1], rest[b, 1], rest[c, 1])
        high = max(at[a, 1], at[b, 1], at[c, 1], rest[a, 1], rest[b, 1], rest[c, 1])
        if high < limits.y0 or low > limits.y1:
            continue
        out[count] = t
        count += 1
        y0, y1 = min(y0, low), max(y1, high)
        x0 = min(x0, at[a, 0], at[b, 0], at[c, 0], rest[a, 0], rest[b, 0], rest[c, 0])
        x1 = max(x1, at[a, 0], at[b, 0], at[c, 0], rest[a, 0], rest[b, 0], rest[c, 0])
    if count == 0:
        return 0, Box(limits.x0, limits.y0, limits.x0, limits.y0)
    return count, Box(
        max(math.floor(x0) - 1, limits.x0),
        max(math.floor(y0) - 1, limits.y0),
        min(math.ceil(x1) + 2, limits.x1),
        min(math.ceil(y1) + 2, limits.y1),
    )


@inlined
def _moved(at: Floats, rest: Floats, v: int) -> bool:
    return bool(
        abs(at[v, 0] - rest[v, 0]) > _f32(_MOVED_PX) or abs(at[v, 1] - rest[v, 1]) > _f32(_MOVED_PX)
    )


@kernel
def turned(
    points: Floats,
    centre: Floats,
    turn: Floats,
    lens: Lens,
    limit_x: float,
    limit_y: float,
    out: Floats,
) -> None:
    """Where an eyeball takes its colours when it has turned.

    Args:
        points: float32, shape (n, 3): the eyeball, which stays where it is.
        centre: float32, shape (3,).
        turn: float32, shape (3, 3): rotation of the eye.
        lens: To texels.
        limit_x: The last texel that may be read.
        limit_y: The same.
        out: float32, shape (n, 2): receives texels.
    """
    for i in range(len(points)):
        x, y, z = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        # By columns: multiplying from the left turns back.
        back_x = x * turn[0, 0] + y * turn[1, 0] + z * turn[2, 0] + centre[0]
        back_y = x * turn[0, 1] + y * turn[1, 1] + z * turn[2, 1] + centre[1]
        back_z = x * turn[0, 2] + y * turn[1, 2] + z * turn[2, 2] + centre[2]
        inverse = _f32(1) / (back_y + _f32(lens.distance))
        u = _f32(lens.left) + back_x * _f32(lens.zoom_x) * inverse
        v = _f32(lens.top) - (back_z - _f32(lens.height)) * _f32(lens.zoom_y) * inverse
        out[i, 0] = min(_f32(limit_x), max(_f32(0), u))
        out[i, 1] = min(_f32(limit_y), max(_f32(0), v))
