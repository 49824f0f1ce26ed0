"""Eyeballs made whole, so that they can turn."""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.plan import PlateSpec
from render.bake.source import Floats
from render.baked.rig import Camera


def whole_eyes(
    plate: NDArray[np.uint8], eyes: tuple[Floats, float], camera: Camera, spec: PlateSpec
) -> NDArray[np.uint8]:
    """Fill what the lids' shade hid when the eyes were baked.

    An eye looks the same all around its axis: hidden pixels take the mean colour of those seen at
    the same distance from the pupil.

    Args:
        plate: uint8 BGRA (h, w, 4).
        eyes: Centres (2, 3) and radius, metres.
        camera: What it was baked through.
        spec: Its place on the plate.
    """
    out = plate.copy()
    rows, columns = np.mgrid[0 : plate.shape[0], 0 : plate.shape[1]]
    luma = cv2.cvtColor(plate[..., :3], cv2.COLOR_BGR2GRAY)
    for eye in eyes[0]:
        x, y, depth = camera.project(eye[None] - np.array([[0, eyes[1], 0]]))[0]
        x, y = ((np.array([x, y]) - spec.origin) / spec.scale).tolist()
        reach = eyes[1] * camera.focal * camera.plate_px / (depth + camera.distance) / spec.scale
        distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
        ball = distance < 1.15 * reach
        # Lids and their shade are darker than any sclera; the pupil is seen whole.
        seen = ball & (np.abs(rows + 0.5 - y) < 0.30 * reach) & (plate[..., 3] > 250)
        seen &= (luma > 60) | (distance < 0.3 * reach)
        ring = np.minimum(distance, 1.15 * reach).astype(int)
        weight = np.bincount(ring[seen], minlength=ring.max() + 1) + 1e-6
        known = np.flatnonzero(weight > 1)
        if not len(known):
            continue
        sums = [np.bincount(ring[seen], plate[..., c][seen], len(weight)) for c in range(3)]
        at = np.arange(len(weight))
        profile = np.stack([np.interp(at, known, (s / weight)[known]) for s in sums], 1)
        keep = cv2.GaussianBlur(cv2.erode(seen.astype(np.float32), np.ones((5, 5))), (0, 0), 1.5)
        mixed = plate[..., :3] * keep[..., None] + profile[ring] * (1 - keep[..., None])
        out[ball, :3] = mixed[ball]
        out[ball, 3] = 255
    return out
