"""Morphing and drawing: the kernels that put a posed face on the canvas."""

import math

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import (
    Bytes,
    Coat,
    Floats,
    Ints,
    Lens,
    Morphs,
    Shade,
    Target,
    inlined,
    kernel,
)

SURFACE, INSIDE, WHERE_INSIDE = 0, 1, 2
"""What `draw` does with depth and mark: test and write depth and mark `OVER` what was `WITHIN`; the
same but mark `WITHIN`; draw where marked `WITHIN`."""

WITHIN, OVER = 1, 2
"""Marks: an eyeball or the inside of the mouth; skin drawn over it."""

FAR = 9.0
"""Depth of an empty pixel, in metres."""

_MOVED_PX = 0.15  # vertices that are less far from their rest need no drawing

_f32 = np.float32
# Unsigned, so that numba leaves out the test for negative indices.
_NEXT = np.uintp(4)  # bytes to the texel at the right
_U, _V, _A = np.uintp(1), np.uintp(2), np.uintp(3)


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
        mode: SURFACE, INSIDE or WHERE_INSIDE.
    """
    flat, stride = texture.ravel(), texture.shape[1] * 4
    over_flat, over_stride = over.ravel(), over.shape[1] * 4
    for i in range(len(chosen)):
        t = np.uintp(chosen[i])
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        _fill(at, a, b, c, coat, flat, stride, over_flat, over_stride, target, top, bottom, mode)


@inlined
def _fill(
    at: Floats,
    a: np.uintp,
    b: np.uintp,
    c: np.uintp,
    coat: Coat,
    flat: Bytes,
    stride: int,
    over_flat: Bytes,
    over_stride: int,
    target: Target,
    top: int,
    bottom: int,
    mode: int,
) -> None:
    """Draw one triangle. What varies over it is held as value at a and steps towards b and c."""
    zero, half, one = _f32(0), _f32(0.5), _f32(1)
    ax, abx, acx = _steps(at[a, 0], at[b, 0], at[c, 0])
    ay, aby, acy = _steps(at[a, 1], at[b, 1], at[c, 1])
    doubled_area = abx * acy - acx * aby
    if doubled_area == 0:
        return
    # Truncating p + 1/2 gives the first pixel whose centre is not before p.
    left = int(max(zero, ax + min(zero, abx, acx) + half))
    right = min(target.depth.shape[1], int(max(zero, ax + max(zero, abx, acx) + half)))
    first = max(top, int(max(zero, ay + min(zero, aby, acy) + half)))
    last = min(bottom, int(max(zero, ay + max(zero, aby, acy) + half)))
    if left >= right or first >= last:
        return
    # Barycentric weights of b and c change by these along x and y. A pixel is inside when both
    # are non-negative and their sum is at most one.
    inverse = one / doubled_area
    b_dx, b_dy, c_dx, c_dy = acy * inverse, -acx * inverse, -aby * inverse, abx * inverse
    z0, zb, zc = _steps(at[a, 2], at[b, 2], at[c, 2])
    u0, ub, uc = _steps(coat.texels[a, 0], coat.texels[b, 0], coat.texels[c, 0])
    v0, vb, vc = _steps(coat.texels[a, 1], coat.texels[b, 1], coat.texels[c, 1])
    over_u0, over_ub, over_uc = _steps(
        coat.over_texels[a, 0], coat.over_texels[b, 0], coat.over_texels[c, 0]
    )
    over_v0, over_vb, over_vc = _steps(
        coat.over_texels[a, 1], coat.over_texels[b, 1], coat.over_texels[c, 1]
    )
    share0, share_b, share_c = _steps(coat.over_share[a], coat.over_share[b], coat.over_share[c])
    mixes = share0 > 0 or share_b != 0 or share_c != 0
    opacity0, opacity_b, opacity_c = _steps(coat.opacity[a], coat.opacity[b], coat.opacity[c])
    shade0, shade_b, shade_c = _steps(coat.shade[a], coat.shade[b], coat.shade[c])
    for row in range(first, last):
        y = np.uintp(row)
        px, py = _f32(left) + half - ax, _f32(row) + half - ay
        wb, wc = px * b_dx + py * b_dy - b_dx, px * c_dx + py * c_dy - c_dx
        for column in range(left, right):
            wb += b_dx
            wc += c_dx
            if wb < 0 or wc < 0 or wb + wc > one:
                continue
            x = np.uintp(column)
            z = z0 + wb * zb + wc * zc
            if mode == WHERE_INSIDE:
                if target.mark[y, x] != WITHIN:
                    continue
            elif z >= target.depth[y, x]:
                continue
            luma, cb, cr, alpha = _sample(
                flat, stride, u0 + wb * ub + wc * uc, v0 + wb * vb + wc * vc
            )
            if mixes:
                share = share0 + wb * share_b + wc * share_c
                over_luma, over_cb, over_cr, _ = _sample(
                    over_flat,
                    over_stride,
                    over_u0 + wb * over_ub + wc * over_uc,
                    over_v0 + wb * over_vb + wc * over_vc,
                )
                luma += share * (over_luma - luma)
                cb += share * (over_cb - cb)
                cr += share * (over_cr - cr)
                alpha += share * (_f32(255) - alpha)
            alpha *= (opacity0 + wb * opacity_b + wc * opacity_c) * _f32(1 / 255)
            if alpha < _f32(0.004):
                continue
            shade = shade0 + wb * shade_b + wc * shade_c
            luma = _f32(16) + shade * (luma - _f32(16))
            cb = _f32(128) + shade * (cb - _f32(128))
            cr = _f32(128) + shade * (cr - _f32(128))
            _blend(target.picture, x, y, luma, cb, cr, alpha)
            if mode != WHERE_INSIDE:
                target.depth[y, x] = z
            if mode == INSIDE:
                target.mark[y, x] = WITHIN
            elif mode == SURFACE and target.mark[y, x] == WITHIN and alpha > half:
                target.mark[y, x] = OVER


@inlined
def _steps(
    a: np.float32, b: np.float32, c: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    return a, b - a, c - a


@inlined
def _sample(
    flat: Bytes, stride: int, u: np.float32, v: np.float32
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Bilinear sample of a picture whose bytes lie in one row, `stride` of them a line.

    Positions must be non-negative and leave a texel right and below.
    """
    column, row = int(u), int(v)
    fu, fv = u - _f32(column), v - _f32(row)
    a = np.uintp(row * stride + (column << 2))
    b, c = a + _NEXT, a + np.uintp(stride)
    d = c + _NEXT
    k11 = fu * fv
    k10, k01 = fu - k11, fv - k11
    k00 = _f32(1) - fu - k01
    return (
        k00 * flat[a] + k10 * flat[b] + k01 * flat[c] + k11 * flat[d],
        k00 * flat[a + _U] + k10 * flat[b + _U] + k01 * flat[c + _U] + k11 * flat[d + _U],
        k00 * flat[a + _V] + k10 * flat[b + _V] + k01 * flat[c + _V] + k11 * flat[d + _V],
        k00 * flat[a + _A] + k10 * flat[b + _A] + k01 * flat[c + _A] + k11 * flat[d + _A],
    )


