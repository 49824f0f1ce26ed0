"""Morphing and drawing: the kernels that put a posed face on the canvas."""

import math

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import Bytes, Coat, Floats, Ints, Lens, Morphs, Target, inlined, kernel

SURFACE, LINING, BEHIND_LIPS = 0, 1, 2
"""What `draw` does with depth: test and write it; the same and mark; draw where marked."""

FAR = 9.0
"""Depth of an empty pixel, in metres."""

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
            if abs(at[v, 0] - rest[v, 0]) > 0.08 or abs(at[v, 1] - rest[v, 1]) > 0.08:
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


@kernel
def draw(
    at: Floats,
    triangles: Ints,
    chosen: Ints,
    coat: Coat,
    texture: Bytes,
    over: Bytes,
    target: Target,
    top: int,
    bottom: int,
    mode: int,
) -> None:
    """Rasterise textured triangles: affine, bilinear, depth-tested, alpha-blended.

    Args:
        at: float32, shape (v, 3): canvas x, canvas y, depth.
        triangles: int32, shape (t, 3).
        chosen: int32: which of them.
        coat: Per-vertex paint.
        texture: uint8, shape (h, w, 4).
        over: A second texture, mixed in by `coat.over_share`.
        target: What to draw on.
        top: First canvas row to touch.
        bottom: One past the last.
        mode: SURFACE, LINING or BEHIND_LIPS.
    """
    one, half = _f32(1), _f32(0.5)
    width = target.depth.shape[1]
    for i in range(len(chosen)):
        a, b, c = triangles[chosen[i], 0], triangles[chosen[i], 1], triangles[chosen[i], 2]
        ax, ay = at[a, 0], at[a, 1]
        abx, aby, acx, acy = at[b, 0] - ax, at[b, 1] - ay, at[c, 0] - ax, at[c, 1] - ay
        doubled_area = abx * acy - acx * aby
        if doubled_area == 0:
            continue
        left = max(0, math.ceil(ax + min(_f32(0), abx, acx) - half))
        right = min(width, math.floor(ax + max(_f32(0), abx, acx) - half) + 1)
        first = max(top, math.ceil(ay + min(_f32(0), aby, acy) - half))
        last = min(bottom, math.floor(ay + max(_f32(0), aby, acy) - half) + 1)
        if left >= right or first >= last:
            continue
        # Barycentric weights of b and c and their steps along x; a pixel is inside when both are
        # non-negative and their sum is at most one.
        inverse = one / doubled_area
        b_dx, b_dy, c_dx, c_dy = acy * inverse, -acx * inverse, -aby * inverse, abx * inverse
        mixes = coat.over_share[a] + coat.over_share[b] + coat.over_share[c] > _f32(0.01)
        for y in range(first, last):
            px, py = _f32(left) + half - ax, _f32(y) + half - ay
            wb, wc = px * b_dx + py * b_dy, px * c_dx + py * c_dy
            for x in range(left, right):
                if wb >= 0 and wc >= 0 and wb + wc <= one:
                    wa = one - wb - wc
                    z = wa * at[a, 2] + wb * at[b, 2] + wc * at[c, 2]
                    if mode == BEHIND_LIPS:
                        visible = target.mark[y, x] == 1
                    else:
                        visible = z < target.depth[y, x]
                    if visible:
                        luma, u, v, alpha = _sample(
                            texture,
                            wa * coat.texels[a, 0]
                            + wb * coat.texels[b, 0]
                            + wc * coat.texels[c, 0],
                            wa * coat.texels[a, 1]
                            + wb * coat.texels[b, 1]
                            + wc * coat.texels[c, 1],
                        )
                        if mixes:
                            share = (
                                wa * coat.over_share[a]
                                + wb * coat.over_share[b]
                                + wc * coat.over_share[c]
                            )
                            over_luma, over_u, over_v, _ = _sample(
                                over,
                                wa * coat.over_texels[a, 0]
                                + wb * coat.over_texels[b, 0]
                                + wc * coat.over_texels[c, 0],
                                wa * coat.over_texels[a, 1]
                                + wb * coat.over_texels[b, 1]
                                + wc * coat.over_texels[c, 1],
                            )
                            luma += share * (over_luma - luma)
                            u += share * (over_u - u)
                            v += share * (over_v - v)
                            alpha += share * (_f32(255) - alpha)
                        shade = wa * coat.shade[a] + wb * coat.shade[b] + wc * coat.shade[c]
                        alpha *= (
                            wa * coat.opacity[a] + wb * coat.opacity[b] + wc * coat.opacity[c]
                        ) * _f32(1 / 255)
                        if alpha > _f32(0.004):
                            _blend(
                                target.picture[y, x],
                                _f32(16) + shade * (luma - _f32(16)),
                                _f32(128) + shade * (u - _f32(128)),
                                _f32(128) + shade * (v - _f32(128)),
                                alpha,
                            )
                            if mode != BEHIND_LIPS:
                                target.depth[y, x] = z
                            if mode == LINING:
                                target.mark[y, x] = 1
                wb += b_dx
                wc += c_dx


