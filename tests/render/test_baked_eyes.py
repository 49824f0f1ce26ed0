"""Reflections and lash lines, on eyes and ribbons made for the purpose."""

import numpy as np
import pytest

from render.baked.eyeballs import without_glints
from render.baked.kernels import WITHIN, Target
from render.baked.lash_line import with_lines
from render.baked.retouch import shade_under, soften
from render.baked.rig import Lashes
from render.types import ARKIT

RADIUS = 40.0
CENTRES = np.array([[50.0, 50.0], [150.0, 50.0]])
BLINK = ARKIT.index("eyeBlinkLeft")


def eyes(*, glint: bool) -> np.ndarray:
    """White balls with irises a little off their middles, orange where lids would cover them."""
    picture = np.zeros((100, 200, 4), np.uint8)
    rows, columns = np.mgrid[:100, :200] + 0.5
    for x, y in CENTRES:
        far = np.hypot(columns - x, rows - y) / RADIUS
        picture[far < 1] = (20, 90, 200, 255)
        picture[far < 0.7] = (205, 210, 215, 255)
        picture[np.hypot(columns - x - 1.5, rows - y + 1) < 0.4 * RADIUS] = (30, 60, 90, 255)
        if glint:
            picture[np.hypot(columns - x + 5, rows - y + 5) < 3] = (250, 250, 250, 255)
    return picture


def test_a_reflection_is_taken_out_and_comes_back_where_it_was():
    clean, glints = without_glints(eyes(glint=True), CENTRES, RADIUS)
    matte, nothing = without_glints(eyes(glint=False), CENTRES, RADIUS)
    around = (slice(40, 51), slice(40, 51))  # within the iris
    assert np.abs(clean[around].astype(int) - matte[around]).max() < 12
    assert nothing[around][..., 3].max() < 12
    alpha = glints[..., 3:] / 255
    again = clean[..., :3] * (1 - alpha) + glints[..., :3] * alpha
    for x, y in CENTRES.astype(int):
        spot = (slice(y - 20, y + 20), slice(x - 20, x + 20))
        assert np.abs(again - eyes(glint=True)[..., :3])[spot].max() < 12
    assert glints[45, 45, 3] > 200
    assert glints[60, 60, 3] == 0


def test_the_white_of_an_eye_goes_on_where_the_plate_shows_a_lid():
    clean, _ = without_glints(eyes(glint=False), CENTRES, RADIUS)
    blue, _, red, _ = clean[50, 50 + int(0.9 * RADIUS)].astype(int)
    assert blue > 150
    assert red - blue < 20


@pytest.fixture
def ribbon() -> Lashes:
    """An upper ribbon of the left eye that ends up edge-on when the eye is half shut."""
    n = 9
    x, u = np.linspace(0.02, 0.04, n), np.linspace(0.05, 0.95, n)
    rows = [(0.0, 0.5), (0.004, 0.2), (0.008, 0.0)]  # height above the root, v
    vertices = np.concatenate(
        [np.stack([x, np.full(n, -0.13 - z), np.full(n, 0.67 + z)], 1) for z, _ in rows]
    )
    uv = np.concatenate([np.stack([u, np.full(n, v)], 1) for _, v in rows])
    a = (np.arange(2)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([a, a + 1, a + n], 1), np.stack([a + 1, a + n + 1, a + n], 1)]
    )
    moved = np.arange(3 * n)
    fall = np.concatenate([np.full(n, -0.012 - 2 * z) for z, _ in rows])
    starts = np.where(np.arange(len(ARKIT) + 1) > BLINK, len(moved), 0)
    return Lashes(
        vertices.astype(np.float32),
        triangles.astype(np.int32),
        uv.astype(np.float32),
        starts.astype(np.int32),
        moved.astype(np.int32),
        np.stack([0 * fall, 0 * fall, fall], 1).astype(np.float32),
    )


def test_the_lash_line_keeps_its_height_when_the_lashes_point_at_the_viewer(ribbon):
    lashes, opacity = with_lines(ribbon)
    half = lashes.vertices.copy()
    half[lashes.morph_vertices] += 0.5 * lashes.morph_deltas
    before = len(ribbon.vertices)
    assert np.ptp(half[:before, 2]) < 1e-6
    line = half[before:].reshape(3, -1, 3)
    assert np.all(line[0, :, 2] - line[2, :, 2] > 0.001)
    assert np.allclose(line[1, :, 2], half[0, 2])
    assert opacity[before:].reshape(3, -1)[1, 4] > 0.9
    assert opacity[before:].reshape(3, -1)[[0, 2]].max() == 0


def test_a_face_without_lashes_has_no_lash_line(ribbon):
    bare = Lashes(
        ribbon.vertices[:0], ribbon.triangles[:0], ribbon.uv[:0],
        0 * ribbon.morph_starts, ribbon.morph_vertices[:0], ribbon.morph_deltas[:0],
    )  # fmt: skip
    assert with_lines(bare)[0] is bare


def half_and_half() -> Target:
    """White inside of a dark outside, with a slanted upper edge."""
    picture = np.full((40, 40, 4), 40, np.uint8)
    mark = np.zeros((40, 40), np.uint8)
    for x in range(5, 35):
        mark[10 + x // 10 : 30, x] = WITHIN
    picture[mark == WITHIN] = 200
    return Target.of(picture)._replace(mark=mark)


def test_an_edge_is_softened_on_both_sides_and_nothing_else_changes():
    target = half_and_half()
    before = target.picture.copy()
    soften(target, 3, 3, 37, 37)
    column = target.picture[:, 15, 0].astype(int)
    assert 60 < column[10] < 130
    assert 130 < column[11] < 180
    assert np.array_equal(column[13:28], before[13:28, 15, 0])
    assert np.array_equal(target.picture[:8], before[:8])
    steps = np.abs(np.diff(target.picture[11, 6:34, 0].astype(int)))
    assert steps.max() < 80


def test_a_shadow_falls_down_from_the_upper_edge_and_fades():
    target = half_and_half()
    shade_under(target, 5.0, 0.5, 3, 3, 37, 37)
    column = target.picture[:, 15, 0].astype(int)
    assert column[11] < 140
    assert np.all(np.diff(column[11:17]) >= 0)
    assert column[17] == 200
    assert column[9] == 40
