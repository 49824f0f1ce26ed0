import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.endpointing import Ended, Endpointer, Paused, Resumed, Started, Withdrawn

WINDOW = 512
MS = 16  # samples


# Whatever the defaults are: the tests say when something ends.
SETTINGS = {
    "quick_silence_ms": 200,
    "end_silence_ms": 200,
    "patient_silence_ms": 900,
    "dictation_silence_ms": 1500,
    "unlikely": 0.3,
    "likely": 0.7,
}


class Microphone:
    """Feeds an endpointer in real-time order and notes when each event came."""

    def __init__(self, **settings):
        self.endpointer = Endpointer(**SETTINGS | settings)
        self.at = 0
        self.events = []

    def hears(self, ms, probability):
        for _ in range(round(ms * MS / WINDOW)):
            self.at += WINDOW
            if event := self.endpointer.step(probability, self.at):
                self.events.append((event, self.at // MS))
        return self

    def speech(self, ms):
        return self.hears(ms, 0.95)

    def silence(self, ms):
        return self.hears(ms, 0.02)

    @property
    def kinds(self):
        return [type(event) for event, _ in self.events]

    def time_of(self, kind):
        return next(ms for event, ms in self.events if type(event) is kind)


def finished_after(ms_of_silence, microphone):
    """The milliseconds from the last speech to `Ended`."""
    spoken = microphone.at // MS
    microphone.silence(ms_of_silence)
    return microphone.time_of(Ended) - spoken


def test_a_sentence_starts_pauses_and_ends_with_its_place_in_the_stream():
    microphone = Microphone().silence(640).speech(1600).silence(2000)
    assert [event for event, _ in microphone.events] == [
        Started(340 * MS),  # 300 ms before the first sound
        Paused(2240 * MS),
        Ended(2240 * MS),
    ]
    assert microphone.time_of(Started) == 640 + 64
    assert microphone.time_of(Paused) == 2240 + 96


def test_what_sounds_finished_ends_soon():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) + 96 <= 200 + 32


def test_a_pause_of_700_ms_in_mid_sentence_cuts_nobody_off():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.05)
    microphone.silence(608).speech(960)
    assert microphone.kinds == [Started, Paused, Resumed]


def test_what_sounds_unfinished_ends_after_the_patient_silence():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.05)
    assert 900 <= finished_after(2000, microphone) + 96 <= 900 + 32


def test_without_a_verdict_the_patient_silence_holds():
    assert 900 <= finished_after(2000, Microphone().speech(1600)) <= 900 + 32


def test_a_doubtful_verdict_waits_for_something_in_between():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.5)
    assert 450 <= finished_after(2000, microphone) + 96 <= 650


def test_a_verdict_that_comes_late_counts_from_the_next_window():
    microphone = Microphone().speech(1600).silence(480)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) == 32


def test_a_verdict_is_void_once_the_person_goes_on():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.95)
    microphone.speech(320)
    assert finished_after(2000, microphone) >= 900


def test_a_verdict_outside_a_pause_is_ignored():
    microphone = Microphone()
    microphone.endpointer.turn_probability(0.95)
    microphone.speech(1600)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) >= 900


def test_words_that_must_go_on_are_waited_for_whatever_the_sound():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.95)
    microphone.endpointer.hint("My number is five five five")
    assert finished_after(2000, microphone) + 96 >= 900


def test_a_number_that_is_dictated_gets_more_patience_than_anything_else():
    microphone = Microphone(dictation_silence_ms=1500).speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.99)
    microphone.endpointer.hint("My number is five five five")
    assert 1500 <= finished_after(3000, microphone) + 96 <= 1532


def test_an_answer_that_is_whole_by_sound_and_words_ends_at_once():
    microphone = Microphone(quick_silence_ms=128).speech(320).silence(96)
    microphone.endpointer.turn_probability(0.99)
    microphone.endpointer.hint("Yes.")
    assert finished_after(2000, microphone) + 96 <= 128 + 32


def test_an_answer_that_is_whole_by_its_words_alone_still_waits_a_little():
    microphone = Microphone(quick_silence_ms=128).speech(320).silence(96)
    microphone.endpointer.hint("Yes.")
    assert finished_after(2000, microphone) + 96 > 400


def test_words_that_come_while_the_silence_runs_still_hold_the_turn():
    microphone = Microphone(end_silence_ms=400).speech(1600).silence(320)
    microphone.endpointer.turn_probability(0.99)
    microphone.endpointer.hint("I would like to go there because")
    assert finished_after(2000, microphone) + 320 >= 900


def test_words_that_come_while_the_silence_runs_still_end_the_turn():
    microphone = Microphone().speech(1600).silence(640)
    microphone.endpointer.hint("Where are you from?")
    assert finished_after(2000, microphone) <= 32


def test_words_of_long_before_the_pause_do_not_say_how_it_ends():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("I would like the", up_to=1000 * MS)
    microphone.silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) + 96 <= 232


def test_words_of_just_before_the_pause_say_how_it_ends():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("I would like the", up_to=1500 * MS)
    microphone.silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) + 96 >= 900


def test_who_began_to_dictate_long_before_the_pause_still_dictates():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("My number is five five", up_to=1000 * MS)
    microphone.silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(3000, microphone) + 96 >= 1500


def test_a_question_shortens_the_wait_in_doubt():
    microphone = Microphone(language="es").speech(1600).silence(96)
    microphone.endpointer.hint("¿Qué hora es?")
    assert 450 <= finished_after(2000, microphone) + 96 <= 650


