"""An "o" is round: on the faces that are shipped, and what rounds it moves nothing else."""

import numpy as np
import pytest

from avatar.face.library import face_folder, face_names
from render.bake.lip_rounding import rounded
from render.baked.asset import BakedFace
from render.baked.lips import find_lips
from render.types import ARKIT

FUNNEL = ARKIT.index("mouthFunnel")


@pytest.mark.parametrize("name", face_names())
def test_a_funnel_hardly_points_the_mouth_that_a_jaw_opens(name: str) -> None:
    face = BakedFace.load(face_folder(name))
    lips = find_lips(face.mesh, face.camera)
    beside = []
    for weights in ({"jawOpen": 0.32}, {"jawOpen": 0.32, "mouthFunnel": 1.0}):
        apart = lips._apart(face.mesh.morphed(weights)[:, 2]) - lips.at_rest_m
        beside.append(apart[[1, 3]].min() / apart[2])  # 8 mm from the middle
    assert beside[1] > 2 / 3 * beside[0]


def test_only_the_funnel_changes_and_the_upper_lip_stays_as_high() -> None:
    face = BakedFace.load(face_folder("elena"))
    mesh, lips = face.mesh, find_lips(face.mesh, face.camera)
    deltas = np.zeros((len(ARKIT), *mesh.vertices.shape))
    for k, name in enumerate(ARKIT):
        deltas[k] = mesh.morphed({name: 1.0}) - mesh.vertices
    changed = rounded(mesh.vertices, deltas, lips.line) - deltas
    assert not np.delete(changed, FUNNEL, 0).any()
    moved = changed[FUNNEL]
    assert np.abs(moved[lips.upper, 2]).max() < 1e-4
    assert moved[lips.lower, 2].min() < -2e-3
    outwards = moved[:, 0] * np.sign(mesh.vertices[:, 0])
    assert outwards.max() <= 0
    assert outwards.min() < -4e-3
