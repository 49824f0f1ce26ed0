"""How far turning the head draws its one picture out."""

from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np
import pytest

from avatar.face.library import face_folder, face_names
from avatar.store import ModelStore
from render.baked.asset import BakedFace
from render.baked.bearing import turn
from render.baked.compositor import HEAD_LIMIT_RAD
from render.baked.kernels import Floats, cache_kernels
from render.baked.pictures import Canvas
from render.baked.warp import CELL_PX, aim

pytestmark = pytest.mark.e2e

SIDE = 512
LONGEST = 1.8
YAW, PITCH, ROLL = HEAD_LIMIT_RAD.tolist()
TURNS = list(product((YAW, -YAW), (0.0, PITCH, -PITCH)))


@pytest.fixture(scope="module", params=face_names())
def face(request) -> BakedFace:
    cache_kernels(ModelStore.default().cache / "kernels")
    return BakedFace.load(face_folder(request.param))


def mapped(
    face: BakedFace, depth: Floats, yaw: float, pitch: float, roll: float = 0, breath: float = 0
) -> Floats:
    """Canvas positions of the corners of a frame's cells."""
    canvas, last = Canvas(face, SIDE / face.camera.plate_px), len(depth) - 1
    focal = face.camera.focal
    frame, relief = (
        canvas.lens._replace(zoom_x=focal * side, zoom_y=focal * side, left=side / 2, top=side / 2)
        for side in (SIDE, last)
    )
    posed = turn(face, np.array([yaw, pitch, roll], np.float32), breath)
    grid = np.empty((SIDE // CELL_PX + 1, SIDE // CELL_PX + 1, 2), np.float32)
    aim(frame, canvas.lens, depth, relief, posed, grid)
    return grid


def stretches(face: BakedFace, depth: Floats) -> Iterator[Floats]:
    """For each turn, how many times longer the cells that show the figure draw what they show.

    Along the direction in which they do so most, beyond any shrinking across it.
    """
    alpha = cv2.blur(face.plates["rest"].bgra[..., 3], (17, 17))
    to_plate = face.camera.plate_px / SIDE
    for yaw, pitch in TURNS:
        grid = mapped(face, depth, yaw, pitch)
        across, down = np.diff(grid, axis=1) / CELL_PX, np.diff(grid, axis=0) / CELL_PX
        bends = np.stack([across[1:] + across[:-1], down[:, 1:] + down[:, :-1]], -1) / 2
        middle = (grid[1:, 1:] + grid[:-1, :-1]) / 2 * to_plate
        x, y = (np.clip(middle[..., k], 0, alpha.shape[1 - k] - 1).astype(int) for k in (0, 1))
        least = np.linalg.svd(bends, compute_uv=False)[..., 1]
        least = np.where(np.linalg.det(bends) > 0, least, 1e-3)  # folded over
        yield 1 / least[alpha[y, x] > 40]


def test_nothing_is_stretched_when_the_head_turns_as_far_as_it_may(face):
    assert np.isclose(np.degrees(YAW), 12)
    for angles, drawn in zip(TURNS, stretches(face, face.mesh.turn_relief), strict=True):
        assert drawn.size > 300
        assert drawn.max() < LONGEST, angles
        assert np.percentile(drawn, 95) < 1.6, angles


def test_over_its_true_depth_a_head_would_be(face):
    assert max(drawn.max() for drawn in stretches(face, face.mesh.relief)) > LONGEST


def test_a_head_that_looks_straight_on_is_left_as_it_is(face):
    grid = mapped(face, face.mesh.turn_relief, 0.0, 0.0)
    rows, columns = np.mgrid[: SIDE + 1 : CELL_PX, : SIDE + 1 : CELL_PX]
    left, top = grid[0, 0]
    np.testing.assert_allclose(grid[..., 0] - left, columns, atol=0.3)
    np.testing.assert_allclose(grid[..., 1] - top, rows, atol=0.3)


def shown(face: BakedFace, grid: Floats, x: float, z: float) -> Floats:
    """What the frame shows where a point of the face in its middle plane was at rest."""
    at = face.camera.project(np.array([[x, -0.07, z]], np.float32))[0, :2]
    column, row = np.rint(at * SIDE / face.camera.plate_px / CELL_PX).astype(int)
    return grid[row, column]


@pytest.mark.parametrize("side", [1, -1])
def test_the_chest_goes_along_with_the_head_a_part_of_the_way(face, side):
    relief = face.mesh.turn_relief
    rest = mapped(face, relief, 0, 0)
    for turned in ({"yaw": side * YAW, "pitch": 0}, {"yaw": 0, "pitch": 0, "roll": side * ROLL}):
        moved = rest - mapped(face, relief, **turned)
        chest, brow = (shown(face, moved, 0, z)[0] for z in (0.475, 0.70))
        assert 0.1 < chest / brow < 0.6, turned


def test_a_breath_lifts_the_shoulders_more_than_the_head(face):
    relief = face.mesh.turn_relief
    lifted = mapped(face, relief, 0, 0, breath=1) - mapped(face, relief, 0, 0)
    left, right, brow = (
        shown(face, lifted, x, z) for x, z in ((0.1, 0.49), (-0.1, 0.49), (0, 0.7))
    )
    assert left[1] > 2 * brow[1] > 0.5
    assert right[1] > 2 * brow[1]
    assert left[0] < 0 < right[0]  # and widens
