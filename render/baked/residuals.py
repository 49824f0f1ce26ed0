"""What expressions add to the colour of the skin, at canvas scale."""

import cv2
import numpy as np

from render.baked.asset import Shading
from render.baked.kernels import Floats, Shade
from render.baked.pictures import YUV, Canvas, resized

_NOISE = 2.0  # levels that a residual changes around a pixel, and that no one sees
_SEAM_M = 0.006  # over which the left half of a residual gives way to the right half


def residual(shading: Shading, canvas: Canvas, depth: float) -> Shade:
    """A residual, cut to where it shows.

    Args:
        shading: As baked.
        canvas: What it is for.
        depth: y of the middle of the face, in metres.
    """
    x, y = (np.array(shading.origin) - canvas.origin) * canvas.scale
    full = np.array(shading.change.shape[1::-1])
    left, top = round(float(x)), round(float(y))
    size = np.maximum(2, np.rint(full * shading.scale * canvas.scale)).astype(int)
    bgr = resized(shading.change.astype(np.float32), size)
    change = np.rint(bgr[..., ::-1] / 255 @ YUV.T)
    columns, rows = canvas.size
    outside = np.ones(change.shape[:2], np.bool_)
    outside[max(0, -top) : rows - top, max(0, -left) : columns - left] = False
    change[outside] = 0
    strength = np.asarray(cv2.GaussianBlur(np.abs(change).max(2), (0, 0), 2), np.float32)
    change[strength <= _NOISE] = 0  # a path tracer's, not the expression's
    u, v, w, h = cv2.boundingRect((strength > _NOISE).astype(np.uint8))
    cut = np.zeros((h, w, 4), np.int8)
    cut[..., :3] = np.clip(change[v : v + h, u : u + w], -127, 127)
    share = _left_share(left + u, w, canvas, depth)
    return Shade(cut.reshape(h, w * 4), np.repeat(share, 4), left + u, top + v)


def _left_share(left: int, width: int, canvas: Canvas, depth: float) -> Floats:
    """How much of each column belongs to the left side of the face."""
    aside_m = (np.arange(width) + left + 0.5 - canvas.lens.left) / canvas.zoom(depth)
    return np.asarray(np.clip(0.5 + aside_m / _SEAM_M, 0, 1), np.float32)