@inlined
def _blend(
    picture: Bytes,
    x: np.uintp,
    y: np.uintp,
    luma: np.float32,
    cb: np.float32,
    cr: np.float32,
    alpha: np.float32,
) -> None:
    """Lay a colour over a pixel, rounded and kept in the limited range."""
    keep, half = _f32(1) - alpha, _f32(0.5)
    picture[y, x, 0] = min(_f32(235), luma * alpha + keep * picture[y, x, 0] + half)
    picture[y, x, 1] = min(_f32(240), max(_f32(16), cb * alpha + keep * picture[y, x, 1] + half))
    picture[y, x, 2] = min(_f32(240), max(_f32(16), cr * alpha + keep * picture[y, x, 2] + half))


@kernel
def tint(
    shade: Shade, left: float, right: float, out: Bytes, x0: int, y0: int, x1: int, y1: int
) -> None:
    """Add what of a residual is in a box.

    Args:
        shade: The residual.
        left: Weight of the face's left side.
        right: Weight of its right side.
        out: uint8, shape (h, w * 4): the skin, its channels side by side for the sake of speed.
        x0: The box, in canvas pixels.
        y0: The same.
        x1: The same.
        y1: The same.
    """
    first, last = max(0, x0 - shade.left) * 4, min(shade.change.shape[1] // 4, x1 - shade.left) * 4
    for v in range(max(0, y0 - shade.top), min(shade.change.shape[0], y1 - shade.top)):
        change, row = shade.change[v, first:last], out[shade.top + v]
        share, start = shade.left_share[first:last], shade.left * 4 + first
        for i in range(last - first):
            weight = _f32(right) + share[i] * _f32(left - right)
            value = _f32(row[start + i]) + weight * _f32(change[i]) + _f32(0.5)
            if change[i] != 0:  # never so in the alpha channel
                row[start + i] = np.uint8(min(_f32(235), max(_f32(16), value)))


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


@kernel
def shade_under(
    target: Target, reach: float, strength: float, x0: int, y0: int, x1: int, y1: int
) -> None:
    """Darken what is marked `WITHIN` just below its upper edge: the shadow of a lid or a lip.

    Args:
        target: What to darken.
        reach: How far down the shadow goes, in pixels.
        strength: Share of the light that it takes at the edge.
        x0: The box, in canvas pixels.
        y0: The same.
        x1: The same.
        y1: The same.
    """
    steps = int(reach) + 1
    for x in range(x0, x1):
        below = 0
        for y in range(y0, y1):
            if target.mark[y, x] != WITHIN:
                below = 0
                continue
            if below < steps:
                fade = max(_f32(0), _f32(1) - (_f32(below) + _f32(0.5)) / _f32(reach))
                keep = _f32(1) - _f32(strength) * fade * fade
                pixel = target.picture[y, x]
                pixel[0] = _f32(16.5) + keep * (_f32(pixel[0]) - _f32(16))
                pixel[1] = _f32(128.5) + keep * (_f32(pixel[1]) - _f32(128))
                pixel[2] = _f32(128.5) + keep * (_f32(pixel[2]) - _f32(128))
            below += 1


@kernel
def soften(target: Target, x0: int, y0: int, x1: int, y1: int) -> None:
    """Smooth the stairs between what is marked `WITHIN` and the rest.

    Pixels on both sides of an edge take as much of the other side as a window of 5 x 3 (3 x 5 at an
    upright edge) holds of it, as the coverage of a straight edge would.

    Args:
        target: What to smooth.
        x0: The box, in canvas pixels, at least 2 from the border.
        y0: The same.
        x1: The same.
        y1: The same.
    """
    mark = target.mark
    for y in range(y0, y1):
        for x in range(x0, x1):
            here, below, right = mark[y, x], mark[y + 1, x], mark[y, x + 1]
            if (here == WITHIN) != (below == WITHIN):
                _mix(target, x, y, x, y + 1, 2, 1)
            elif (here == WITHIN) != (right == WITHIN) and (here == WITHIN) == (
                mark[y - 1, x] == WITHIN
            ):
                _mix(target, x, y, x + 1, y, 1, 2)


@inlined
def _mix(target: Target, ax: int, ay: int, bx: int, by: int, half_x: int, half_y: int) -> None:
    a_share = _other_share(target.mark, ax, ay, half_x, half_y)
    b_share = _other_share(target.mark, bx, by, half_x, half_y)
    for c in range(3):
        a, b = _f32(target.picture[ay, ax, c]), _f32(target.picture[by, bx, c])
        target.picture[ay, ax, c] = a + a_share * (b - a) + _f32(0.5)
        target.picture[by, bx, c] = b + b_share * (a - b) + _f32(0.5)


@inlined
def _other_share(mark: Bytes, x: int, y: int, half_x: int, half_y: int) -> np.float32:
    """The share of a window around a pixel that is on the other side of the edge."""
    within, others = mark[y, x] == WITHIN, 0
    for v in range(y - half_y, y + half_y + 1):
        for u in range(x - half_x, x + half_x + 1):
            if (mark[v, u] == WITHIN) != within:
                others += 1
    return _f32(others) * _f32(1 / 15)
