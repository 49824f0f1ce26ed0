"""The benchmark's own judgement, on the drawn face and the real voices: it can say no."""

import numpy as np
import pytest

from avatar.settings import load
from bench.face.lips import Seen, closed_ratio, closures, lag
from bench.face.sayings import DEFAULT_VOICES, SAYINGS, spoken
from bench.face.stage import FRAME, Actor, Performance, drawn, perform
from render.mouth import MouthMeter
from render.types import ARKIT
from render.visemes import sides

pytestmark = pytest.mark.e2e

SIDE = 512
SENTENCES = 4


@pytest.fixture(scope="module", params=["en", "es"])
def performances(request) -> list[Performance]:
    language = request.param
    said = spoken(DEFAULT_VOICES[language], language, SAYINGS[language][:SENTENCES])
    return [perform(chunks, phase=k * FRAME // len(said)) for k, chunks in enumerate(said)]


@pytest.fixture(scope="module")
def look():
    actor = Actor.load(load().face.name)
    stage, meter = actor.stage(SIDE, SIDE), MouthMeter(SIDE, SIDE, actor.face)

    def seen(performance: Performance) -> Seen:
        frames = drawn(stage, performance.poses)
        return Seen(performance, np.array([meter.opening_m(f[:SIDE]) for f in frames]))

    return seen


def test_the_lips_in_the_pixels_keep_time_and_shifted_audio_does_not(performances, look):
    seen = [look(one) for one in performances]
    straight = lag(seen)
    print(f"\nlips {straight.lag_s * 1e3:.0f} ms late, correlation {straight.correlation:.2f}")
    assert abs(straight.lag_s) <= 0.020
    for shift_s in (0.1, -0.1):
        assert lag(seen, shift_s).lag_s - straight.lag_s == pytest.approx(-shift_s, abs=0.006)


def test_p_b_and_m_close_in_the_pixels_and_a_mouth_held_open_does_not(performances, look):
    openings = [m for one in performances for m in closures(look(one))]
    assert len(openings) > 8
    assert closed_ratio(openings) >= 0.95
    for one in performances:
        for pose in one.poses:
            pose.weights[ARKIT.index("mouthClose")] = 0
            pose.weights[ARKIT.index("jawOpen")] += 0.3
            pose.weights[list(sides("mouthLowerDown"))] += 0.45
    held = [m for one in performances for m in closures(look(one))]
    assert closed_ratio(held) < 0.2
