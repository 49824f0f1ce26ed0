"""Gives hair that the top of the rest plate cuts off its crown: a nod shows what is above."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_FITTED = slice(2, 64)  # rows whose outline tells where the crown ends
_TALLEST = 96  # rows that may be missing
_ABOVE = 12  # rows added over the crown, for what is soft or blown
_DRAWN_OUT = 0.6  # rows below the cut for each row above it that shows them, upside down


def crowned(bgra: Image) -> Image:
    """A picture with the rows that its top cuts off hair; the same if it cuts off none.

    The outline runs on as a circle does. What fills it is the hair below the cut, upside down,
    drawn in to the outline.

    Args:
        bgra: uint8, shape (h, w, 4), straight alpha; colour runs on under transparent pixels.

    Returns:
        uint8, shape (more than h, w, 4): rows were added at the top.
    """
    if not (bgra[0, :, 3] > 128).any():
        return bgra
    rows = np.arange(_FITTED.start, _FITTED.stop)
    solid = bgra[_FITTED, :, 3] > 128
    left, right = solid.argmax(1), solid.shape[1] - 1 - solid[:, ::-1].argmax(1)
    # Of a circle, half the width squared plus the row squared is linear in the row.
    steep, flat = np.polyfit(rows, ((right - left) / 2.0) ** 2 + rows**2, 1)
    across, middle = np.polyfit(rows, (right + left) / 2.0, 1)
    top = (np.sqrt(steep**2 + 4 * flat) - steep) / 2
    missing = min(_TALLEST, round(top))
    up = np.arange(missing + _ABOVE, 0, -1)[:, None]
    half = np.sqrt(np.maximum(flat - steep * up - up**2, 1.0))
    source = _DRAWN_OUT * up
    spread = np.sqrt(flat + steep * source - source**2) / half
    columns = np.arange(bgra.shape[1])[None] - (middle - across * up)
    x = (middle + across * source + columns * spread).astype(np.float32)
    y = np.broadcast_to(source, x.shape).astype(np.float32)
    crown = cv2.remap(bgra, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crown[up[:, 0] > top, :, 3] = 0
    return np.concatenate([np.asarray(crown, np.uint8), bgra])
