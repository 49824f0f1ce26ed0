"""The last step of a frame: turn the head, lay it over the backdrop, write I420."""

import numpy as np

from render.baked.kernels import Bytes, Floats, Lens, Planes, Turn, Words, inlined, kernel
from render.baked.words import sample

TRANSPARENT, MIXED, OPAQUE = 0, 1, 2
"""Classes of the cover map that `compose` reads."""

CELL_PX = 16
"""Side of the cells in which `compose` bends the canvas; frame sizes are multiples of it."""

COVER_REACH_PX = 8
"""How far around a pixel its cover class must hold: a quarter of a cell, slanted, and more."""

_AIM_ROUNDS, _AIM_ERROR_PX = 8, 0.1
_f32 = np.float32
_ONE = 1 << 16  # of the fixed-point canvas positions
_BYTE = np.uint64(255)
_V, _U, _A = np.uint64(16), np.uint64(32), np.uint64(48)  # where a spread word has its channels

Ray = tuple[int, int, int, int]
"""Fixed-point canvas texel at a cell's left edge, and the step to the next pixel."""


@kernel
def aim(
    frame: Lens, canvas: Lens, relief: Floats, relief_lens: Lens, turn: Turn, out: Floats
) -> None:
    """Where on the canvas each corner of the frame's cells looks when the head turns.

    The relief tells how far away what the camera sees at rest is; that point is turned, and
    fixed-point iteration inverts the map. It starts from how far the corner to the left is moved.

    Args:
        frame: Camera to frame pixels.
        canvas: Camera to canvas pixels.
        relief: float32, shape (r, r): depth over the plate, nowhere steep.
        relief_lens: Camera to relief indices.
        turn: The head's pose.
        out: float32, shape (rows, columns, 2): receives canvas x and y.
    """
    near_enough = _f32(_AIM_ERROR_PX) / _f32(frame.zoom_x)
    for row in range(out.shape[0]):
        moved_x, moved_y = _f32(0), _f32(0)
        for column in range(out.shape[1]):
            want_x = (_f32(column * CELL_PX) - _f32(frame.left)) / _f32(frame.zoom_x)
            want_y = (_f32(frame.top) - _f32(row * CELL_PX)) / _f32(frame.zoom_y)
            sx, sy = want_x + moved_x, want_y + moved_y  # slopes, X / d and (Z - height) / d
            for _ in range(_AIM_ROUNDS):
                depth = _at(
                    relief,
                    _f32(relief_lens.left) + sx * _f32(relief_lens.zoom_x),
                    _f32(relief_lens.top) - sy * _f32(relief_lens.zoom_y),
                )
                x, y = _turned(frame, turn, sx, sy, depth)
                off_x, off_y = want_x - x, want_y - y
                sx, sy = sx + off_x, sy + off_y
                if abs(off_x) + abs(off_y) < near_enough:
                    break
            moved_x, moved_y = sx - want_x, sy - want_y
            out[row, column, 0] = _f32(canvas.left) + sx * _f32(canvas.zoom_x)
            out[row, column, 1] = _f32(canvas.top) - sy * _f32(canvas.zoom_y)


@inlined
def _turned(
    frame: Lens, turn: Turn, sx: np.float32, sy: np.float32, depth: np.float32
) -> tuple[np.float32, np.float32]:
    """The slopes at which a point is seen once the head has turned."""
    d = depth + _f32(frame.distance)
    x, z = sx * d, sy * d + _f32(frame.height)
    h = (z - _f32(turn.neck_low)) / _f32(turn.neck_high - turn.neck_low)
    h = min(_f32(1), max(_f32(0), h))
    h = h * h * (_f32(3) - _f32(2) * h)
    qx = _moved(turn, 0, h, x, depth, z)
    qy = _moved(turn, 1, h, x, depth, z)
    qz = _moved(turn, 2, h, x, depth, z)
    q = _f32(1) / (qy + _f32(frame.distance))
    return np.float32(qx * q), np.float32((qz - _f32(frame.height)) * q)


@inlined
def _moved(
    turn: Turn, row: int, h: np.float32, x: np.float32, y: np.float32, z: np.float32
) -> np.float32:
    """One coordinate of a point that goes `h` with the head and else with the body."""
    a, b = turn.head[row], turn.body[row]
    with_head = a[0] * x + a[1] * y + a[2] * z + a[3]
    with_body = b[0] * x + b[1] * y + b[2] * z + b[3]
    return np.float32(with_body + h * (with_head - with_body))


@inlined
def _at(grid: Floats, x: np.float32, y: np.float32) -> np.float32:
    """Bilinear sample of a grid, its border carried on."""
    x = min(_f32(grid.shape[1] - 1.001), max(_f32(0), x))
    y = min(_f32(grid.shape[0] - 1.001), max(_f32(0), y))
    ix, iy = np.int32(x), np.int32(y)
    fx, fy = x - ix, y - iy
    upper = grid[iy, ix] + fx * (grid[iy, ix + 1] - grid[iy, ix])
    lower = grid[iy + 1, ix] + fx * (grid[iy + 1, ix + 1] - grid[iy + 1, ix])
    return np.float32(upper + fy * (lower - upper))


