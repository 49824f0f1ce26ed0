import numpy as np
import pytest

from render.bake.hairstyles import grow, hair_depth, hairline
from render.bake.skull import Skull, fit_skull

EYES = np.array([0.0, -0.11, 0.669])


def head() -> Skull:
    """An egg with an ear-sized knob at each side."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 73), np.linspace(-np.pi / 2, np.pi / 2, 49))
    x = 0.075 * np.sin(u) * np.cos(v)
    y = -0.034 - 0.096 * np.cos(u) * np.cos(v)
    points = np.stack([x, y, 0.677 + 0.105 * np.sin(v)], -1)
    knob = np.abs(points - [[0, -0.038, 0.65]]) < [1.0, 0.02, 0.02]
    points[..., 0] += 0.012 * np.sign(x) * knob.all(-1) * (np.abs(x) > 0.06)
    row, column = np.mgrid[:48, :72]
    a = (row * 73 + column).ravel()
    triangles = np.concatenate([np.stack([a, a + 1, a + 74], 1), np.stack([a, a + 74, a + 73], 1)])
    return fit_skull(points.reshape(-1, 3), triangles, EYES)


SKULL = head()


def test_ears_are_no_part_of_the_skull() -> None:
    ear = np.array([[0.09, -0.038, 0.65]])
    assert np.abs(SKULL.lift(ear, 0.0)[0, 0]) < 0.080


def test_a_lifted_point_is_at_that_height() -> None:
    points = SKULL.centre + np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(SKULL.height(SKULL.lift(points, 0.004)), 0.004, atol=1e-9)


@pytest.mark.parametrize("style", ["tied_back", "bob", "short_layered", "cropped"])
def test_hair_is_rooted_within_its_hairline_and_stays_out_of_the_skin(style: str) -> None:
    for strands in grow(style, SKULL, 0.02, seed=1, density=0.03):
        points = strands.points.astype(float)
        assert np.isfinite(points).all()
        assert hair_depth(SKULL, points[:, 0], hairline(style)).min() > -0.008
        sunk = SKULL.height(points[:, 2:]) < -0.0015
        assert sunk.mean() < 0.01


def test_short_hair_ends_above_the_shoulders_and_cropped_hair_is_millimetres_long() -> None:
    layered, _ = grow("short_layered", SKULL, 0.0, 1, 0.03)
    assert layered.points[..., 2].min() > EYES[2] - 0.075
    (cropped,) = grow("cropped", SKULL, 0.0, 1, 0.03)
    reach = np.linalg.norm(cropped.points - cropped.points[:, :1], axis=2).max(1)
    assert reach.max() < 0.011


def test_a_bob_hangs_beside_the_face_to_the_jaw() -> None:
    bob, _ = grow("bob", SKULL, 0.02, 1, 0.03)
    at = bob.points.astype(float) - EYES
    below = at[at[..., 2] < -0.02]
    beside = below[np.abs(below[:, 0]) > 0.06]
    assert -0.09 < beside[:, 2].min() < -0.055
    assert below[:, 1].min() > 0.02


def test_an_unknown_style_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'mohawk' is none of"):
        grow("mohawk", SKULL, 0.0, 1)


def test_cropped_hair_thins_out_towards_its_hairline() -> None:
    (cropped,) = grow("cropped", SKULL, 0.0, 1, 0.2)
    roots = cropped.points[:, 0].astype(float)
    depth = hair_depth(SKULL, roots, hairline("cropped"))[SKULL.azimuth(roots) < 40]
    edge, inside = (((depth > low) & (depth < low + 0.004)).sum() for low in (0.0, 0.012))
    assert 20 < edge < 0.5 * inside