@inlined
def _sample(texture: Bytes, u: float, v: float) -> tuple[float, float, float, float]:
    """Bilinear sample; positions must leave a texel to the right and below."""
    iu, iv = np.int32(u), np.int32(v)
    fu, fv = np.int32((u - iu) * 64), np.int32((v - iv) * 64)
    k11, k10, k01, k00 = fu * fv, fu * (64 - fv), (64 - fu) * fv, (64 - fu) * (64 - fv)
    y = k00 * texture[iv, iu, 0] + k10 * texture[iv, iu + 1, 0]
    y += k01 * texture[iv + 1, iu, 0] + k11 * texture[iv + 1, iu + 1, 0]
    cb = k00 * texture[iv, iu, 1] + k10 * texture[iv, iu + 1, 1]
    cb += k01 * texture[iv + 1, iu, 1] + k11 * texture[iv + 1, iu + 1, 1]
    cr = k00 * texture[iv, iu, 2] + k10 * texture[iv, iu + 1, 2]
    cr += k01 * texture[iv + 1, iu, 2] + k11 * texture[iv + 1, iu + 1, 2]
    al = k00 * texture[iv, iu, 3] + k10 * texture[iv, iu + 1, 3]
    al += k01 * texture[iv + 1, iu, 3] + k11 * texture[iv + 1, iu + 1, 3]
    unit = _f32(1 / 4096)
    return _f32(y) * unit, _f32(cb) * unit, _f32(cr) * unit, _f32(al) * unit


@inlined
def _blend(pixel: Bytes, luma: float, u: float, v: float, alpha: float) -> None:
    keep, half = _f32(1) - alpha, _f32(0.5)
    pixel[0] = min(_f32(235), luma * alpha + keep * pixel[0] + half)
    pixel[1] = min(_f32(240), max(_f32(16), u * alpha + keep * pixel[1] + half))
    pixel[2] = min(_f32(240), max(_f32(16), v * alpha + keep * pixel[2] + half))


@kernel
def tint(
    rest: Bytes, residual: NDArray[np.int8], weight: float, left: int, top: int, out: Bytes
) -> None:
    """Add a shading residual, shape (h, w, 3), to a texture at (left, top)."""
    for y in range(residual.shape[0]):
        for x in range(residual.shape[1]):
            for c in range(3):
                value = rest[top + y, left + x, c] + _f32(weight) * residual[y, x, c] + _f32(0.5)
                out[top + y, left + x, c] = min(_f32(240), max(_f32(16), value))


@kernel
def fade_in(
    picture: Bytes, patch: Bytes, opacity: float, left: int, top: int, first: int, last: int
) -> None:
    """Blend a patch, its own alpha times `opacity`, over rows first..last of a picture."""
    for y in range(max(0, first - top), min(patch.shape[0], last - top)):
        for x in range(patch.shape[1]):
            alpha = patch[y, x, 3] * _f32(opacity) * _f32(1 / 255)
            for c in range(3):
                value = picture[top + y, left + x, c]
                picture[top + y, left + x, c] = (
                    value + alpha * (patch[y, x, c] - _f32(value)) + _f32(0.5)
                )
