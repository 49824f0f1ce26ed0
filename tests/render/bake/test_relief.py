import numpy as np

from render.bake.plan import CAMERA, PlateSpec
from render.bake.relief import RELIEF, turn_relief

SPEC = PlateSpec("rest", 1, box=(0, 0, 1024, 1024), scale=4.0)
PX = 256
NEAR, BEHIND, NOTHING = -0.12, 0.02, 1e10


def step_m(depth: float) -> float:
    """How far apart two points of a relief are, in metres."""
    return (CAMERA.distance + depth) / (CAMERA.focal * (RELIEF - 1))


def test_what_is_behind_is_brought_forward_until_nothing_is_steep() -> None:
    depth = np.full((PX, PX), BEHIND)
    depth[:, 60:120] = NEAR
    relief = turn_relief(depth, SPEC)
    across = np.abs(np.diff(relief, axis=1)).max() / step_m(NEAR)
    assert 1.4 < across < 1.7
    assert np.abs(np.diff(relief, axis=0)).max() < 1e-5
    assert abs(relief[:, 33] - NEAR).max() < 0.004  # what is near keeps its place
    assert abs(relief[:, 90] - BEHIND).max() < 0.004  # what is far away from it, too


def test_an_outline_is_carried_on_around_the_figure() -> None:
    depth = np.full((PX, PX), NOTHING)
    depth[40:, 60:200] = NEAR
    relief = turn_relief(depth, SPEC)
    assert abs(relief - NEAR).max() < 0.002