@kernel
def compose(picture: Words, cover: Bytes, grid: Floats, backdrop: Planes, out: Planes) -> None:
    """Bend the canvas as `grid` says, lay it over the backdrop, and write I420.

    Args:
        picture: uint32, shape (ch, cw): words.
        cover: uint8, shape (ch, cw): OPAQUE where the canvas hides the backdrop within
            `COVER_REACH_PX` around, TRANSPARENT where it shows nothing there, else MIXED.
        grid: float32, shape (h / 16 + 1, w / 16 + 1, 2): canvas positions of cell corners.
        backdrop: Planes of the frame's size.
        out: The same.
    """
    rows, columns = grid.shape[0] - 1, grid.shape[1] - 1
    words, stride = picture.ravel(), picture.shape[1]
    # Of the positions that may be sampled:
    limits = (((picture.shape[1] - 1) << 16) - 1, ((picture.shape[0] - 1) << 16) - 1)
    for row in range(rows):
        for column in range(columns):
            kind = _class(cover, grid, row, column)
            y, x, half = row * CELL_PX, column * CELL_PX, CELL_PX // 2
            if kind == TRANSPARENT:
                _copy(backdrop.y, out.y, x, y, CELL_PX)
                _copy(backdrop.u, out.u, x // 2, y // 2, half)
                _copy(backdrop.v, out.v, x // 2, y // 2, half)
                continue
            for inner in range(CELL_PX):
                down = (_f32(inner) + _f32(0.5)) / _f32(CELL_PX)
                ray = _span(grid, row, column, down)
                line = y + inner
                if kind == OPAQUE:
                    _luma(words, stride, ray, out.y[line, x : x + CELL_PX])
                else:
                    _mixed_luma(
                        words, stride, ray, limits,
                        backdrop.y[line, x : x + CELL_PX], out.y[line, x : x + CELL_PX],
                    )  # fmt: skip
            x, y = x // 2, y // 2
            for inner in range(half):
                down = _f32(2 * inner + 1) / _f32(CELL_PX)
                ray = _span(grid, row, column, down)
                line = y + inner
                if kind == OPAQUE:
                    _chroma(
                        words, stride, ray, out.u[line, x : x + half], out.v[line, x : x + half]
                    )
                else:
                    _mixed_chroma(
                        words, stride, ray, limits,
                        backdrop.u[line, x : x + half], backdrop.v[line, x : x + half],
                        out.u[line, x : x + half], out.v[line, x : x + half],
                    )  # fmt: skip


@inlined
def _copy(source: Bytes, out: Bytes, left: int, top: int, side: int) -> None:
    for y in range(top, top + side):
        for x in range(left, left + side):
            out[y, x] = source[y, x]


@inlined
def _span(grid: Floats, row: int, column: int, down: np.float32) -> Ray:
    """The ray along a cell, `down` cells below its top."""
    keep = _f32(1) - down
    left_x = grid[row, column, 0] * keep + grid[row + 1, column, 0] * down - _f32(0.5)
    left_y = grid[row, column, 1] * keep + grid[row + 1, column, 1] * down - _f32(0.5)
    right_x = grid[row, column + 1, 0] * keep + grid[row + 1, column + 1, 0] * down - _f32(0.5)
    right_y = grid[row, column + 1, 1] * keep + grid[row + 1, column + 1, 1] * down - _f32(0.5)
    unit = _f32(_ONE / CELL_PX)
    return (
        int(left_x * _f32(_ONE)),
        int(left_y * _f32(_ONE)),
        int((right_x - left_x) * unit),
        int((right_y - left_y) * unit),
    )


@inlined
def _class(cover: Bytes, grid: Floats, row: int, column: int) -> int:
    """The cover class of a whole cell, from nine points half a cell apart."""
    height, width = cover.shape
    kind = -1
    for k in range(3):
        down = _f32(k) * _f32(0.5)
        u, v, du, dv = _span(grid, row, column, down)
        for step in (0, CELL_PX // 2, CELL_PX):
            x, y = (u + step * du) >> 16, (v + step * dv) >> 16
            inside = x >= 1 and y >= 1 and x < width - 2 and y < height - 2
            here = cover[min(max(y, 0), height - 1), min(max(x, 0), width - 1)]
            if here == OPAQUE and not inside:
                here = MIXED
            if kind == -1:
                kind = here
            elif kind != here:
                kind = MIXED
    return kind


@inlined
def _clamped(limits: tuple[int, int], u: int, v: int) -> tuple[int, int]:
    return min(max(u, 0), limits[0]), min(max(v, 0), limits[1])


@inlined
def _luma(words: Words, stride: int, ray: Ray, out: Bytes) -> None:
    """One row of a cell."""
    u, v, du, dv = ray
    u, v = u + du // 2, v + dv // 2
    drift_u, drift_v = (CELL_PX - 1) * (du - _ONE), (CELL_PX - 1) * dv
    if max(abs(drift_u), abs(drift_v)) < _ONE:
        _level_luma(words, stride, u, v, drift_u, drift_v, out)
        return
    for x in range(CELL_PX):
        out[np.uintp(x)] = sample(words, stride, u >> 8, v >> 8) & _BYTE
        u, v = u + du, v + dv


@inlined
def _level_luma(
    words: Words, stride: int, u: int, v: int, drift_u: int, drift_v: int, out: Bytes
) -> None:
    """The same along a ray that leaves a row of texels by less than one: as fast as vectors go.

    All texels that any pixel may need are three by three, one further right for each pixel; those
    that it does not need get no weight. There are no addresses to work out for each.
    """
    x, y = min(u, u + drift_u) >> 16, min(v, v + drift_v) >> 16
    at, unit = np.uintp(y * stride + x), _f32(1 / _ONE)
    across, down = _f32(u - (x << 16)) * unit, _f32(v - (y << 16)) * unit
    step_u = _f32(drift_u) * unit / _f32(CELL_PX - 1)
    step_v = _f32(drift_v) * unit / _f32(CELL_PX - 1)
    row, two = np.uintp(stride), np.uintp(2 * stride)
    top, middle, low = words[at:], words[at + row :], words[at + two :]
    for i in range(CELL_PX):
        fx, fy = across + _f32(i) * step_u, down + _f32(i) * step_v
        a, b, c = _hat(fx), _hat(fx - _f32(1)), _hat(fx - _f32(2))
        first = a * _lit(top[i]) + b * _lit(top[i + 1]) + c * _lit(top[i + 2])
        second = a * _lit(middle[i]) + b * _lit(middle[i + 1]) + c * _lit(middle[i + 2])
        third = a * _lit(low[i]) + b * _lit(low[i + 1]) + c * _lit(low[i + 2])
        value = _hat(fy) * first + _hat(fy - _f32(1)) * second + _hat(fy - _f32(2)) * third
        out[i] = np.uint8(np.int32(value + _f32(0.5)))


@inlined
def _hat(away: np.float32) -> np.float32:
    """The weight that linear interpolation gives a texel so far away."""
    return np.float32(max(_f32(0), _f32(1) - abs(away)))


@inlined
def _lit(word: np.uint32) -> np.float32:
    """The luma of a word."""
    return np.float32(word & np.uint32(255))


@inlined
def _mixed_luma(
    words: Words, stride: int, ray: Ray, limits: tuple[int, int], under: Bytes, out: Bytes
) -> None:
    """One row of a cell that shows some of the backdrop."""
    u, v, du, dv = ray
    u, v = u + du // 2, v + dv // 2
    for x in range(CELL_PX):
        i = np.uintp(x)
        cu, cv = _clamped(limits, u, v)
        wide = sample(words, stride, cu >> 8, cv >> 8)
        out[i] = _over(wide & _BYTE, under[i], wide >> _A)
        u, v = u + du, v + dv


@inlined
def _chroma(words: Words, stride: int, ray: Ray, out_u: Bytes, out_v: Bytes) -> None:
    """One row of a cell's chroma: every second pixel of every second row, between four."""
    u, v, du, dv = ray
    u, v = u + du, v + dv
    for x in range(CELL_PX // 2):
        i = np.uintp(x)
        wide = sample(words, stride, u >> 8, v >> 8)
        out_u[i] = (wide >> _U) & _BYTE
        out_v[i] = (wide >> _V) & _BYTE
        u, v = u + 2 * du, v + 2 * dv


@inlined
def _mixed_chroma(
    words: Words,
    stride: int,
    ray: Ray,
    limits: tuple[int, int],
    under_u: Bytes,
    under_v: Bytes,
    out_u: Bytes,
    out_v: Bytes,
) -> None:
    """The same where some of the backdrop shows."""
    u, v, du, dv = ray
    u, v = u + du, v + dv
    for x in range(CELL_PX // 2):
        i = np.uintp(x)
        cu, cv = _clamped(limits, u, v)
        wide = sample(words, stride, cu >> 8, cv >> 8)
        alpha = wide >> _A
        out_u[i] = _over((wide >> _U) & _BYTE, under_u[i], alpha)
        out_v[i] = _over((wide >> _V) & _BYTE, under_v[i], alpha)
        u, v = u + 2 * du, v + 2 * dv


@inlined
def _over(top: np.uint64, under: np.uint8, alpha: np.uint64) -> np.uint64:
    """Two levels, `alpha` of 255 of the first, rounded as division by 255 would."""
    total = top * alpha + np.uint64(under) * (_BYTE - alpha) + np.uint64(128)
    return (total + (total >> np.uint64(8))) >> np.uint64(8)
