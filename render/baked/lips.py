"""Where the lips are and how far they are apart: what shows of the mouth depends on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.baked.rig import Camera, Mesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_MIDDLE_HALF_M = 0.003
_ON_SURFACE_M = 0.002
_COLUMNS_M = (-0.016, -0.008, 0.0, 0.008, 0.016)
_COLUMN_HALF_M = 0.0035
_TALL_M, _DEEP_M = 0.012, 0.006  # of the lips, from where they meet


@dataclass(frozen=True, slots=True)
class Lips:
    """The lips of a mesh.

    Attributes:
        line: float32, shape (3,): where they meet in the middle at rest, in metres.
        upper: int32: vertices of the upper lip, column by column.
        upper_starts: int: where each column starts in `upper`.
        lower: The same for the lower lip.
        lower_starts: The same.
        at_rest_m: What the columns measure at rest, in metres, shape (columns,).
    """

    line: Floats
    upper: Ints
    upper_starts: NDArray[np.intp]
    lower: Ints
    lower_starts: NDArray[np.intp]
    at_rest_m: Floats

    def opening_m(self, heights: Floats) -> float:
        """How far the lips are apart where they are farthest, beyond rest, in metres; from 0.

        Args:
            heights: z of every vertex, or of anything proportional, in metres.
        """
        return max(0.0, float((self._apart(heights) - self.at_rest_m).max(initial=0.0)))

    def _apart(self, heights: Floats) -> Floats:
        low = np.minimum.reduceat(heights[self.upper], self.upper_starts)
        high = np.maximum.reduceat(heights[self.lower], self.lower_starts)
        return np.asarray(low - high, np.float32)


def find_lips(mesh: Mesh, camera: Camera) -> Lips:
    """Find the lips: down the middle of the face, where the jaw begins to carry the skin."""
    v = mesh.vertices
    drop = v[:, 2] - mesh.morphed({"jawOpen": 1.0})[:, 2]
    plate = camera.project(v)[:, :2]
    last = len(mesh.relief) - 1
    column, row = np.clip(plate / camera.plate_px * last, 0, last).round().astype(int).T
    seen = v[:, 1] - mesh.relief[row, column] < _ON_SURFACE_M
    middle = np.flatnonzero(seen & (np.abs(v[:, 0]) < _MIDDLE_HALF_M))
    middle = middle[np.argsort(-v[middle, 2])]
    split = int(np.diff(drop[middle]).argmax())
    line = v[middle[[split, split + 1]]].mean(0)
    half = float(drop[middle[[split, split + 1]]].mean())
    near = (np.abs(v[:, 2] - line[2]) < _TALL_M) & (v[:, 1] < line[1] + _DEEP_M)
    sides = []
    for moves in (drop <= half, drop > half):
        columns = [
            np.flatnonzero(near & moves & (np.abs(v[:, 0] - x) < _COLUMN_HALF_M))
            for x in _COLUMNS_M
        ]
        starts = np.cumsum([0, *(len(c) for c in columns[:-1])])
        sides.append((np.concatenate(columns).astype(np.int32), starts))
    (upper, upper_starts), (lower, lower_starts) = sides
    nothing = np.zeros(len(_COLUMNS_M), np.float32)
    lips = Lips(line.astype(np.float32), upper, upper_starts, lower, lower_starts, nothing)
    return Lips(
        line.astype(np.float32), upper, upper_starts, lower, lower_starts, lips._apart(v[:, 2])
    )
