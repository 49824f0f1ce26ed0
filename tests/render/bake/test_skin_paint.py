"""Painted skin, its lines, and modelled teeth: what must hold on any face."""

import numpy as np
import pytest

from render.bake.face_map import FaceMap, face_map, fractal
from render.bake.skin_paint import SkinPaint, SkinTraits, paint
from render.bake.teeth import Arch, gum, teeth
from render.bake.wrinkles import carve

pytestmark = pytest.mark.e2e  # whole skins are painted for some seconds

_EYES = np.array([[0.0285, -0.11, 0.669], [-0.0285, -0.11, 0.669]])
_PLACES = {
    132: (0.0, 0.672),
    227: (0.0, 0.689),
    3750: (0.0, 0.715),
    5243: (0.0, 0.738),
    5054: (0.0, 0.640),
    5072: (0.0, 0.622),
    455: (0.0, 0.616),
    493: (0.0, 0.608),
    492: (0.0, 0.598),
    733: (0.0, 0.587),
    991: (0.0, 0.569),
    797: (0.0, 0.545),
    7272: (0.023, 0.610),
    7794: (0.018, 0.668),
    7807: (0.042, 0.668),
}


@pytest.fixture(scope="module")
def face() -> FaceMap:
    rest = np.zeros((8000, 3))
    for vertex, (x, z) in _PLACES.items():
        rest[vertex] = x, -0.14, z
    return face_map(rest, _EYES, texels_per_m=1500)


@pytest.fixture(scope="module")
def plain(face: FaceMap) -> SkinPaint:
    return paint(face, SkinTraits(lines=0.1), {})


def _change(face: FaceMap, name: str) -> np.ndarray:
    """How much an expression moves the skin in or out, metres, (H, W)."""
    still, _ = carve(face, 0.3, {}, np.random.default_rng(5))
    moved, _ = carve(face, 0.3, {name: 1.0}, np.random.default_rng(5))
    return np.asarray(np.abs(moved - still))


def _row(face: FaceMap, z: float) -> int:
    return int((face.origin[1] - z) * face.texels_per_m)


def test_raised_brows_crease_the_forehead_and_nothing_below_the_eyes(face: FaceMap) -> None:
    change = _change(face, "brows_up")
    assert change[: _row(face, 0.69)].max() > 1e-4
    assert change[_row(face, 0.66) :].max() == 0


def test_a_smile_creases_cheeks_and_eye_corners_but_not_the_forehead(face: FaceMap) -> None:
    change = _change(face, "smile")
    assert change[_row(face, 0.63) : _row(face, 0.60)].max() > 1e-4
    assert change[: _row(face, 0.70)].max() == 0


@pytest.mark.parametrize("name", ["brows_up", "brows_down", "squint", "smile", "pucker", "frown"])
def test_every_expression_leaves_a_mark_on_both_halves(face: FaceMap, name: str) -> None:
    change = _change(face, name)
    middle = change.shape[1] // 2
    assert change[:, :middle].max() > 3e-5
    assert change[:, middle:].max() > 3e-5


def test_age_deepens_lines(face: FaceMap, plain: SkinPaint) -> None:
    old = paint(face, SkinTraits(lines=0.9), {})
    assert old.height.std() > 1.5 * plain.height.std()


def test_the_same_character_is_painted_the_same_way_twice(face: FaceMap, plain: SkinPaint) -> None:
    again = paint(face, SkinTraits(lines=0.1), {})
    assert np.array_equal(plain.tint, again.tint)
    assert np.array_equal(plain.height, again.height)


def test_an_expression_changes_colour_only_where_it_creases(face: FaceMap) -> None:
    traits = SkinTraits(lines=0.3)
    change = np.abs(paint(face, traits, {"brows_up": 1.0}).tint - paint(face, traits, {}).tint)
    assert change[: _row(face, 0.69)].max() > 0.01
    assert change[_row(face, 0.66) :].max() == 0


def test_tint_keeps_skin_near_its_tone(plain: SkinPaint) -> None:
    assert plain.tint.min() > 0.2
    assert plain.tint.max() < 1.5
    assert abs(float(plain.tint.mean()) - 1) < 0.12


def test_stubble_darkens_the_jaw_and_spares_the_forehead(face: FaceMap) -> None:
    bare = paint(face, SkinTraits(), {}).tint
    shaved = paint(face, SkinTraits(stubble=1.0), {}).tint
    ratio = (shaved / bare).mean((1, 2))
    assert ratio[_row(face, 0.59)] < 0.85
    assert ratio[_row(face, 0.72)] > 0.99


def test_noise_has_the_deviation_that_it_promises() -> None:
    noise = fractal((200, 300), 20, 3, np.random.default_rng(1))
    assert abs(float(noise.std()) - 1) < 1e-3


def test_upper_teeth_reach_below_the_gum_and_every_quad_is_valid() -> None:
    curve = Arch(width=0.03, depth=0.04, front=-0.13, bite=0.606, upper=True)
    crowns, flesh = teeth(curve, np.random.default_rng(2)), gum(curve)
    assert abs(float(crowns.points[:, 2].min()) - 0.606) < 1e-3
    assert flesh.points[:, 2].min() > 0.608
    for surface in (crowns, flesh):
        assert np.isfinite(surface.points).all()
        assert np.max(surface.quads) < len(surface.points)


def test_neighbouring_incisors_touch() -> None:
    curve = Arch(width=0.03, depth=0.04, front=-0.13, bite=0.606, upper=True)
    crowns = teeth(curve, np.random.default_rng(3))
    each = len(crowns.points) // 14
    left, right = crowns.points[:each], crowns.points[7 * each : 8 * each]
    assert left[:, 0].min() - right[:, 0].max() < 3e-4
