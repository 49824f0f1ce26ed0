"""A patch of a picture, and where in another picture it is found again."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a view as it looks somewhere.

    Attributes:
        picture: uint8, shape (h, w).
        at: Pixel (x, y) of its top left corner in the view.
        unit_px: Pixels of the unit in which distances are told.
        moved: What it stands for is, there, so many units below where it is at rest.
    """

    picture: Luma
    at: tuple[int, int]
    unit_px: float
    moved: float = 0.0

    def find(
        self, view: Luma, reach_x: tuple[float, float], reach_y: tuple[float, float]
    ) -> tuple[tuple[float, float], float]:
        """Where the part is in a view, to under a pixel.

        Args:
            view: As large as the one that it belongs to.
            reach_x: How far to the left and right to look, in units.
            reach_y: The same, up and down from rest.

        Returns:
            How far it moved, x and y in units; and its normalised correlation there.
        """
        score, down = self.scores(view, reach_x, reach_y)
        y, x = (int(n) for n in np.unravel_index(int(score.argmax()), score.shape))
        left = max(self.at[0] + round(reach_x[0] * self.unit_px), 0)
        moved_x = (left - self.at[0] + x + vertex(score[y, :], x)) / self.unit_px
        moved_y = float(down[y]) + vertex(score[:, x], y) / self.unit_px
        return (moved_x, moved_y), float(score[y, x])

    def scores(
        self, view: Luma, reach_x: tuple[float, float], reach_y: tuple[float, float]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Normalised correlation in every place.

        Args:
            view: As for `find`.
            reach_x: The same.
            reach_y: The same.

        Returns:
            float32, shape (down, across); and how far down each row is, in units, shape (down,).
        """
        height, width = self.picture.shape
        reaches = (reach_x, [reach - self.moved for reach in reach_y])
        (left, right), (top, bottom) = (
            (at + round(reach[0] * self.unit_px), at + round(reach[1] * self.unit_px) + size)
            for at, reach, size in zip(self.at, reaches, (width, height), strict=True)
        )
        left, top = max(left, 0), max(top, 0)
        area = view[top:bottom, left:right]
        score = np.asarray(cv2.matchTemplate(area, self.picture, cv2.TM_CCOEFF_NORMED), np.float32)
        return score, (top - self.at[1] + np.arange(len(score))) / self.unit_px + self.moved


def vertex(scores: NDArray[np.floating], peak: int) -> float:
    """Where a parabola through the peak and its neighbours is highest, from the peak."""
    if not 0 < peak < len(scores) - 1:
        return 0.0
    before, here, after = (float(scores[peak + k]) for k in (-1, 0, 1))
    curvature = before - 2 * here + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0


def shrunk(view: Luma, scale: float) -> Luma:
    """A view in a smaller size, averaged."""
    size = (round(view.shape[1] * scale), round(view.shape[0] * scale))
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)
