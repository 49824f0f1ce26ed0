"""The colour of the skin under expressions, on a residual made for the purpose."""

import numpy as np
import pytest

from render.baked.kernels import Residual
from render.baked.residuals import Tint

SIDE = 8


def residual(change: int, columns: slice) -> Residual:
    """A change of Y on one row."""
    first, last, _ = columns.indices(SIDE)
    values = np.zeros((last - first, 4), np.int8)
    values[:, 0] = change
    spans = np.array([[3, first * 4, (last - first) * 4, 0]], np.int32)
    return Residual(spans, values.ravel(), on_eyes=True, on_mouth=False)


@pytest.fixture
def rest() -> np.ndarray:
    picture = np.full((SIDE, SIDE, 4), 100, np.uint8)
    picture[..., 3] = 255
    return picture


@pytest.fixture
def picture(rest) -> np.ndarray:
    return rest.copy()


@pytest.fixture
def tint(rest) -> Tint:
    share = np.repeat(np.where(np.arange(SIDE) < 4, 0, 8), 4).astype(np.int32)
    return Tint(rest, [residual(40, slice(0, 8)), residual(-20, slice(2, 6))], share)


def weights(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, np.float32)


def test_each_side_takes_its_own_weight(tint, picture):
    tint.show(weights((1.0, 0.5), (0, 0)), picture)
    assert tint.skin[3, :, 0].tolist() == [120] * 4 + [140] * 4
    assert np.array_equal(picture, tint.skin)
    assert (tint.skin[3, :, 3] == 255).all()


def test_residuals_add_up(tint, picture):
    tint.show(weights((1, 1), (1, 1)), picture)
    assert tint.skin[3, :, 0].tolist() == [140] * 2 + [120] * 4 + [140] * 2


def test_nothing_is_left_when_an_expression_goes(tint, picture, rest):
    for weight in (0.3, 1.1, 0.7, 5.0, 0.05, 0.0):
        tint.show(weights((weight, 0.4 * weight), (0.9 * weight, weight)), picture)
    assert np.array_equal(tint.skin, rest)
    assert np.array_equal(picture, rest)


def test_colours_stay_within_the_limited_range(rest):
    strong = residual(127, slice(0, 8))
    tint = Tint(rest, [strong, strong], np.zeros(SIDE * 4, np.int32))
    tint.show(weights((1, 1), (1, 1)), rest.copy())
    assert tint.skin[3, 0, 0] == 235


def test_the_levels_are_of_what_shows_on_the_band(tint, picture):
    tint.show(weights((0.5, 0.5), (0, 0.25)), picture)
    assert tint.of(eyes=True).tolist() == [[8, 8], [0, 4]]
    assert tint.of(eyes=False).size == 0
