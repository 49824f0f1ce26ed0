"""How far apart the lips are, read from drawn frames whose pose is known here and not there."""

import cv2
import numpy as np
import pytest

from avatar.face.library import face_folder, face_names
from avatar.store import ModelStore
from render.baked.asset import BakedFace
from render.baked.lips import find_lips
from render.baked.renderer import compositor, warm
from render.mouth import PARTED_M, MouthMeter, lip_line
from render.types import ARKIT, FacePose
from render.visemes import ARTICULATION, sides
from speech.phonemes import VISEMES

pytestmark = pytest.mark.e2e

SIZE = 512


@pytest.fixture(scope="module", params=face_names())
def opening_mm(request):
    """Millimetres between the lips that the meter reads off a pose's frame."""
    face = BakedFace.load(face_folder(request.param))
    warm(face, SIZE, SIZE, ModelStore.default().cache / "kernels")
    stage, meter = compositor(face, SIZE, SIZE), MouthMeter(SIZE, SIZE, face)

    def read(head=(0, 0, 0), bright=1.0, **weights):
        array = np.zeros(len(ARKIT), np.float32)
        for name, weight in weights.items():
            array[list(sides(name))] = weight
        pose = FacePose(array, np.radians(head).astype(np.float32), np.zeros(2), 0.0, 0)
        luma = np.clip(stage.draw(pose)[:SIZE] * bright, 0, 255).astype(np.uint8)
        return 1e3 * meter.opening_m(cv2.GaussianBlur(luma, (3, 3), 0))

    read.face = face
    return read


def gap_mm(face, jaw):
    """Between the mesh's own lips, by how much more than at rest."""
    drop = face.mesh.vertices - face.mesh.morphed({"jawOpen": jaw})
    at = face.camera.project(face.mesh.vertices)
    middle, depth = lip_line(face.mesh, face.camera)
    near = (np.abs(face.mesh.vertices[:, 0]) < 0.004) & (np.abs(at[:, 2] - depth) < 0.004)
    lower = near & (at[:, 1] > middle[1]) & (at[:, 1] < middle[1] + 25)
    return 1e3 * drop[lower, 2].max()


def test_it_reads_what_the_geometry_has(opening_mm):
    for jaw in (0.1, 0.3, 0.5):
        assert opening_mm(jawOpen=jaw) == pytest.approx(gap_mm(opening_mm.face, jaw), rel=0.15)


@pytest.mark.parametrize(
    "head", [(10, 0, 0), (-10, 0, 0), (0, 8, 0), (0, -8, 0), (0, 0, 8), (5, -4, -5)]
)
def test_a_turned_head_changes_it_little(opening_mm, head):
    for jaw in (0.0, 0.15, 0.3):
        truth = gap_mm(opening_mm.face, jaw)
        assert opening_mm(head, jawOpen=jaw) == pytest.approx(truth, rel=0.2, abs=0.8)


def test_lips_that_meet_over_an_open_jaw_are_closed(opening_mm):
    for jaw in (0.05, 0.15, 0.3):
        assert opening_mm(jawOpen=jaw, mouthClose=jaw) < 0.7
        assert opening_mm(jawOpen=jaw) > 1e3 * PARTED_M * 0.9


def test_pressed_rolled_and_smiling_lips_are_closed(opening_mm):
    for name in ("mouthPress", "mouthRollLower", "mouthSmile", "mouthFrown"):
        assert opening_mm(**{name: 0.5}) < 1.0, name
    # Of Elena's, shapes 2 mm apart fit as well as each other: processors round them differently.
    assert opening_mm(mouthPucker=0.5) < 2.5


def shape(row):
    return {name: float(row[k]) for k, name in enumerate(ARKIT)}


def test_every_open_viseme_reads_open_and_wider_ones_wider(opening_mm):
    read = {v: opening_mm(**shape(ARTICULATION.targets[k])) for k, v in enumerate(VISEMES)}
    assert max(read["sil"], read["PP"]) < 0.4
    assert min(read[v] for v in VISEMES if v not in ("sil", "PP", "FF")) > 1e3 * PARTED_M
    assert read["I"] < read["E"] < read["aa"]
    assert read["U"] < read["O"]


def test_any_mixture_of_visemes_reads_as_the_geometry_has_it(opening_mm):
    chance = np.random.default_rng(3)
    lips = find_lips(opening_mm.face.mesh, opening_mm.face.camera)
    truth, read = [], []
    for _ in range(60):
        which = chance.integers(0, len(VISEMES), 3)
        weights = chance.dirichlet((1.0, 0.5, 0.3)) @ ARTICULATION.targets[which]
        truth.append(middle_gap_mm(opening_mm.face.mesh, lips, weights))
        read.append(opening_mm(chance.uniform(-3, 3, 3), **shape(weights)))
    off = np.abs(np.array(read) - truth)
    print(
        f"\nr {np.corrcoef(read, truth)[0, 1]:.3f}, off by {off.mean():.2f} mm, {off.max():.1f} mm"
    )
    assert np.corrcoef(read, truth)[0, 1] > 0.97
    assert off.mean() < 0.8
    assert off.max() < 4


def middle_gap_mm(mesh, lips, weights):
    """Between the lips' inner edges in the middle, by how much more than at rest."""
    upper, lower = (
        vertices[starts[2] : starts[3]]
        for vertices, starts in ((lips.upper, lips.upper_starts), (lips.lower, lips.lower_starts))
    )
    heights = mesh.morphed(shape(weights))[:, 2]
    apart = heights[upper].min() - heights[lower].max()
    return 1e3 * float(apart - lips.at_rest_m[2])


def test_a_darker_picture_reads_the_same(opening_mm):
    for jaw in (0.0, 0.1, 0.3):
        assert opening_mm(jawOpen=jaw, bright=0.5) == pytest.approx(
            opening_mm(jawOpen=jaw), abs=0.4
        )
