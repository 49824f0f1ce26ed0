"""Drawing triangles: the kernels that put a posed face on the canvas."""

import numpy as np

from render.baked.kernels import (
    OVER,
    WITHIN,
    Box,
    Coat,
    Floats,
    Ints,
    Target,
    Words,
    inlined,
    kernel,
)
from render.baked.words import mixed, put, sample, spread

SURFACE, INSIDE, WHERE_INSIDE = 0, 1, 2
"""What `draw` does with depth and mark: test and write depth and mark `OVER` what was `WITHIN`; the
same but mark `WITHIN`; draw where marked `WITHIN`."""

_f32, _u64 = np.float32, np.uint64
_16, _32, _48, _BYTE = _u64(16), _u64(32), _u64(48), _u64(255)
_FAINTEST = 2  # of 256: less opacity than that shows nothing


@kernel
def draw(
    at: Floats,
    triangles: Ints,
    chosen: Ints,
    coat: Coat,
    texture: Words,
    over: Words,
    target: Target,
    box: Box,
    mode: int,
    plain: int,
) -> None:
    """Rasterise textured triangles: affine, bilinear, depth-tested, alpha-blended.

    Args:
        at: float32, shape (v, 3): canvas x, canvas y, depth.
        triangles: int32, shape (t, 3). The first `plain` of them show `texture` alone, opaque and
            unshaded, which is quicker; `mode` is then SURFACE.
        chosen: int32: which of them.
        coat: Per-vertex paint.
        texture: uint32, shape (h, w).
        over: A second texture, mixed in by `coat.over_share`, where it counts as opaque.
        target: What to draw on.
        box: Pixels that may be drawn on.
        mode: SURFACE, INSIDE or WHERE_INSIDE.
        plain: How many triangles are plain.
    """
    flat, stride = texture.ravel(), texture.shape[1]
    over_flat, over_stride = over.ravel(), over.shape[1]
    for i in range(len(chosen)):
        t = np.uintp(chosen[i])
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        if chosen[i] < plain:
            _fill_plain(at, a, b, c, coat.texels, flat, stride, target, box)
        else:
            _fill(at, a, b, c, coat, flat, stride, over_flat, over_stride, target, box, mode)


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
    u0, ub, uc = _scaled(texels[a, 0], texels[b, 0], texels[c, 0])
    v0, vb, vc = _scaled(texels[a, 1], texels[b, 1], texels[c, 1])
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
            put(target.words, y, x, sample(words, stride, u, v))
            target.depth[y, x] = z
            if target.mark[y, x] == WITHIN:
                target.mark[y, x] = OVER


@inlined
def _fill(
    at: Floats,
    a: np.uintp,
    b: np.uintp,
    c: np.uintp,
    coat: Coat,
    flat: Words,
    stride: int,
    over_flat: Words,
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
    u0, ub, uc = _scaled(coat.texels[a, 0], coat.texels[b, 0], coat.texels[c, 0])
    v0, vb, vc = _scaled(coat.texels[a, 1], coat.texels[b, 1], coat.texels[c, 1])
    opacity0, opacity_b, opacity_c = _scaled(coat.opacity[a], coat.opacity[b], coat.opacity[c])
    share0, share_b, share_c = _scaled(coat.over_share[a], coat.over_share[b], coat.over_share[c])
    shade0, shade_b, shade_c = _steps(coat.shade[a], coat.shade[b], coat.shade[c])
    mixes = share0 > 0 or share_b != 0 or share_c != 0
    shades = shade0 != one or shade_b != 0 or shade_c != 0
    over_u0, over_ub, over_uc = zero, zero, zero
    over_v0, over_vb, over_vc = zero, zero, zero
    if mixes:
        over = coat.over_texels
        over_u0, over_ub, over_uc = _scaled(over[a, 0], over[b, 0], over[c, 0])
        over_v0, over_vb, over_vc = _scaled(over[a, 1], over[b, 1], over[c, 1])
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
            u, v = int(u0 + wb * ub + wc * uc), int(v0 + wb * vb + wc * vc)
            wide = sample(flat, stride, u, v)
            if mixes:
                u = int(over_u0 + wb * over_ub + wc * over_uc)
                v = int(over_v0 + wb * over_vb + wc * over_vc)
                top = sample(over_flat, over_stride, u, v) | (_BYTE << _48)
                wide = mixed(wide, top, int(share0 + wb * share_b + wc * share_c))
            alpha = int(
                _f32(wide >> _48) * (opacity0 + wb * opacity_b + wc * opacity_c) * _f32(1 / 255)
            )
            if alpha < _FAINTEST:
                continue
            if shades:
                wide = _shaded(wide, shade0 + wb * shade_b + wc * shade_c)
            if alpha < 256:
                wide = mixed(spread(target.words[y, x]), wide, alpha)
            put(target.words, y, x, wide)
            if mode != WHERE_INSIDE:
                target.depth[y, x] = z
            if mode == INSIDE:
                target.mark[y, x] = WITHIN
            elif mode == SURFACE and target.mark[y, x] == WITHIN and alpha > 128:
                target.mark[y, x] = OVER


@inlined
def _shaded(wide: np.uint64, shade: np.float32) -> np.uint64:
    """A spread word with its distance from black scaled, kept in the limited range."""
    luma = _f32(16) + shade * (_f32(wide & _BYTE) - _f32(16))
    cb = _f32(128) + shade * (_f32((wide >> _32) & _BYTE) - _f32(128))
    cr = _f32(128) + shade * (_f32((wide >> _16) & _BYTE) - _f32(128))
    luma = min(_f32(235), max(_f32(16), luma))
    cb, cr = min(_f32(240), max(_f32(16), cb)), min(_f32(240), max(_f32(16), cr))
    half = _f32(0.5)
    return _u64(luma + half) | (_u64(cb + half) << _32) | (_u64(cr + half) << _16)


@inlined
def _steps(
    a: np.float32, b: np.float32, c: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    return a, b - a, c - a


@inlined
def _scaled(
    a: np.float32, b: np.float32, c: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """The same in 1 / 256, in which positions and weights are."""
    a, b, c = a * _f32(256), b * _f32(256), c * _f32(256)
    return a, b - a, c - a
