"""Drawing triangles: the kernels that put a posed face on the canvas."""

import numpy as np

from render.baked.kernels import (
    OVER,
    WITHIN,
    Box,
    Bytes,
    Coat,
    Floats,
    Ints,
    Target,
    Words,
    inlined,
    kernel,
)

SURFACE, INSIDE, WHERE_INSIDE = 0, 1, 2
"""What `draw` does with depth and mark: test and write depth and mark `OVER` what was `WITHIN`; the
same but mark `WITHIN`; draw where marked `WITHIN`."""

_f32, _u64 = np.float32, np.uint64
# Unsigned, so that numba leaves out the test for negative indices.
_ONE, _NEXT = np.uintp(1), np.uintp(4)  # words and bytes to the texel at the right
_U, _V, _A = np.uintp(1), np.uintp(2), np.uintp(3)

# A word is Y, U, V, A; spread, each has 16 bits of its own, and one product weighs all four.
_SPREAD, _HALVES = _u64(0x00FF00FF00FF00FF), _u64(0x0080008000800080)
_8, _24 = _u64(8), _u64(24)
_COLOURS, _ALPHA = np.uint32(0x00FFFFFF), np.uint32(0xFF000000)


@kernel
def draw(
    at: Floats,
    triangles: Ints,
    chosen: Ints,
    coat: Coat,
    texture: Bytes,
    over: Bytes,
    target: Target,
    box: Box,
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
        box: Pixels that may be drawn on.
        mode: SURFACE, INSIDE or WHERE_INSIDE.
    """
    flat, stride = texture.ravel(), texture.shape[1] * 4
    over_flat, over_stride = over.ravel(), over.shape[1] * 4
    for i in range(len(chosen)):
        t = np.uintp(chosen[i])
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        _fill(at, a, b, c, coat, flat, stride, over_flat, over_stride, target, box, mode)


@kernel
def draw_skin(
    at: Floats,
    triangles: Ints,
    chosen: Ints,
    plain: int,
    coat: Coat,
    texture: Bytes,
    words: Words,
    over: Bytes,
    target: Target,
    box: Box,
) -> None:
    """Rasterise as `draw` does with `SURFACE`, and what is plain in a quicker way.

    Args:
        at: As for `draw`.
        triangles: The same; the first `plain` of them show `texture` alone, opaque, unshaded.
        chosen: As for `draw`, ascending.
        plain: How many triangles are plain.
        coat: As for `draw`.
        texture: The same.
        words: `texture` as words, uint32, shape (h, w).
        over: As for `draw`.
        target: The same.
        box: The same.
    """
    flat, stride = texture.ravel(), texture.shape[1] * 4
    over_flat, over_stride = over.ravel(), over.shape[1] * 4
    flat_words = words.ravel()
    for i in range(len(chosen)):
        t = np.uintp(chosen[i])
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        if chosen[i] < plain:
            _fill_plain(at, a, b, c, coat.texels, flat_words, words.shape[1], target, box)
        else:
            _fill(
                at, a, b, c, coat, flat, stride, over_flat, over_stride, target, box, SURFACE,
            )  # fmt: skip


@inlined
def _fill_plain(
    at: Floats,
    a: np.uintp,
    b: np.uintp,
    c: np.uintp,
    texels: Floats,
    words: Words,
    stride: int,
    target: Target,
    box: Box,
) -> None:
    """Draw one triangle that is opaque and shows one texture as it is."""
    zero, half, one = _f32(0), _f32(0.5), _f32(1)
    ax, abx, acx = _steps(at[a, 0], at[b, 0], at[c, 0])
    ay, aby, acy = _steps(at[a, 1], at[b, 1], at[c, 1])
    doubled_area = abx * acy - acx * aby
    if doubled_area == 0:
        return
    left = max(box.x0, int(max(zero, ax + min(zero, abx, acx) + half)))
    right = min(box.x1, int(max(zero, ax + max(zero, abx, acx) + half)))
    first = max(box.y0, int(max(zero, ay + min(zero, aby, acy) + half)))
    last = min(box.y1, int(max(zero, ay + max(zero, aby, acy) + half)))
    if left >= right or first >= last:
        return
    inverse = one / doubled_area
    b_dx, b_dy, c_dx, c_dy = acy * inverse, -acx * inverse, -aby * inverse, abx * inverse
    z0, zb, zc = _steps(at[a, 2], at[b, 2], at[c, 2])
    scale = _f32(256)
    u0, ub, uc = _steps(texels[a, 0] * scale, texels[b, 0] * scale, texels[c, 0] * scale)
    v0, vb, vc = _steps(texels[a, 1] * scale, texels[b, 1] * scale, texels[c, 1] * scale)
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
            if z >= target.depth[y, x]:
                continue
            u, v = int(u0 + wb * ub + wc * uc), int(v0 + wb * vb + wc * vc)
            word = _sample_word(words, stride, u, v)
            target.words[y, x] = (word & _COLOURS) | (target.words[y, x] & _ALPHA)
            target.depth[y, x] = z
            if target.mark[y, x] == WITHIN:
                target.mark[y, x] = OVER


@inlined
def _sample_word(words: Words, stride: int, u: int, v: int) -> np.uint32:
    """Bilinear sample of all channels at once, at a position in 1 / 256 texels."""
    fu, fv = u & 255, v & 255
    k11 = (fu * fv) >> 8
    k10, k01 = fu - k11, fv - k11
    k00 = 256 - fu - k01
    above = np.uintp((v >> 8) * stride + (u >> 8))
    below = above + np.uintp(stride)
    total = (
        _spread(words[above]) * _u64(k00)
        + _spread(words[above + _ONE]) * _u64(k10)
        + _spread(words[below]) * _u64(k01)
        + _spread(words[below + _ONE]) * _u64(k11)
        + _HALVES
    )
    total = (total >> _8) & _SPREAD
    return np.uint32(total | (total >> _24))


@inlined
def _spread(word: np.uint32) -> np.uint64:
    wide = _u64(word)
    return (wide | (wide << _24)) & _SPREAD


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
    box: Box,
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
    left = max(box.x0, int(max(zero, ax + min(zero, abx, acx) + half)))
    right = min(box.x1, int(max(zero, ax + max(zero, abx, acx) + half)))
    first = max(box.y0, int(max(zero, ay + min(zero, aby, acy) + half)))
    last = min(box.y1, int(max(zero, ay + max(zero, aby, acy) + half)))
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
