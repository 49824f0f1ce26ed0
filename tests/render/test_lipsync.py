# ruff: noqa: RUF001  # IPA has letters that look like others
import numpy as np
import pytest

from render.lipsync import PhonemeLipSync
from render.types import ARKIT, SPEECH_CLOCK_HZ, TRACK_RATE_HZ, VisemeTrack
from render.visemes import ARTICULATION, sides
from speech.phonemes import VISEME_OF, VISEMES
from speech.types import AudioFrame, SpeechChunk
from tests.render import speaking
from tests.render.speaking import chunk

JAW, CLOSE = ARKIT.index("jawOpen"), ARKIT.index("mouthClose")
PARTERS = [i for n in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(n)]


def openness(track: VisemeTrack) -> np.ndarray:
    """The most that anything parts the lips: mouthClose takes back what jawOpen does."""
    gap = track.weights[:, JAW] - track.weights[:, CLOSE]
    return np.maximum(gap, track.weights[:, PARTERS].max(1))


def at(track: VisemeTrack, seconds: float) -> int:
    return round((seconds - track.lead / SPEECH_CLOCK_HZ) * TRACK_RATE_HZ)


@pytest.mark.parametrize(
    "phonemes",
    [
        "m ˈɑ p ə b ˈi m",
        "ˈɑ b ˈɑ",
        "aɪ m ˈoʊ b aɪ l",
        "p ˈʊ p ə t",
        "ˈa m b o s p ˈa p ˈa s",
        "k ˈɑ m p l ə k s",
    ],
)
@pytest.mark.parametrize("each_ms", [45, 80, 130])
def test_lips_meet_in_the_middle_of_every_p_b_and_m(phonemes, each_ms):
    spoken = chunk(phonemes, each_ms)
    track = PhonemeLipSync().animate(spoken)
    for timing in spoken.phonemes:
        if VISEME_OF.get(timing.phoneme) == "PP":
            middle = (timing.start_sample + timing.end_sample) / 2 / speaking.RATE_HZ
            assert openness(track)[at(track, middle)] <= 0.03


def test_a_frame_at_25_fps_shows_every_bilabial_whatever_its_phase():
    track = PhonemeLipSync().animate(chunk("ˈɑ m ˈɑ"))
    closed = openness(track) < 0.1
    middle = at(track, 0.18)
    for phase in range(4):
        nearby = np.arange(middle - 8 + phase, middle + 8, 4)
        assert closed[nearby].any()


def test_the_lower_lip_touches_the_teeth_in_f_and_v():
    track = PhonemeLipSync().animate(chunk("ˈɑ f ˈɑ v ˈɑ"))
    for seconds in (0.06 + 0.12, 0.06 + 0.28):
        frame = track.weights[at(track, seconds)]
        assert frame[ARKIT.index("mouthRollLower")] > 0.4
        assert frame[ARKIT.index("jawOpen")] < 0.08


def test_lips_lead_the_sound():
    track = PhonemeLipSync().animate(chunk("_ _ _ ˈɑ t ə"))
    sound_starts_s = 0.06 + 3 * 0.08
    moving = openness(track) > 0.2 * openness(track).max()
    starts_s = moving.argmax() / TRACK_RATE_HZ + track.lead / SPEECH_CLOCK_HZ
    assert 0.04 <= sound_starts_s - starts_s <= 0.15


def test_the_mouth_starts_and_ends_at_rest():
    track = PhonemeLipSync().animate(chunk("h ə l ˈoʊ"))
    assert track.weights[0].max() < 0.02
    assert track.weights[-1].max() < 0.02


def test_open_vowels_open_the_jaw_and_rounded_ones_purse_the_lips():
    jaw, pucker = ARKIT.index("jawOpen"), ARKIT.index("mouthPucker")
    middle = {}
    for vowel in "ɑiu":
        track = PhonemeLipSync().animate(chunk(f"t ˈ{vowel} t", 120))
        middle[vowel] = track.weights[at(track, 0.06 + 0.16)]
    assert middle["ɑ"][jaw] > 2 * middle["i"][jaw]
    assert middle["u"][pucker] > 0.3 > middle["i"][pucker] + 0.2


@pytest.mark.parametrize("phoneme", sorted(VISEME_OF))
def test_weights_stay_between_zero_and_one_for_every_phoneme(phoneme):
    weights = PhonemeLipSync().animate(chunk(f"ˈɑ {phoneme} ˈu {phoneme}")).weights
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_stressed_vowels_are_beats_on_the_speech_clock():
    track = PhonemeLipSync().animate(chunk("h ə l ˈoʊ"))
    assert track.beats == (round((0.06 + 3.5 * 0.08) * SPEECH_CLOCK_HZ),)


def test_silence_swallowed_by_the_last_phoneme_closes_the_mouth():
    spoken = chunk("h ə l ˈoʊ _ _ _ _ _")
    last = spoken.phonemes[-1]
    stretched = type(last)(last.phoneme, last.start_sample, len(spoken.audio.pcm), True)
    track = PhonemeLipSync().animate(
        SpeechChunk("", spoken.audio, (*spoken.phonemes[:-1], stretched))
    )
    assert openness(track)[at(track, 0.06 + 4 * 0.08 + 0.35)] < 0.05


def test_speech_without_phonemes_is_animated_by_ear():
    spoken = chunk("ˈɑ ˈɑ ˈɑ _ _ _ ˈɑ ˈɑ ˈɑ", 100)
    track = PhonemeLipSync().animate(SpeechChunk("", spoken.audio))
    loud, quiet = openness(track)[at(track, 0.18)], openness(track)[at(track, 0.50)]
    assert loud > 0.15
    assert quiet < 0.05
    assert track.weights.max() <= 1


@pytest.mark.parametrize("samples", [0, 1, 100, 24_000])
def test_silence_of_any_length_keeps_the_mouth_shut(samples):
    audio = AudioFrame(np.zeros(samples, np.int16), speaking.RATE_HZ)
    assert PhonemeLipSync().animate(SpeechChunk("", audio)).weights.max() == 0


def test_every_viseme_has_a_shape_of_its_own():
    shapes = {tuple(row) for row in ARTICULATION.targets.tolist()}
    assert len(shapes) == len(VISEMES)
