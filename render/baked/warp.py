"""The last step of a frame: turn the head, lay it over the backdrop, write I420."""

import numpy as np

from render.baked.kernels import Bytes, Floats, Lens, Planes, Turn, inlined, kernel

TRANSPARENT, MIXED, OPAQUE = 0, 1, 2
"""Classes of the cover map that `compose` reads."""

CELL_PX = 16
"""Side of the cells in which `compose` bends the canvas; frame sizes are multiples of it."""

COVER_REACH_PX = 12
"""How far around a pixel its cover class must hold: half the canvas span of a cell, and more."""

_f32 = np.float32
_ONE = 1 << 16  # of the fixed-point canvas positions
_NEXT = np.uintp(1)  # unsigned, so that numba leaves out the test for negative indices


@kernel
def aim(
    frame: Lens, canvas: Lens, relief: Floats, relief_lens: Lens, turn: Turn, out: Floats
) -> None:
    """Where on the canvas each corner of the frame's cells looks when the head turns.

    The relief tells how far away what the camera sees at rest is; that point is turned, and
    fixed-point iteration inverts the map (three rounds leave under 0.3 px at 8 degrees).

    Args:
        frame: Camera to frame pixels.
        canvas: Camera to canvas pixels.
        relief: float32, shape (r, r): depth over the plate.
        relief_lens: Camera to relief indices.
        turn: The head's pose.
        out: float32, shape (rows, columns, 2): receives canvas x and y.
    """
    r = turn.rotation
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            want_x = (_f32(column * CELL_PX) - _f32(frame.left)) / _f32(frame.zoom_x)
            want_y = (_f32(frame.top) - _f32(row * CELL_PX)) / _f32(frame.zoom_y)
            sx, sy = want_x, want_y  # slopes of the ray, X / d and (Z - height) / d
            for _ in range(3):
                depth = _at(
                    relief,
                    _f32(relief_lens.left) + sx * _f32(relief_lens.zoom_x),
                    _f32(relief_lens.top) - sy * _f32(relief_lens.zoom_y),
                )
                d = depth + _f32(frame.distance)
                x, z = sx * d, sy * d + _f32(frame.height)
                px, py, pz = x - turn.pivot[0], depth - turn.pivot[1], z - turn.pivot[2]
                h = (z - _f32(turn.neck_low)) / _f32(turn.neck_high - turn.neck_low)
                h = min(_f32(1), max(_f32(0), h))
                h = h * h * (_f32(3) - _f32(2) * h)
                qx = x + h * (r[0, 0] * px + r[0, 1] * py + r[0, 2] * pz - px)
                qy = depth + h * (r[1, 0] * px + r[1, 1] * py + r[1, 2] * pz - py)
                qz = z + h * (r[2, 0] * px + r[2, 1] * py + r[2, 2] * pz - pz)
                qz += _f32(turn.lift) * (_f32(1) - _f32(0.6) * h)
                q = _f32(1) / (qy + _f32(frame.distance))
                sx += want_x - qx * q
                sy += want_y - (qz - _f32(frame.height)) * q
            out[row, column, 0] = _f32(canvas.left) + sx * _f32(canvas.zoom_x)
            out[row, column, 1] = _f32(canvas.top) - sy * _f32(canvas.zoom_y)


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
def compose(picture: Bytes, cover: Bytes, grid: Floats, backdrop: Planes, out: Planes) -> None:
    """Bend the canvas as `grid` says, lay it over the backdrop, and write I420.

    Args:
        picture: uint8, shape (ch, cw, 4).
        cover: uint8, shape (ch, cw): OPAQUE where the canvas hides the backdrop within half a
            cell around, TRANSPARENT where it shows nothing there, else MIXED.
        grid: float32, shape (h / 16 + 1, w / 16 + 1, 2): canvas positions of cell corners.
        backdrop: Planes of the frame's size.
        out: The same.
    """
    rows, columns = grid.shape[0] - 1, grid.shape[1] - 1
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
                u, v, du, dv = _span(grid, row, column, down)
                _luma(picture, kind, u, v, du, dv, backdrop.y[y + inner], out.y[y + inner], x)
            for inner in range(half):
                down = _f32(2 * inner + 1) / _f32(CELL_PX)
                u, v, du, dv = _span(grid, row, column, down)
                line = y // 2 + inner
                _chroma(
                    picture, kind, u, v, du, dv,
                    backdrop.u[line], backdrop.v[line], out.u[line], out.v[line], x // 2,
                )  # fmt: skip


