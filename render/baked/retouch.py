"""What is done to a canvas besides drawing triangles: tints, fades, shadows, smooth edges."""

import numpy as np

from render.baked.kernels import WITHIN, Box, Bytes, Ints, Residual, Target, inlined, kernel

_f32 = np.float32


STEPS = 16
"""Of a residual's weight, from 0 to 1."""

SHARES = 8
"""Of a byte between the right and the left side of the face."""

_SHIFT, _HALF = np.int32(7), np.int32(64)  # for sums in units of STEPS * SHARES


@kernel
def add_residual(residual: Residual, left: int, right: int, share: Ints, total: Ints) -> None:
    """Add a residual to a sum, in units of `STEPS` times `SHARES` to a level.

    Args:
        residual: The residual.
        left: Steps of its left side.
        right: Steps of its right side.
        share: int32, shape (w * 4,): of a byte that belongs to the left, 0 to `SHARES`.
        total: int32, shape (h, w * 4): what to add it to.
    """
    for n in range(len(residual.spans)):
        row, first, count, begin = residual.spans[n]
        out, side = total[row, first : first + count], share[first : first + count]
        change = residual.change[begin : begin + count]
        for i in range(count):
            weight = np.int32(right * SHARES) + side[i] * np.int32(left - right)
            out[i] += np.int32(change[i]) * weight


@kernel
def lay_residual(residual: Residual, rest: Bytes, total: Ints, skin: Bytes, picture: Bytes) -> None:
    """Lay a sum over the skin at rest, where a residual changed it.

    Args:
        residual: The residual.
        rest: uint8, shape (h, w * 4).
        total: int32, the same shape.
        skin: Receives the colours; uint8, the same shape.
        picture: The same.
    """
    for n in range(len(residual.spans)):
        row, first, count, _ = residual.spans[n]
        under, more = rest[row, first : first + count], total[row, first : first + count]
        a, b = skin[row, first : first + count], picture[row, first : first + count]
        for i in range(count):
            value = np.int32(under[i])
            if more[i] != 0:  # never so in the alpha channel
                value += (more[i] + _HALF) >> _SHIFT
                value = min(np.int32(235), max(np.int32(16), value))
            a[i] = value
            b[i] = value


@kernel
def fade_in(picture: Bytes, patch: Bytes, opacity: float, left: int, top: int, box: Box) -> None:
    """Blend a patch, its own alpha times `opacity`, over what of a picture is in a box."""
    for y in range(max(0, box.y0 - top), min(patch.shape[0], box.y1 - top)):
        for x in range(max(0, box.x0 - left), min(patch.shape[1], box.x1 - left)):
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
