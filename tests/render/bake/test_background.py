import numpy as np
import pytest

from render.bake.background import background_picture


@pytest.mark.parametrize("style", ["office", "evening", "bright"])
def test_a_room_is_wide_soft_and_the_same_every_time(style: str) -> None:
    who = {"name": "Somebody", "background": {"style": style}}
    picture = background_picture(who)
    assert picture.shape == (270, 480, 3)
    assert picture.dtype == np.uint8
    across = np.abs(np.diff(picture.astype(int), axis=1)).max()
    assert across < 40, "nothing behind a person in focus is sharp"
    assert picture.std() > 15
    np.testing.assert_array_equal(picture, background_picture(who))


def test_the_evening_is_cool_and_dark_and_the_day_bright() -> None:
    rooms = {
        style: background_picture({"name": "x", "background": {"style": style}}).mean((0, 1))
        for style in ("office", "evening", "bright")
    }
    assert rooms["evening"].mean() < rooms["office"].mean() < rooms["bright"].mean()
    assert rooms["evening"][2] > rooms["evening"][0]
    assert rooms["office"][0] > rooms["office"][2]


def test_an_unknown_room_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'beach' is none of"):
        background_picture({"name": "x", "background": {"style": "beach"}})
