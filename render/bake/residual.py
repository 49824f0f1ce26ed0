"""What an expression adds to the shading of the skin, in rest position."""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.source import Floats, Ints


class RestRaster:
    """Which triangle of the resting mesh every texel shows: drawn once, read for each expression.

    Args:
        plate: float (v, 2): plate positions of the mesh at rest.
        depth: float (v,): metres along y.
        triangles: int (t, 3).
        box: Left, top, right, bottom on the plate.
        scale: Plate pixels per texel.
    """

    def __init__(
        self,
        plate: Floats,
        depth: Floats,
        triangles: Ints,
        box: tuple[int, int, int, int],
        scale: float,
    ) -> None:
        self.shape = (round((box[3] - box[1]) / scale), round((box[2] - box[0]) / scale))
        spots = (plate - np.array(box[:2])) / scale - 0.5
        self._which = np.full(self.shape, -1)
        self._shares = np.zeros((*self.shape, 3))
        self._triangles = triangles
        nearest = np.full(self.shape, np.inf)
        for t, corners in enumerate(spots[triangles]):
            self._draw(t, corners, depth[triangles[t]], nearest)

    def _draw(self, t: int, corners: Floats, depth: Floats, nearest: Floats) -> None:
        low = np.maximum(np.ceil(corners.min(0)).astype(int), 0)
        high = np.minimum(np.floor(corners.max(0)).astype(int) + 1, self.shape[::-1])
        if (high <= low).any():
            return
        (ax, ay), (bx, by), (cx, cy) = corners
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            return
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        v = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
        w = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
        shares = np.stack([1 - v - w, v, w], -1)
        z = shares @ depth
        window = slice(low[1], high[1]), slice(low[0], high[0])
        wins = (shares.min(-1) >= -1e-6) & (z < nearest[window])
        nearest[window][wins] = z[wins]
        self._which[window][wins] = t
        self._shares[window][wins] = shares[wins]

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Texels that show the mesh."""
        return np.asarray(self._which >= 0)

    def carried(self, values: Floats) -> Floats:
        """Values of the vertices, (v, d), at every texel, (h, w, d); 0 where no mesh is."""
        corners = values[self._triangles[np.maximum(self._which, 0)]]
        return np.asarray((corners * self._shares[..., None]).sum(2) * self.covered[..., None])


def residual(
    raster: RestRaster,
    expression: NDArray[np.uint8],
    rest: NDArray[np.uint8],
    spots: Floats,
    mask: Floats,
) -> NDArray[np.uint8]:
    """Shading of an expression in rest position: value - 128 is the change in 8-bit sRGB.

    Args:
        raster: The resting mesh over both pictures' box.
        expression: uint8 (h, w, 3+), rendered in the expression.
        rest: uint8 (h, w, 3+), rendered at rest.
        spots: float (v, 2): texel positions of the vertices in the expression.
        mask: float (h, w): 0 where nothing may change.
    """
    at = raster.carried(spots).astype(np.float32)
    moved = cv2.remap(
        expression[..., :3].astype(np.float32),
        *(at[..., 0], at[..., 1], cv2.INTER_LINEAR),
        borderMode=cv2.BORDER_REPLICATE,  # else what comes in over the edge is a black band
    )
    change = moved - rest[..., :3]
    inside = raster.covered.astype(np.float32)
    soft = cv2.GaussianBlur(change * inside[..., None], (0, 0), 1.2)
    soft = soft / (cv2.GaussianBlur(inside, (0, 0), 1.2)[..., None] + 1e-3)
    weight = cv2.GaussianBlur(cv2.erode(inside * mask, np.ones((3, 3))), (0, 0), 3)
    weight = np.asarray(weight * cv2.erode(inside, np.ones((3, 3))))
    value = 128 + np.clip(soft, -70, 70) * weight[..., None]
    return np.asarray(np.clip(np.rint(value), 0, 255), np.uint8)
