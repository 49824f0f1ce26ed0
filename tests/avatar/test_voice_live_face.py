# ruff: noqa: RUF001  # IPA has letters that look like others
import numpy as np
import pytest

from avatar.protocol.voice_live.blendshapes import AZURE_BLENDSHAPES, blendshape_frame
from avatar.protocol.voice_live.visemes import AZURE_VISEMES, azure_visemes, timed_visemes
from render.types import ARKIT, FacePose
from speech.phonemes import DIPHTHONGS, VISEME_OF
from speech.types import PhonemeTiming


def test_every_phoneme_that_a_voice_may_speak_has_a_shape_of_azure_and_none_is_silence():
    for phoneme in (*VISEME_OF, *DIPHTHONGS):
        assert all(1 <= shape <= 21 for shape in azure_visemes(phoneme)), phoneme


def test_every_shape_of_azure_can_be_shown():
    assert {shape for shapes in AZURE_VISEMES.values() for shape in shapes} == set(range(1, 22))


@pytest.mark.parametrize(
    ("phoneme", "shapes"),
    [("p", (21,)), ("tʃ", (19, 16)), ("oʊ", (8, 4)), ("aɪ", (11,)), ("θ", (19,)), ("a", (2,))],
)
def test_shapes_are_those_of_microsofts_tables(phoneme, shapes):
    assert azure_visemes(phoneme) == shapes


def test_shapes_are_timed_by_the_phonemes_and_pauses_close_the_mouth():
    phonemes = (
        PhonemeTiming("p", 0, 4000),
        PhonemeTiming("oʊ", 4000, 8000),  # IPA
        PhonemeTiming("s", 20_000, 24_000),
    )

    timed = list(timed_visemes(phonemes))

    assert timed == [(0, 21), (4000, 8), (6000, 4), (8000, 0), (20_000, 15), (24_000, 0)]


def test_a_frame_has_arkits_weights_in_azures_order_and_the_heads_roll():
    weights = np.zeros(52, np.float32)
    weights[ARKIT.index("jawOpen")] = 0.5
    weights[ARKIT.index("tongueOut")] = 0.25
    pose = FacePose(weights, np.array([0.1, 0.2, 0.3], np.float32), np.zeros(2), 0.0, 0)

    frame = dict(zip(AZURE_BLENDSHAPES, blendshape_frame(pose), strict=True))

    assert {name: value for name, value in frame.items() if value} == {
        "jawOpen": 0.5,
        "tongueOut": 0.25,
        "headRoll": 0.3,
    }
    assert set(AZURE_BLENDSHAPES[:52]) == set(ARKIT)
