"""Endpointing where a model judges the words, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.test_endpointing import Microphone, finished_after


def ended_after_ms(sound, closes, text="the train was late", **settings):
    """How long the silence was that ended a turn with these words and verdicts."""
    microphone = Microphone(weighs_words=True, **settings)
    microphone.speech(640).silence(128)
    if sound is not None:
        microphone.endpointer.turn_probability(sound)
    microphone.endpointer.hint(text)
    if closes != "none yet":
        microphone.endpointer.words_close(closes)
    return 128 + finished_after(2000, microphone)


def test_what_sounds_finished_waits_for_words_that_go_on():
    assert ended_after_ms(0.98, 0.5) <= 300
    assert ended_after_ms(0.98, 0.0005) >= 850


def test_words_that_close_help_a_sound_that_is_in_doubt():
    assert ended_after_ms(0.5, 0.3) <= 300
    assert ended_after_ms(0.5, None) >= 500


def test_words_alone_end_nothing_soon():
    assert ended_after_ms(None, 1.0) >= 850
    assert ended_after_ms(0.001, 0.02) >= 850


def test_nothing_is_sure_before_the_words_are_judged():
    assert ended_after_ms(0.999, "none yet") >= 850


def test_where_the_judge_fails_the_sound_decides():
    assert ended_after_ms(0.999, None) <= 300


@pytest.mark.parametrize("closes", [0.0, "none yet"])
def test_a_short_answer_is_whole_whatever_might_follow(closes):
    assert ended_after_ms(0.9, closes, "No, thanks.") <= 250


def test_a_verdict_on_the_words_of_an_earlier_pause_is_void():
    microphone = Microphone(weighs_words=True).speech(640).silence(160)
    microphone.endpointer.hint("the train was late")
    microphone.endpointer.words_close(1.0)
    microphone.speech(640).silence(128)
    microphone.endpointer.turn_probability(0.999)
    assert 128 + finished_after(2000, microphone) >= 850


@given(
    st.text(),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1) | st.just("none yet"),
)
def test_nobody_waits_for_longer_than_who_dictates_whatever_was_said(text, sound, closes):
    assert ended_after_ms(sound, closes, text) <= 1500 + 32
