"""Frames of real faces: what is on them depends on the pose, and on nothing that came before."""

from itertools import pairwise

import numpy as np
import pytest

from avatar.face.library import face_folder, face_names
from avatar.store import ModelStore
from render.baked.asset import BakedFace
from render.baked.compositor import Compositor
from render.baked.renderer import compositor, warm
from render.mouth import lip_line
from render.types import ARKIT, FacePose

pytestmark = pytest.mark.e2e

SIZE, LARGE = 512, 1024
JAW, BLINK = ARKIT.index("jawOpen"), ARKIT.index("eyeBlinkLeft")
PUCKER, FUNNEL = ARKIT.index("mouthPucker"), ARKIT.index("mouthFunnel")


@pytest.fixture(scope="module", params=face_names())
def face(request) -> BakedFace:
    loaded = BakedFace.load(face_folder(request.param))
    warm(loaded, SIZE, SIZE, ModelStore.default().cache / "kernels")
    return loaded


def poses(count: int) -> list[FacePose]:
    """A face that rests, twitches and grimaces, in small steps and in large ones."""
    random = np.random.default_rng(5)
    weights = np.zeros(len(ARKIT))
    out = []
    for k in range(count):
        if k % 8 == 0:
            weights = random.random(len(ARKIT)) * (random.random(len(ARKIT)) < 0.2)
        weights = np.clip(weights + random.normal(0, 0.004, len(ARKIT)), 0, 1)
        shown = np.zeros(len(ARKIT)) if k % 5 == 4 else weights
        head, gaze = random.normal(0, 0.06, 3), random.normal(0, 0.1, 2)
        out.append(FacePose(shown.astype(np.float32), head, gaze, random.random(), k, 0.03))
    return out


def moved(frames: Compositor, one: FacePose, other: FacePose) -> np.ndarray:
    return np.abs(frames.draw(one).astype(int) - frames.draw(other))


def still(weights: dict[int, float], gaze: tuple[float, float] = (0, 0)) -> FacePose:
    row = np.zeros(len(ARKIT), np.float32)
    for k, weight in weights.items():
        row[k] = weight
    return FacePose(row, np.zeros(3), np.array(gaze), 0.0, 0)


def test_a_frame_is_the_same_whatever_was_drawn_before(face):
    sequence = poses(48)
    frames = [compositor(face, SIZE, SIZE) for _ in range(2)]
    forwards = [frames[0].draw(pose) for pose in sequence]
    order = np.random.default_rng(6).permutation(len(sequence))
    for k in order:
        assert np.array_equal(frames[1].draw(sequence[k]), forwards[k]), k
    for k in (3, 17, 40):
        assert np.array_equal(compositor(face, SIZE, SIZE).draw(sequence[k]), forwards[k])


def test_rounding_a_pose_shows_nowhere(face):
    frames = compositor(face, SIZE, SIZE)
    for start in (0.0, 0.3, 0.8):
        steps = [frames.draw(still({JAW: start + k * 1e-4})).astype(int) for k in range(60)]
        jumps = [np.abs(b - a).mean() for a, b in pairwise(steps)]
        assert max(jumps) < 0.15
        assert sum(jump > 0 for jump in jumps) > 0


def test_the_mouth_leaves_the_eyes_alone(face):
    apart = moved(compositor(face, SIZE, SIZE), still({}), still({JAW: 0.5}))[:SIZE]
    eyes = int(face.camera.project(face.eyes)[:, 1].mean() * SIZE / face.camera.plate_px)
    assert apart[: eyes + 4].max() == 0
    assert apart[eyes + 60 :].max() > 40


def test_each_eye_shuts_and_looks(face):
    frames = compositor(face, SIZE, SIZE)
    x, y, _ = face.camera.project(face.eyes)[0] * SIZE / face.camera.plate_px
    around = (slice(int(y) - 10, int(y) + 10), slice(int(x) - 12, int(x) + 12))
    assert moved(frames, still({}), still({BLINK: 1.0}))[around].mean() > 8
    assert moved(frames, still({}), still({}, (0.3, 0)))[around].mean() > 3


def test_no_dark_shows_at_the_corners_of_pressed_lips(face):
    row, names = np.zeros(len(ARKIT), np.float32), ("mouthPress", "mouthRoll")
    row[[k for k, name in enumerate(ARKIT) if name.startswith(names)]] = 0.3
    frames = compositor(face, LARGE, LARGE)
    rest, pressed = (
        frames.draw(FacePose(weights, np.zeros(3), np.zeros(2), 0.0, 0))
        for weights in (np.zeros(len(ARKIT), np.float32), row)
    )
    (x, y), _ = lip_line(face.mesh, face.camera)
    near = np.s_[round(y) - 24 : round(y) + 12, round(x) - 84 : round(x) + 84]
    assert pressed[near].min() > rest[near].min() - 6


def test_lips_that_stand_out_shade_the_teeth(face):
    frames, scale = compositor(face, SIZE, SIZE), SIZE / face.camera.plate_px
    x, y = np.rint(lip_line(face.mesh, face.camera)[0] * scale).astype(int)
    teeth = np.s_[y - 2 : y + 8, x - 4 : x + 5]
    open_only, slightly_round, round_ = (
        frames.draw(still({JAW: 0.31, PUCKER: pucker, FUNNEL: funnel}))[teeth].max()
        for pucker, funnel in ((0, 0), (0.2, 0.1), (0.44, 0.32))
    )
    assert slightly_round == open_only
    assert round_ < 0.7 * open_only
