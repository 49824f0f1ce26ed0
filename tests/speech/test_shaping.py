# ruff: noqa: RUF001  # IPA has letters that look like others
import numpy as np
import pytest

from speech.tts.shaping import RATE_HZ, Utterance, gain_for, shape, speech_level
from speech.types import PhonemeTiming

MS = RATE_HZ // 1000


def tone(ms: int, amplitude: float = 0.2) -> np.ndarray:
    return (amplitude * np.sin(np.arange(ms * MS) * 0.1)).astype(np.float32)


def silence(ms: int) -> np.ndarray:
    return np.zeros(ms * MS, np.float32)


def utterance(symbols: list[str], each_ms: int = 100) -> Utterance:
    """300 ms of silence, 100 ms of tone a symbol, 300 ms of silence."""
    samples = np.concatenate([silence(300), tone(each_ms * len(symbols)), silence(300)])
    ends = [300, *(300 + each_ms * (i + 1) for i in range(len(symbols)))]
    return Utterance(samples, ["", *symbols, ""], np.array([*ends, ends[-1] + 300]) * MS)


def phonemes(symbols: list[str], ipa=None) -> list[PhonemeTiming]:
    return list(shape(utterance(symbols), 1, ".", ipa or {})[1])


def spans(symbols: list[str]) -> list[tuple[str, int, int]]:
    return [(p.phoneme, p.start_sample // MS, p.end_sample // MS) for p in phonemes(symbols)]


def test_silence_is_trimmed_to_ten_ms_before_and_a_pause_after():
    pcm, _ = shape(utterance(["a", "b"]), 1, ".", {})
    assert len(pcm) == (10 + 200 + 210) * MS
    assert not pcm[: 9 * MS].any()


@pytest.mark.parametrize(("ending", "pause_ms"), [(".", 210), ("?", 210), (",", 110), ("o", 80)])
def test_the_pause_is_as_long_as_the_mark_says(ending, pause_ms):
    pcm, _ = shape(utterance(["a"]), 1, ending, {})
    assert len(pcm) == (10 + 100 + pause_ms) * MS


def test_phonemes_are_placed_in_the_trimmed_audio():
    assert spans(["m", "a"]) == [("m", 10, 110), ("a", 110, 210)]


def test_a_stress_mark_belongs_to_the_vowel_after_it():
    first, second = phonemes(["m", "ˈ", "a"])
    assert (first.stressed, second.stressed) == (False, True)
    assert second.start_sample == 110 * MS


def test_primary_stress_passes_over_a_consonant_and_secondary_is_none():
    assert [p.stressed for p in phonemes(["ˈ", "t", "a", "ˌ", "o"])] == [False, True, False]


def test_a_space_and_a_length_mark_extend_the_sound_before_them():
    assert spans(["a", "ː", " ", "b"]) == [("a", 10, 310), ("b", 310, 410)]


def test_punctuation_is_a_gap():
    assert spans(["a", ",", " ", "b"]) == [("a", 10, 110), ("b", 310, 410)]


def test_symbols_become_ipa():
    assert [p.phoneme for p in phonemes(["A", "ʧ"], {"A": "eɪ", "ʧ": "tʃ"})] == ["eɪ", "tʃ"]


def test_the_first_and_last_phonemes_reach_the_edges_of_the_sound():
    samples = np.concatenate([silence(100), tone(300), silence(100)])
    late = Utterance(samples, ["", "a", "b", ""], np.array([150, 250, 350, 500]) * MS)
    _, (a, b) = shape(late, 1, ".", {})
    assert (a.start_sample, b.end_sample) == (10 * MS, 310 * MS)


def test_a_voice_is_brought_to_minus_twenty_dbfs_whatever_its_level():
    for amplitude in (0.02, 0.5):
        samples = np.concatenate([silence(200), tone(500, amplitude), silence(200)])
        gain = gain_for(speech_level(samples))
        pcm, _ = shape(Utterance(samples, [""], np.array([len(samples)])), gain, ".", {})
        loud = pcm[100 * MS : 500 * MS] / 32768
        assert 20 * np.log10(np.sqrt(np.mean(loud**2))) == pytest.approx(-20, abs=0.5)


def test_a_peak_is_turned_down_not_clipped():
    pcm, _ = shape(utterance(["a"]), 100, ".", {})
    assert np.abs(pcm).max() == pytest.approx(32767 * 10 ** (-1 / 20), rel=0.01)


def test_nothing_makes_a_short_silence():
    pcm, timings = shape(Utterance(np.zeros(0, np.float32), (), np.zeros(0, np.int64)), 1, "", {})
    assert not pcm.any()
    assert timings == ()
