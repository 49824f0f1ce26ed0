import numpy as np

from render.bake.residual import RestRaster, residual
from render.bake.subdivide import subdivision

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
QUADS = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


def test_a_cube_rounds_as_catmull_and_clark_say() -> None:
    finer = subdivision(QUADS, 8)
    points = finer(CUBE)
    assert len(points) == 8 + 12 + 6
    np.testing.assert_allclose(np.abs(points[:8]), 5 / 9)
    np.testing.assert_allclose(np.sort(np.abs(points[8:20]), 1), [[0, 0.75, 0.75]] * 12)


def test_a_flat_sheet_stays_flat_and_keeps_its_rim() -> None:
    xs, ys = np.meshgrid(np.arange(4.0), np.arange(4.0))
    sheet = np.stack([xs.ravel(), ys.ravel(), np.zeros(16)], 1)
    a = (np.arange(3)[:, None] * 4 + np.arange(3)).ravel()
    points = subdivision(np.stack([a, a + 1, a + 5, a + 4], 1), 16)(sheet)
    assert (points[:, 2] == 0).all()
    np.testing.assert_allclose(points[[1, 2, 4, 8], :2], sheet[[1, 2, 4, 8], :2])


def test_brightness_that_moved_with_the_skin_is_no_shading_but_a_fold_is() -> None:
    corners = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], float)
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    raster = RestRaster(corners, np.zeros(4), triangles, (0, 0, 100, 100), 1.0)
    ramp = np.repeat(np.arange(100, dtype=np.uint8)[None, :, None] + 60, 100, 0)
    rest = np.repeat(ramp, 3, 2)
    moved = np.roll(rest, 10, 1)
    moved[45:55] -= 30
    spots = corners + np.array([9.5, -0.5])
    picture = residual(raster, moved, rest, spots, np.ones((100, 100)))
    assert np.abs(picture[20, 20:80].astype(int) - 128).max() <= 1
    assert (picture[50, 20:80] < 108).all()