def test_a_comma_in_mid_speech_is_only_where_the_recogniser_had_to_stop():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("Go forward ten,")
    microphone.silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) + 96 <= 232


def test_a_comma_at_the_pause_is_the_speakers():
    microphone = Microphone().speech(1600).silence(96)
    microphone.endpointer.turn_probability(0.95)
    microphone.endpointer.hint("If it rains tomorrow,")
    assert finished_after(2000, microphone) + 96 >= 900


def test_the_words_up_to_the_pause_replace_those_before_it():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("I would like the")
    microphone.silence(96)
    microphone.endpointer.turn_probability(0.95)
    microphone.endpointer.hint("I would like the menu.")
    assert finished_after(2000, microphone) + 96 <= 232


def test_words_are_void_once_the_person_goes_on():
    microphone = Microphone().speech(1600)
    microphone.endpointer.hint("I would like the")
    microphone.silence(160).speech(320).silence(96)
    microphone.endpointer.turn_probability(0.95)
    assert finished_after(2000, microphone) + 96 <= 232


def test_a_click_is_not_heard_at_all():
    assert Microphone().silence(320).speech(32).silence(2000).events == []


def test_a_cough_is_withdrawn_and_ends_no_turn():
    microphone = Microphone().silence(320).speech(96).silence(2000)
    assert microphone.kinds == [Started, Withdrawn]
    assert microphone.time_of(Withdrawn) <= 320 + 96 + 200 + 32


def test_two_short_sounds_with_a_gap_are_one_utterance():
    microphone = Microphone().speech(96).silence(128).speech(96).silence(2000)
    assert microphone.kinds == [Started, Paused, Ended]


def test_a_short_yes_is_a_turn():
    assert Microphone().speech(160).silence(2000).kinds == [Started, Paused, Ended]


def test_a_dip_within_a_word_is_no_pause():
    microphone = Microphone().speech(640).silence(64).speech(640)
    assert microphone.kinds == [Started]


def test_a_click_in_a_pause_neither_resumes_nor_delays():
    microphone = Microphone().speech(1600).silence(320).speech(32).silence(2000)
    assert microphone.kinds == [Started, Paused, Ended]
    assert microphone.time_of(Ended) <= 1600 + 900 + 32


def test_hovering_between_the_thresholds_goes_on_but_does_not_start():
    microphone = Microphone().hears(640, 0.4)
    assert microphone.events == []
    microphone.speech(320).hears(3200, 0.4)
    assert microphone.kinds == [Started]


def test_endless_sound_is_cut_every_30_s_without_loss_or_overlap():
    microphone = Microphone().speech(70_000)
    assert microphone.kinds == [Started, Ended, Started, Ended, Started]
    events = [event for event, _ in microphone.events]
    assert events[1].end_sample == events[2].start_sample
    assert events[3].end_sample == events[4].start_sample
    assert events[1].end_sample - events[0].start_sample <= 30 * 16000 + WINDOW


def test_the_pre_roll_does_not_reach_into_the_last_utterance():
    microphone = Microphone(end_silence_ms=100).speech(1600).silence(96)
    microphone.endpointer.turn_probability(1.0)
    microphone.silence(64).speech(640)
    assert microphone.kinds == [Started, Paused, Ended, Started]
    assert microphone.events[3][0].start_sample >= microphone.events[2][0].end_sample


def test_reset_forgets_the_utterance_and_hears_the_next():
    microphone = Microphone().speech(640)
    microphone.endpointer.reset()
    microphone.silence(2000).speech(640)
    assert microphone.kinds == [Started, Started]
    assert microphone.events[1][0].start_sample >= 640 * MS


def test_samples_must_advance():
    endpointer = Endpointer()
    endpointer.step(0.1, WINDOW)
    with pytest.raises(ValueError, match="512"):
        endpointer.step(0.1, WINDOW)


FOLLOWS = {
    None: {Started},
    Started: {Paused, Withdrawn, Ended},
    Paused: {Resumed, Ended},
    Resumed: {Paused, Ended},
    Withdrawn: {Started},
    Ended: {Started},
}

probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, math.nan]))
runs = st.lists(st.tuples(probabilities, st.integers(1, 60)), max_size=25)
verdicts = st.one_of(st.none(), st.floats(0, 1))
texts = st.sampled_from(["", "and", "Are you?", "Yes.", "five five five"])
places = st.one_of(st.none(), st.integers(0, 30_000 * MS))


@settings(deadline=None)  # other work on the machine is no failure
@given(runs, st.lists(st.tuples(verdicts, texts, places), min_size=1, max_size=8))
def test_whatever_is_heard_events_alternate_and_nothing_sticks(heard, told):
    microphone = Microphone(longest_s=5)
    for (probability, windows), (verdict, text, place) in zip(heard, itertools.cycle(told)):
        microphone.hears(windows * 32, probability)
        microphone.endpointer.hint(text, place)
        if verdict is not None:
            microphone.endpointer.turn_probability(verdict)
    microphone.silence(2000)
    for before, after in itertools.pairwise([None, *microphone.kinds]):
        assert after in FOLLOWS[before]
    assert microphone.kinds[-1:] in ([], [Ended], [Withdrawn])
    samples = [
        sample
        for event, _ in microphone.events
        for sample in (getattr(event, "start_sample", None), getattr(event, "end_sample", None))
        if sample is not None
    ]
    assert samples == sorted(samples)
    assert all(0 <= sample <= microphone.at for sample in samples)
    assert microphone.speech(640).kinds[-1] is Started
