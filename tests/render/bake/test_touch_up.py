"""What is mended of a packed face, on a copy of Elena's whose pictures are made worse first."""

import shutil

import numpy as np
import pytest

from avatar.face.library import face_folder
from render.bake.touch_up import _move, _replace, touch_up
from render.baked.asset import BakedFace
from render.mouth import lip_line

pytestmark = pytest.mark.e2e  # pictures are filled and coded for some seconds


@pytest.fixture
def spoilt(tmp_path):
    """A face with black lip corners, a grey tongue and hair that is cut off."""
    folder = tmp_path / "elena"
    shutil.copytree(face_folder("elena"), folder)
    face = BakedFace.load(folder)
    rest, tongue = face.plates["rest"].bgra.copy(), face.plates["tongue"].bgra.copy()
    for x, y in corners(face):
        rest[y - 1 : y + 2, x - 8 : x + 8, :3] = 4
    tongue[..., :3] = 90
    cut = rest.shape[0] - face.camera.plate_px
    _replace(folder, "rest", rest[cut:], 101)
    _move(folder, "rest", face.plates["rest"].origin, -cut)
    _replace(folder, "tongue", tongue, 101)
    return folder


def corners(face):
    """Texels where the lips meet near their corners, on both sides."""
    (x, y), depth = lip_line(face.mesh, face.camera)
    zoom = face.camera.focal * face.camera.plate_px / (depth + face.camera.distance)
    left, top = face.plates["rest"].origin
    return [(round(x + side * 0.0185 * zoom - left), round(y - 10 - top)) for side in (-1, 1)]


def test_black_corners_a_grey_tongue_and_a_cut_crown_are_mended_once(spoilt):
    before = BakedFace.load(spoilt)
    touch_up(spoilt)
    after = BakedFace.load(spoilt)  # which checks every file against its card
    for x, y in corners(before):
        assert before.plates["rest"].bgra[y, x, :3].max() < 40
    for x, y in corners(after):
        assert after.plates["rest"].bgra[y, x, :3].max() > 60
    assert before.plates["rest"].origin[1] == 0
    assert before.plates["rest"].bgra[0, :, 3].max() == 255
    assert after.plates["rest"].origin[1] < -10
    assert after.plates["rest"].bgra[0, :, 3].max() == 0
    blue, green, red = after.plates["tongue"].bgra[..., :3].reshape(-1, 3).mean(0)
    assert red > 1.2 * max(green, blue)
    touch_up(spoilt)
    again = BakedFace.load(spoilt)
    assert again.plates["rest"].origin == after.plates["rest"].origin
    for name in ("rest", "open", "tongue"):
        one, two = (face.plates[name].bgra for face in (after, again))
        assert np.abs(one.astype(float) - two)[one[..., 3] > 250].mean() < 1, name
