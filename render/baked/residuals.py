"""What expressions add to the colour of the skin, at canvas scale.

Sums of residuals are kept in integers, so that adding one and taking it away again leaves nothing.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from render.baked.asset import Shading
from render.baked.kernels import Bytes, Floats, Ints, Residual, as_words
from render.baked.pictures import YUV, Canvas, resized
from render.baked.retouch import SHARES, STEPS, add_residual, lay_residual

_NOISE = 2.0  # levels that a residual changes around a pixel, and that no one sees
_SEAM_M = 0.006  # over which the left half of a residual gives way to the right half
_STRAY = 0.02  # share of a residual that is no more than noise when it is all that a band has of it
_STRONGEST = 1.2
_GAP = 9  # pixels between two spans that are worth joining


def residuals(shadings: Sequence[Shading], canvas: Canvas, split_row: int) -> list[Residual]:
    """Residuals at canvas scale.

    What most of them change alike is no expression's: the tracer's noise, and what the plates
    themselves differ by.

    Args:
        shadings: As baked.
        canvas: What they are for.
        split_row: Where the eyes' rows end and the mouth's begin.
    """
    layers = np.stack([_on_canvas(shading, canvas) for shading in shadings])
    layers -= np.median(layers, 0)
    return [_residual(layer, split_row) for layer in layers]


def left_share(canvas: Canvas, depth: float) -> Ints:
    """How much of each byte of a row belongs to the left side of the face, 0 to `SHARES`.

    Args:
        canvas: Whose rows.
        depth: y of the middle of the face, in metres.
    """
    aside_m = (np.arange(canvas.size[0]) + 0.5 - canvas.lens.left) / canvas.zoom(depth)
    share = np.rint(np.clip(0.5 + aside_m / _SEAM_M, 0, 1) * SHARES)
    return np.repeat(share, 4).astype(np.int32)


def _on_canvas(shading: Shading, canvas: Canvas) -> Floats:
    """A residual in Y, U, V, float32, shape (h, w, 3)."""
    left, top = np.rint((np.array(shading.origin) - canvas.origin) * canvas.scale).astype(int)
    full = np.array(shading.change.shape[1::-1])
    size = np.maximum(2, np.rint(full * shading.scale * canvas.scale)).astype(int)
    bgr = resized(shading.change.astype(np.float32), size)
    change = np.rint(bgr[..., ::-1] / 255 @ YUV.T)
    columns, rows = canvas.size
    out = np.zeros((rows, columns, 3), np.float32)
    x0, y0 = max(0, left), max(0, top)
    part = change[y0 - top : rows - top, x0 - left : columns - left]
    out[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
    return out


def _residual(change: Floats, split_row: int) -> Residual:
    """What is left of a residual without noise, as spans of rows."""
    strength = np.asarray(cv2.GaussianBlur(np.abs(change).max(2), (0, 0), 2), np.float32)
    change = np.where(strength[..., None] > _NOISE, change, 0)
    total = float(np.abs(change).sum())
    for band in (change[:split_row], change[split_row:]):
        if float(np.abs(band).sum()) < _STRAY * total:
            band[:] = 0
    shown = cv2.morphologyEx(
        (change != 0).any(2).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, _GAP), np.uint8)
    )
    edges = np.diff(np.pad(shown, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, firsts = np.nonzero(edges > 0)
    lengths = np.nonzero(edges < 0)[1] - firsts
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])[: len(rows)]
    spans = np.stack([rows, firsts * 4, lengths * 4, begins * 4], 1).astype(np.int32)
    bytes_ = np.zeros((*shown.shape, 4), np.int8)
    bytes_[..., :3] = np.clip(change, -127, 127)
    return Residual(
        spans,
        np.ascontiguousarray(bytes_[shown > 0]).ravel(),
        bool(shown[:split_row].any()),
        bool(shown[split_row:].any()),
    )


class Tint:
    """The skin of one canvas, in rest position, as an expression colours it.

    Attributes:
        skin: uint8, shape (h, w, 4).
        words: Its pixels.
        levels: int32, shape (7, 2): weights of the residuals' left and right sides, in `STEPS`.
    """

    def __init__(self, rest: Bytes, chosen: Sequence[Residual], share: Ints) -> None:
        self._rest = rest.reshape(len(rest), -1)
        self._residuals, self._share = chosen, share
        self._on_eyes = [r.on_eyes for r in chosen]
        self._on_mouth = [r.on_mouth for r in chosen]
        self._sum = np.zeros(self._rest.shape, np.int32)
        self.skin = rest.copy()
        self.words = as_words(self.skin)
        self.levels = np.zeros((len(chosen), 2), np.int32)

    def show(self, weights: Floats, picture: Bytes) -> None:
        """Colour the skin, and a picture wherever that changes.

        Args:
            weights: float32, shape (7, 2): of the residuals' left and right sides.
            picture: uint8, shape (h, w, 4).
        """
        wanted = np.rint(np.clip(weights, 0, _STRONGEST) * STEPS).astype(np.int32)
        changed = np.flatnonzero((wanted != self.levels).any(1))
        for k in changed.tolist():
            left, right = (wanted[k] - self.levels[k]).tolist()
            add_residual(self._residuals[k], left, right, self._share, self._sum)
        self.levels = wanted
        flat = [image.reshape(len(image), -1) for image in (self.skin, picture)]
        for k in changed.tolist():
            lay_residual(self._residuals[k], self._rest, self._sum, *flat)

    def of(self, *, eyes: bool) -> Ints:
        """The levels of what colours the eyes' rows, or the mouth's."""
        return self.levels[self._on_eyes if eyes else self._on_mouth]
