"""Endpointing as a client wants it."""

import pytest

from speech.endpointing import Ended, Started
from tests.speech.test_endpointing import Microphone, finished_after


@pytest.mark.parametrize("text", ["", "and", "Are you?", "five five five"])
@pytest.mark.parametrize("verdict", [0.0, 1.0])
def test_silence_alone_ends_a_turn_where_one_length_is_asked_for(text, verdict):
    microphone = Microphone()
    microphone.endpointer.tune(end_silence_ms=600, patient_silence_ms=600)
    microphone.speech(640).silence(128)
    microphone.endpointer.hint(text)
    microphone.endpointer.turn_probability(verdict)
    assert 550 <= 128 + finished_after(2000, microphone) <= 650


def test_patience_alone_can_be_changed():
    quick, slow = Microphone(), Microphone()
    quick.endpointer.tune(end_silence_ms=200, patient_silence_ms=500)
    slow.endpointer.tune(end_silence_ms=200, patient_silence_ms=2000)
    waits = [finished_after(3000, microphone.speech(640)) for microphone in (quick, slow)]
    assert (waits[0] <= 550, waits[1] >= 1950) == (True, True)


def test_what_is_not_asked_for_any_more_is_as_it_was():
    tuned, plain = Microphone(), Microphone()
    tuned.endpointer.tune(
        end_silence_ms=1000, patient_silence_ms=1000, threshold=0.9, pre_roll_ms=0
    )
    tuned.endpointer.tune()
    for microphone in (tuned, plain):
        microphone.silence(640).hears(640, 0.6).silence(2000)
    assert tuned.events == plain.events


def test_a_threshold_is_the_least_that_is_speech():
    microphone = Microphone()
    microphone.endpointer.tune(threshold=0.8)
    assert microphone.hears(640, 0.7).kinds == []
    assert microphone.hears(640, 0.85).kinds == [Started]


def test_so_much_is_kept_of_the_sound_before_the_first_speech():
    starts = []
    for pre_roll_ms in (0, 200):
        microphone = Microphone()
        microphone.endpointer.tune(pre_roll_ms=pre_roll_ms)
        microphone.silence(960).speech(640)
        starts.append(microphone.events[0][0].start_sample)
    assert starts[0] - starts[1] == 200 * 16


def test_turns_end_as_before_once_they_are_tuned_in_mid_speech():
    microphone = Microphone().speech(320)
    microphone.endpointer.tune(end_silence_ms=400, patient_silence_ms=400)
    microphone.speech(320)
    assert finished_after(1000, microphone) <= 450
    assert microphone.kinds[-1] is Ended
