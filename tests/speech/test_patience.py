"""A person who was taken for finished too soon is waited for longer, within one call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.endpointing import Ended, Paused, Started
from speech.patience import GOING_ON_SAMPLES, Patience
from tests.speech.test_endpointing import Microphone

SECOND = 16_000
LONGEST_MS = 1500  # the dictation silence
WINDOW_MS = 32


def turn(microphone, then_silent_ms, finished=0.8, text=None):
    """Say something; returns the silence that ended it, in milliseconds."""
    microphone.speech(640).silence(96)
    microphone.endpointer.turn_probability(finished)
    if text is not None:
        microphone.endpointer.hint(text)
    spoken, known = microphone.at, len(microphone.events)
    microphone.silence(then_silent_ms)
    ends = [ms for event, ms in microphone.events[known:] if isinstance(event, Ended)]
    return 96 + ends[0] - spoken // 16 if ends else None


def last_start(microphone):
    return [e.start_sample for e, _ in microphone.events if isinstance(e, Started)][-1]


def wait_after(pauses_ms, **settings):
    """How long the silence is that ends a turn behind turns with such pauses between them."""
    microphone = Microphone(**settings)
    for pause_ms in pauses_ms:
        turn(microphone, pause_ms)
    return turn(microphone, 4000)


def test_who_goes_on_after_all_is_waited_for_longer_the_next_time():
    never, once, twice = (wait_after([4000, *[640] * n]) for n in range(3))
    assert never < once < twice


def test_who_ends_cleanly_never_waits_longer():
    assert wait_after([4000] * 8) == wait_after([])


def test_who_speaks_again_soon_after_a_short_answer_had_finished_before():
    microphone = Microphone()
    for _ in range(4):
        turn(microphone, 640)
        microphone.endpointer.stands()
    assert turn(microphone, 4000) == wait_after([])


def test_a_noise_and_an_echo_teach_nothing():
    noise, echo = Microphone(), Microphone()
    for _ in range(4):
        turn(noise, 640)
        noise.endpointer.was_noise(last_start(noise))
        turn(echo, 640)
        echo.speech(160)
        echo.endpointer.reset()
        echo.silence(2400)
    assert turn(noise, 4000) == turn(echo, 4000) == wait_after([])


def noted(patience, *utterances):
    """Each is its first sample, that of its speech, and one past the last."""
    for start, begin, end in utterances:
        patience.heard(start, begin)
        patience.took(start, end, expected=True)
    return patience


FIRST, NOISE = (0, SECOND, 2 * SECOND), (2 * SECOND, 3 * SECOND, 4 * SECOND)


@pytest.mark.parametrize("begin_s", [4.5, 5.5, 9])
def test_a_noise_that_is_known_late_takes_back_what_it_taught_and_no_more(begin_s):
    begin = round(begin_s * SECOND)
    after = (4 * SECOND, begin, begin + SECOND)
    late = noted(Patience(), FIRST, NOISE, after)
    late.unhear(NOISE[0])
    without = noted(Patience(), FIRST, after)
    assert late.share == without.share
    for one in (late, without):
        one.heard(begin + SECOND, begin + 2 * SECOND)
    assert late.share == without.share


def test_what_was_never_heard_is_not_taken_back():
    patience = noted(Patience(), FIRST, NOISE)
    patience.unhear(7)
    assert patience.share == noted(Patience(), FIRST, NOISE).share > 0


def test_clean_ends_make_up_for_one_that_was_none():
    assert wait_after([640, *[4000] * 5]) == wait_after([])
    assert wait_after([640, *[4000] * 2]) > wait_after([])


def test_a_long_silence_says_nothing_for_the_models():
    patience, other = Patience(), Patience()
    for one in (patience, other):
        one.took(0, 0, expected=True)
        one.heard(1, SECOND)
        one.took(1, 2 * SECOND, expected=one is other)
        one.heard(2, 9 * SECOND)
    assert other.share < patience.share


def test_what_sounds_unfinished_gets_some_of_the_dictation_silence():
    microphone = Microphone()
    for _ in range(2):
        turn(microphone, 640)
    assert turn(microphone, 4000, finished=0.0) > 1400


def test_what_nobody_doubts_ends_as_soon_as_ever():
    patient = Microphone()
    for _ in range(5):
        turn(patient, 640)
    assert turn(patient, 4000, finished=0.9999) == turn(Microphone(), 4000, finished=0.9999)


@pytest.mark.parametrize("silence_ms", [300, 700])
def test_a_client_that_asked_for_a_silence_gets_it(silence_ms):
    microphone = Microphone()
    for _ in range(3):
        turn(microphone, 640)
    microphone.endpointer.tune(end_silence_ms=silence_ms, patient_silence_ms=silence_ms)
    assert silence_ms <= turn(microphone, 4000) <= silence_ms + WINDOW_MS
    microphone.endpointer.tune(threshold=0.6)
    assert turn(microphone, 4000) > 700


def test_a_silence_that_a_client_asked_for_teaches_nothing():
    microphone = Microphone()
    microphone.endpointer.tune(end_silence_ms=200, patient_silence_ms=200)
    for _ in range(3):
        turn(microphone, 640)
    microphone.endpointer.tune()
    assert turn(microphone, 4000) == wait_after([])


def test_who_is_not_to_be_learnt_from_is_not():
    assert wait_after([640] * 3, learns=False) == wait_after([])


def test_a_cough_after_a_turn_is_no_going_on():
    microphone = Microphone()
    turn(microphone, 640)
    microphone.speech(96).silence(4000)
    assert turn(microphone, 4000) == wait_after([])


def test_who_goes_on_behind_a_cough_goes_on():
    microphone = Microphone()
    turn(microphone, 320)
    microphone.speech(96).silence(480)
    turn(microphone, 4000)
    assert turn(microphone, 4000) > wait_after([])


def test_what_was_forgotten_teaches_nothing():
    microphone = Microphone()
    turn(microphone, 640)
    microphone.endpointer.reset()
    assert turn(microphone, 4000) == wait_after([])


def test_who_is_cut_for_length_does_not_wait_longer():
    microphone = Microphone(longest_s=2)
    microphone.speech(2400)
    assert Paused not in microphone.kinds
    microphone.silence(4000)
    assert turn(microphone, 4000) == wait_after([])


@given(st.lists(st.tuples(st.integers(0, 4 * SECOND), st.booleans()), max_size=40))
def test_the_share_stays_within_its_bounds_and_clean_ends_bring_it_back(turns):
    patience, at = Patience(), 0
    for pause, expected in turns:
        patience.took(at, at, expected=expected)
        at += pause
        patience.heard(at, at)
        assert 0 <= patience.share <= 1
    for _ in range(11):
        patience.took(at, at, expected=True)
        at += GOING_ON_SAMPLES + 1
        patience.heard(at, at)
    assert patience.share == 0


said = st.tuples(
    st.sampled_from([0.0, 0.4, 0.6, 0.8, 1.0]),
    st.sampled_from([None, "and", "Are you?", "five five five", "the train was late"]),
)


@given(st.lists(st.tuples(st.integers(200, 4000), said), max_size=8), said)
def test_nobody_waits_shorter_than_before_nor_absurdly_long(before, last):
    waits = []
    for learns in (True, False):
        microphone = Microphone(learns=learns)
        for pause_ms, (finished, text) in before:
            turn(microphone, pause_ms, finished, text)
        microphone.silence(4000)
        waits.append(turn(microphone, 4000, *last))
    assert waits[1] <= waits[0] <= LONGEST_MS + WINDOW_MS


@given(st.lists(st.tuples(st.integers(32, 1200), st.sampled_from([0.02, 0.95])), max_size=20))
def test_the_first_turn_ends_as_if_nothing_were_ever_learnt(runs):
    firsts = []
    for learns in (True, False):
        microphone = Microphone(learns=learns)
        for ms, probability in runs:
            microphone.hears(ms, probability)
            microphone.endpointer.turn_probability(0.8)
        events = microphone.silence(2000).events
        ends = [i for i, (event, _) in enumerate(events) if isinstance(event, Ended)]
        firsts.append(events[: ends[0] + 1] if ends else events)
    assert firsts[0] == firsts[1]
