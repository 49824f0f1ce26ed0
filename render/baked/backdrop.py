"""What is behind the face: its background plate, made to cover a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

_GRAIN = 1.2  # standard deviation in levels; hides banding in the gradients


def backdrop(bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Cover a frame with a picture, its sides or its top and bottom cut off to fit.

    Args:
        bgr: uint8, shape (h, w, 3).
        width: Of the frame, in pixels.
        height: The same.

    Returns:
        uint8, shape (height, width, 3); the same for the same arguments.
    """
    rows, columns = bgr.shape[:2]
    fit = min(columns / width, rows / height)
    w, h = max(1, round(width * fit)), max(1, round(height * fit))
    left, top = (columns - w) // 2, (rows - h) // 2
    part = bgr[top : top + h, left : left + w].astype(np.float32)
    kind = cv2.INTER_AREA if fit > 1 else cv2.INTER_CUBIC
    room = np.asarray(cv2.resize(part, (width, height), interpolation=kind), np.float32)
    room += np.random.default_rng(3).normal(0, _GRAIN, (height, width, 1))
    return np.clip(np.rint(room), 0, 255).astype(np.uint8)