@inlined
def _copy(source: Bytes, out: Bytes, left: int, top: int, side: int) -> None:
    for y in range(top, top + side):
        for x in range(left, left + side):
            out[y, x] = source[y, x]


@inlined
def _span(grid: Floats, row: int, column: int, down: np.float32) -> tuple[int, int, int, int]:
    """Fixed-point canvas texel at a cell's left edge, `down` cells below its top, and the step."""
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
def _texel(picture: Bytes, u: int, v: int, channel: int) -> int:
    """Bilinear sample at a fixed-point position inside the picture, 8 bits."""
    left, top = np.uintp(u >> 16), np.uintp(v >> 16)
    right, bottom = left + _NEXT, top + _NEXT
    fx, fy = np.int32((u >> 8) & 255), np.int32((v >> 8) & 255)
    gx, gy = np.int32(256) - fx, np.int32(256) - fy
    upper = picture[top, left, channel] * gx + picture[top, right, channel] * fx
    lower = picture[bottom, left, channel] * gx + picture[bottom, right, channel] * fx
    return int((upper * gy + lower * fy + 32768) >> 16)


@inlined
def _clamped(picture: Bytes, u: int, v: int) -> tuple[int, int]:
    """The nearest position at which `_texel` may read."""
    right, bottom = ((picture.shape[1] - 1) << 16) - 1, ((picture.shape[0] - 1) << 16) - 1
    return min(max(u, 0), right), min(max(v, 0), bottom)


@inlined
def _luma(
    picture: Bytes,
    kind: int,
    u: int,
    v: int,
    du: int,
    dv: int,
    backdrop: Bytes,
    out: Bytes,
    first: int,
) -> None:
    """One row of a cell."""
    u, v = u + du // 2, v + dv // 2
    if kind == OPAQUE:
        for x in range(first, first + CELL_PX):
            out[x] = _texel(picture, u, v, 0)
            u, v = u + du, v + dv
        return
    for x in range(first, first + CELL_PX):
        cu, cv = _clamped(picture, u, v)
        alpha = _texel(picture, cu, cv, 3)
        out[x] = (_texel(picture, cu, cv, 0) * alpha + backdrop[x] * (255 - alpha) + 127) // 255
        u, v = u + du, v + dv


@inlined
def _chroma(
    picture: Bytes,
    kind: int,
    u: int,
    v: int,
    du: int,
    dv: int,
    backdrop_u: Bytes,
    backdrop_v: Bytes,
    out_u: Bytes,
    out_v: Bytes,
    first: int,
) -> None:
    """One row of a cell's chroma: every second pixel of every second row, between four."""
    u, v = u + du, v + dv
    for x in range(first, first + CELL_PX // 2):
        if kind == OPAQUE:
            out_u[x], out_v[x] = _texel(picture, u, v, 1), _texel(picture, u, v, 2)
        else:
            cu, cv = _clamped(picture, u, v)
            alpha = _texel(picture, cu, cv, 3)
            cb, cr = _texel(picture, cu, cv, 1), _texel(picture, cu, cv, 2)
            out_u[x] = (cb * alpha + backdrop_u[x] * (255 - alpha) + 127) // 255
            out_v[x] = (cr * alpha + backdrop_v[x] * (255 - alpha) + 127) // 255
        u, v = u + 2 * du, v + 2 * dv
