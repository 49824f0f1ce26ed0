# ruff: noqa: RUF001  # IPA has letters that look like others
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.animator import FaceAnimator
from render.emotion import FACES, blended, expression
from render.lipsync import PhonemeLipSync
from render.types import (
    ARKIT,
    FEELINGS,
    NEUTRAL,
    SPEECH_CLOCK_HZ,
    Emotion,
    FaceCues,
    ScheduledSpeech,
)
from render.visemes import sides
from tests.render.speaking import chunk

SECOND = SPEECH_CLOCK_HZ
SMILE, BROW = list(sides("mouthSmile")), ARKIT.index("browInnerUp")
JAW, CLOSE = ARKIT.index("jawOpen"), ARKIT.index("mouthClose")
PARTERS = [i for n in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(n)]


def said(phonemes: str, emotion: Emotion, start_s: float = 1.0, each_ms: int = 80):
    spoken = chunk(phonemes, each_ms)
    start = round(start_s * SECOND)
    end = start + round(spoken.audio.duration_s * SECOND)
    return ScheduledSpeech(PhonemeLipSync().animate(spoken), start, end, 0, emotion)


def weights(at_s: float, *speech: ScheduledSpeech, moods=()) -> np.ndarray:
    cues = FaceCues(speech, ((0, "speaking" if speech else "listening"),), (), moods)
    return FaceAnimator(3).pose(round(at_s * SECOND), cues).weights


def parted(pose_weights: np.ndarray) -> float:
    return max(pose_weights[JAW] - pose_weights[CLOSE], pose_weights[PARTERS].max())


def test_levels_are_scaled_down_to_a_sum_of_one_and_unknown_feelings_are_refused():
    mixture = Emotion.of(happy=0.9, surprised=0.9)
    assert mixture["happy"] == pytest.approx(0.5)
    assert Emotion.of() == NEUTRAL
    with pytest.raises(ValueError, match="bored"):
        Emotion.of(bored=1.0)
    with pytest.raises(ValueError, match="levels"):
        Emotion((0.9, 0.9, 0, 0, 0, 0))


def test_every_feeling_has_a_face_of_its_own():
    distance = np.abs(FACES[:, None] - FACES[None]).sum(2)
    assert distance[~np.eye(len(FEELINGS), dtype=bool)].min() > 0.8


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_mixtures_are_continuous_and_in_bounds(levels):
    mixture = np.array(Emotion.of(**dict(zip(FEELINGS, levels, strict=True))).levels)
    here = expression(mixture)
    assert 0 <= here.min() <= here.max() <= 1
    assert np.abs(here - expression(mixture * 0.99)).max() < 0.01


@pytest.mark.parametrize("name", FEELINGS)
@pytest.mark.parametrize("each_ms", [50, 90])
def test_lips_meet_in_p_b_and_m_whatever_is_felt(name, each_ms):
    speech = said("m ˈɑ p ə b ˈi m ˈu b ə", Emotion.of(**{name: 1.0}), each_ms=each_ms)
    for k in (0, 2, 4, 6, 8):
        assert parted(weights(1.06 + (k + 0.5) * each_ms / 1000, speech)) < 0.06


def test_a_smile_widens_rounded_vowels_and_leaves_them_round():
    mouth = np.zeros(len(ARKIT), np.float32)
    mouth[ARKIT.index("mouthPucker")] = 0.5
    felt = expression(np.array(Emotion.of(happy=1.0).levels))
    smiling = blended(mouth, felt, talking=1.0, seal=0.0)
    assert 0.35 < smiling[ARKIT.index("mouthPucker")] < 0.5
    assert smiling[SMILE].max() < 0.5 * felt[SMILE].max()


def test_a_feeling_comes_in_just_before_its_words_and_fades_after_them():
    speech = said("h ə l ˈoʊ h ə l ˈoʊ", Emotion.of(sad=0.8))
    end_s = speech.end_sample / SECOND
    calm = said("h ə l ˈoʊ h ə l ˈoʊ", NEUTRAL)
    sad = [
        float(weights(t, speech)[BROW] - weights(t, calm)[BROW])
        for t in (0.6, 0.95, 1.4, end_s + 0.2, end_s + 1.2, end_s + 2.5)
    ]
    assert sad[0] == pytest.approx(0, abs=1e-6)
    assert 0 < sad[1] < sad[2]
    assert sad[2] > 0.35
    assert sad[3] > 0.35 > sad[4] > 0
    assert sad[5] == pytest.approx(0, abs=1e-6)


def test_a_listening_face_shares_a_mood_for_some_seconds():
    moods = ((2 * SECOND, Emotion.of(concerned=0.5)),)
    shared = [float(weights(t, moods=moods)[BROW] - weights(t)[BROW]) for t in (1.9, 4.0, 8.0)]
    assert shared[0] == shared[2] == 0
    assert shared[1] > 0.1
