# ruff: noqa: RUF001  # IPA has marks that look like others
"""Where the words of a chunk are."""

import numpy as np

from speech.tts.shaping import Utterance, shape
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk
from speech.word_places import speech_end, word_places


def chunk(text, starts, samples=1000):
    phonemes = tuple(PhonemeTiming("a", s, s + 10, starts_word=True) for s in starts)
    return SpeechChunk(text, AudioFrame(np.zeros(samples, np.int16), 24_000), phonemes)


def places(each):
    return [(place.character, place.sample) for place in word_places(each)]


def test_each_displayed_word_begins_with_its_spoken_one():
    assert places(chunk("One, two. ", (5, 500))) == [(0, 5), (5, 500)]


def test_words_that_are_spoken_as_several_get_their_share():
    assert places(chunk("It is 5 km far", (0, 100, 200, 300, 400, 500))) == [
        (0, 0), (3, 100), (6, 200), (8, 300), (11, 400),
    ]  # fmt: skip


def test_without_phonemes_words_are_spread_over_the_sound():
    assert places(chunk("abcd efghi", ())) == [(0, 0), (5, 500)]
    assert speech_end(chunk("abcd", ())) == 1000


def test_without_words_there_are_none():
    assert places(chunk(" ", (0,))) == []


def test_a_voice_says_which_phonemes_begin_a_word():
    symbols = ["", "h", "ˈ", "o", "ː", " ", "ˈ", "a", "b", ",", " ", "c", ""]
    ends = np.arange(1, len(symbols) + 1) * 2400
    samples = np.full(2400 * len(symbols), 0.1, np.float32)
    _, phonemes = shape(Utterance(samples, symbols, ends), 1.0, ".", {})
    assert [p.phoneme for p in phonemes if p.starts_word] == ["h", "a", "c"]
