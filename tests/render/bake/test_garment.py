from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from render.bake.facial_hair import Roots, in_front
from render.bake.garment import Shoulders, band, crew, pieces, shell

pytestmark = pytest.mark.e2e  # cloth is laid for some seconds


def bust() -> Any:
    """A round chest with a neck."""
    u = np.linspace(0, 2 * np.pi, 61)[:-1]
    profile = [(0.20, 0.26), (0.20, 0.42), (0.17, 0.48), (0.09, 0.525), (0.055, 0.55), (0.05, 0.60)]
    points = np.array([[r * np.sin(a), -0.6 * r * np.cos(a), z] for r, z in profile for a in u])
    row, column = np.mgrid[:5, :60]
    a, b = row * 60 + column, row * 60 + (column + 1) % 60
    faces = np.stack([a, b, b + 60, a + 60], -1).reshape(-1, 4)
    return SimpleNamespace(
        rest=points,
        faces=faces,
        groups=["body"] * len(faces),
        landmarks={"neck": np.array([0.0, -0.033, 0.55])},
    )


def test_a_shell_begins_on_its_neckline_and_hides_no_body() -> None:
    shoulders = Shoulders(bust())
    border = crew(shoulders.throat, 0.03)
    cloth, edge, _ = shell(shoulders, border, 0.003, 0.004, seed=1)
    assert np.abs(border(edge)).max() < 0.004
    assert np.abs(np.diff(edge, axis=0)).max() < 0.006, "a neckline without teeth"
    assert np.isfinite(cloth.vertices).all()
    assert cloth.quads.max() == len(cloth.vertices) - 1


def test_a_collar_hugs_the_neck() -> None:
    shoulders = Shoulders(bust())
    _, _, line = shell(shoulders, crew(shoulders.throat, 0.03), 0.003, 0.004, seed=1)
    collar = band(shoulders, line, width=0.013, thickness=0.0024, inside=0.006, out=0.002)
    high = collar.vertices[collar.vertices[:, 2] > 0.53]
    radius = np.hypot(high[:, 0], high[:, 1] / 0.6)
    assert radius.max() < 0.10


@pytest.mark.parametrize(("garment", "parts"), [("crew_neck", 2), ("knit_top", 2), ("cardigan", 4)])
def test_every_garment_has_its_parts(garment: str, parts: int) -> None:
    made = pieces(bust(), {"garment": garment}, seed=1)
    assert len(made) == parts
    assert all(np.isfinite(piece.cloth.vertices).all() for piece in made)


def test_an_unknown_garment_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'cape' is none of"):
        pieces(bust(), {"garment": "cape"}, seed=1)


def test_the_foremost_of_two_sheets_is_found_and_followed_when_it_moves() -> None:
    sheet = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1]], float)
    points = np.concatenate([sheet, sheet - [0, 0.5, 0]])
    roots, found = in_front(
        points, np.array([[0, 1, 2], [3, 4, 5]]), np.array([0.2, 2.0]), np.array([0.3, 0.3])
    )
    assert found.tolist() == [True, False]
    np.testing.assert_allclose(roots.on(points)[0], [0.2, -0.5, 0.3])
    np.testing.assert_allclose(roots.on(points + np.array([0, 0, 0.1]))[0], [0.2, -0.5, 0.4])
    assert len(Roots(roots.vertices, roots.shares).picked(found).vertices) == 1
