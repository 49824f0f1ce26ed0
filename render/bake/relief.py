"""How deep the pictures are: what the rest plate shows, and what the head is turned over."""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.plan import CAMERA, PLATE_PX, PlateSpec

RELIEF = 96
"""Points a side of the depth grids."""

_FAR_M = 0.35
_NEAREST_M = -0.12  # about how near the face is, for the size of a pixel in metres
# A step in depth (ear to hair, jaw to neck) tears the picture when the head turns.
_RELIEF_BLUR_PX = 24
_STRANDS_PX, _CREASES_PX = 18, 8
_ACROSS, _DOWN = 1.6, 2.5
"""How steep the relief that the head is turned over may be, in metres of depth per metre.

Across, 1.6 draws what turns to the viewer a third wider at 12 degrees. Down, turning slants the
picture more than it stretches it, and under a chin a slant shows less.
"""

Depths = NDArray[np.float32]


def relief(depth: NDArray[np.floating], spec: PlateSpec) -> Depths:
    """Depth y over the square plate, (RELIEF, RELIEF), from a plate's depth picture.

    Where nothing was hit the nearest surface is carried on.
    """
    hit = depth < _FAR_M
    return _sampled(_soft(_carried_on(depth, hit), _RELIEF_BLUR_PX / spec.scale), spec)


def turn_relief(depth: NDArray[np.floating], spec: PlateSpec) -> Depths:
    """The same for turning the head: as near as what is seen, and nowhere too steep.

    One picture has few pixels of ears, of the sides of hair, and of what is behind the jaw. Over
    their true depth they would be drawn out when they turn to the viewer. So what is near keeps
    its place, and what is behind is brought forward until nothing is steeper than `_ACROSS` and
    `_DOWN`. Around the figure its outline is carried on, so that the ends of hair keep together.
    """
    hit = depth < _FAR_M
    sigma = _STRANDS_PX / spec.scale
    share = _soft(hit.astype(np.float32), sigma)
    seen = _soft(np.where(hit, depth, 0), sigma) / (share + 1e-6)
    gentle = _gentle(np.where(hit, seen, 1.0), spec)
    whole = _gentle(_carried_on(gentle, hit), spec)
    return _sampled(_soft(whole, _CREASES_PX / spec.scale), spec)


def _gentle(depth: NDArray[np.floating], spec: PlateSpec) -> Depths:
    """The deepest surface that is nowhere behind `depth` and nowhere too steep."""
    step = (CAMERA.distance + _NEAREST_M) / (CAMERA.focal * CAMERA.plate_px) * spec.scale
    out = depth.astype(np.float64)
    for axis, slope in ((1, _ACROSS), (0, _DOWN)):
        ramp = slope * step * np.arange(out.shape[axis])
        ramp = ramp[None] if axis else ramp[:, None]
        onwards = np.minimum.accumulate(out - ramp, axis) + ramp
        back = np.flip(np.minimum.accumulate(np.flip(out + ramp, axis), axis), axis) - ramp
        out = np.minimum(onwards, back)
    return out.astype(np.float32)


def _carried_on(depth: NDArray[np.floating], hit: NDArray[np.bool_]) -> Depths:
    """Depths, with the nearest surface carried on to where nothing was hit."""
    weight = hit.astype(np.float32)
    value = np.where(hit, depth, 0).astype(np.float32)
    out, done = value.copy(), hit.copy()
    for blur in (2, 6, 18, 54, 162):
        spread = _soft(weight, blur)
        new = ~done & (spread > 1e-3)
        out[new] = (_soft(value, blur) / (spread + 1e-6))[new]
        done |= new
    out[~done] = float(np.median(depth[hit])) if hit.any() else 0.0
    return out


def _sampled(field: Depths, spec: PlateSpec) -> Depths:
    """A picture's values over the square plate, (RELIEF, RELIEF)."""
    grid = (np.arange(RELIEF) / (RELIEF - 1) * PLATE_PX).astype(np.float32)
    x = np.repeat(((grid - spec.origin[0]) / spec.scale - 0.5)[None], RELIEF, 0)
    y = np.repeat(((grid - spec.origin[1]) / spec.scale - 0.5)[:, None], RELIEF, 1)
    at = x.astype(np.float32), y.astype(np.float32)
    read = cv2.remap(field, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


def _soft(picture: NDArray[np.floating], sigma: float) -> Depths:
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)
    return np.asarray(blurred, np.float32)
