"""What is done to a canvas besides drawing triangles: tints, fades, shadows, smooth edges."""

import numpy as np

from render.baked.kernels import WITHIN, Bytes, Shade, Target, inlined, kernel

_f32 = np.float32


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
