"""Hair that the top of a picture cuts off."""

import numpy as np
import pytest

from render.bake.crown import crowned

RADIUS, MIDDLE = 120, 160


def head(cut: int) -> np.ndarray:
    """A disc, its first `cut` rows missing."""
    y, x = np.mgrid[:300, :320]
    inside = np.hypot(x - MIDDLE, y - RADIUS) < RADIUS
    picture = np.zeros((300, 320, 4), np.uint8)
    picture[..., 3] = 255 * inside
    picture[..., :3] = (40 + y // 4)[..., None]
    return picture[cut:]


@pytest.mark.parametrize("cut", [4, 12, 30])
def test_a_disc_gets_its_crown_back(cut):
    mended = crowned(head(cut))
    added = len(mended) - 300 + cut
    assert cut <= added < cut + 25
    assert np.array_equal(mended[added:], head(cut))
    solid, wanted = mended[added - cut : added, :, 3] > 128, head(0)[:cut, :, 3] > 128
    assert (solid != wanted).sum() < 0.12 * wanted.sum() + 12
    assert not (mended[: added - cut - 3, :, 3] > 0).any()
    assert abs(int(mended[added - 1, MIDDLE, 0]) - int(mended[added, MIDDLE, 0])) < 3


def test_hair_that_is_whole_is_left_alone():
    whole = np.pad(head(0), ((5, 0), (0, 0), (0, 0)))
    assert crowned(whole) is whole
