"""Decisions about pace, from made-up answers; and that they never swing."""

import random
from itertools import pairwise

import pytest

from avatar.events import ReplyTimed
from avatar.latency import LIMIT_MS, TARGET_MS, Timeline
from avatar.pace import ALARM, ENOUGH, FEWEST_FIRST_WORDS, UP_AFTER, Pace, Recent
from speech.text.clauses import FIRST_WORDS

LIMIT = LIMIT_MS["first_face_frame"]


def answer(words=FIRST_WORDS, *, ended=220, token=120, word=20.0, voice=30, out=10, opener=None):
    """One answer as a machine of that speed gives it."""
    clause = round(token + words * word)
    rows = {
        "turn_ended": ended,
        "final_transcript": 90,
        "llm_first_token": token,
        "first_clause": clause,
        "tts_first_audio": clause + voice,
        "first_sound": max(ended, clause + voice) + out,
    }
    rows["first_face_frame"] = rows["first_sound"] + 20
    return ReplyTimed("r", rows, {}, 0.0, opener_ms=opener, first_words=words)


def heavy(load_ms, ended=220):
    """One answer whose first picture left then."""
    rows = {"turn_ended": ended, "first_sound": load_ms - 20, "first_face_frame": load_ms}
    return ReplyTimed("r", rows, {}, 0.0)


def given(pace, count, **machine):
    """The pace after `count` answers at its own choice of words; the choices."""
    chosen = []
    for _ in range(count):
        pace.observe(answer(pace.first_words, **machine))
        chosen.append(pace.first_words)
    return chosen


def test_on_a_fast_machine_nothing_is_done():
    pace = Pace()
    given(pace, 20)
    assert (pace.first_words, pace.relief, pace.actions) == (FIRST_WORDS, 0, ())


def test_a_slow_writer_gets_a_shorter_first_clause_and_says_so():
    pace = Pace()
    given(pace, ENOUGH, word=45)
    assert pace.first_words == FEWEST_FIRST_WORDS
    assert pace.actions == ("short_first_clause",)


def test_one_slow_answer_changes_nothing():
    pace = Pace()
    given(pace, 6)
    pace.observe(answer(token=2500, word=400))
    assert pace.actions == ()


def test_the_first_clause_grows_again_once_the_machine_is_fast():
    pace = Pace()
    given(pace, 8, word=45)
    chosen = given(pace, 12, word=15)
    assert chosen[0] == FEWEST_FIRST_WORDS
    assert chosen[-1] == FIRST_WORDS
    assert pace.actions == ()


@pytest.mark.parametrize("word", range(15, 46, 2))
def test_a_steady_machine_makes_the_first_clause_change_once_at_most(word):
    chosen = given(Pace(), 60, word=word)
    assert sum(a != b for a, b in pairwise(chosen)) <= 1


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_machine_at_the_threshold_does_not_make_it_swing(seed):
    noise = random.Random(seed)
    pace, chosen = Pace(), []
    for _ in range(200):
        word = 27 * noise.lognormvariate(0, 0.15)
        pace.observe(answer(pace.first_words, word=word, token=round(noise.gauss(120, 15))))
        chosen.append(pace.first_words)
    assert sum(a != b for a, b in pairwise(chosen)) <= 6


def test_what_one_call_learns_serves_the_next():
    recent = Recent()
    given(Pace(recent), 8, word=45)
    later = Pace(recent)
    later.observe(answer(word=45))
    assert later.actions == ("short_first_clause",)


def test_the_machine_is_relieved_before_the_last_row_is_late():
    pace = Pace()
    for _ in range(ENOUGH):
        pace.observe(heavy(round((ALARM + 0.02) * LIMIT)))
    assert pace.actions == ("smaller_face",)


def test_reliefs_come_one_by_one_and_the_mildest_first():
    pace, seen = Pace(reliefs=("smaller_face", "smaller_model")), []
    for _ in range(12):
        pace.observe(heavy(2 * LIMIT))
        seen.append(pace.actions)
    assert seen[ENOUGH - 1] == ("smaller_face",)
    assert seen[2 * ENOUGH - 1] == ("smaller_face", "smaller_model")
    assert seen[-1] == seen[2 * ENOUGH - 1]


def test_a_relief_that_makes_no_difference_is_not_said_to_be_one():
    pace = Pace(applies=lambda relief: False)
    for _ in range(4):
        pace.observe(heavy(2 * LIMIT))
    assert pace.has_in_force("smaller_face")
    assert pace.actions == ()


def test_a_long_pause_of_the_person_is_no_load_of_the_machine():
    pace = Pace()
    for _ in range(20):
        pace.observe(heavy(1100, ended=1000))
    assert pace.relief == 0


def test_relief_is_taken_back_after_easy_answers_only():
    pace = Pace()
    for _ in range(4):
        pace.observe(heavy(2 * LIMIT))
    for _ in range(30):
        pace.observe(heavy(round(0.8 * LIMIT)))  # neither alarming nor easy
    assert pace.relief == 1
    for _ in range(UP_AFTER):
        pace.observe(heavy(round(0.5 * LIMIT)))
    assert pace.relief == 0


def test_relief_that_works_only_while_it_lasts_is_taken_back_ever_more_rarely():
    pace, relief = Pace(), []
    for _ in range(300):
        pace.observe(heavy(round((0.6 if pace.relief else 1.1) * LIMIT)))
        relief.append(pace.relief)
    changes = sum(a != b for a, b in pairwise(relief))
    assert changes <= 16
    late = relief[150:].count(0) / 150
    assert late < 0.1, "for nearly all of the time it is left in force"


def timeline(**at_s):
    return Timeline(10.0, at_s)


def test_an_opener_waits_for_its_deadline_while_nothing_is_known():
    wait_s = Pace().opener_wait_s(timeline(), 10.2, 10.2)
    due_s = 10.2 + wait_s
    assert TARGET_MS["first_sound"] / 1000 < due_s - 10 < LIMIT_MS["first_sound"] / 1000


def test_an_opener_is_spoken_at_its_deadline_when_no_answer_is_in_sight():
    assert Pace().opener_wait_s(timeline(), 10.2, 10.71) == 0.0


@pytest.mark.parametrize("row", ["llm_first_token", "first_clause"])
def test_an_opener_is_not_spoken_when_the_answer_is_about_to_come(row):
    pace = Pace()
    now_s = 10.71
    wait_s = pace.opener_wait_s(timeline(**{row: now_s - 0.01}), 10.2, now_s)
    assert wait_s > 0
    # ... but is, if it does not come after all
    assert pace.opener_wait_s(timeline(**{row: now_s - 0.01}), 10.2, now_s + wait_s + 0.01) == 0.0


def test_an_answer_that_is_spoken_needs_no_opener():
    spoken = timeline(llm_first_token=10.3, first_clause=10.6, tts_first_audio=10.7)
    assert Pace().opener_wait_s(spoken, 10.2, 10.8) is None


def test_no_two_answers_on_end_have_an_opener():
    pace = Pace()
    pace.observe(answer(token=900, opener=700))
    assert pace.opener_wait_s(timeline(), 10.2, 11.6) is None
    pace.observe(answer(token=900))
    assert pace.opener_wait_s(timeline(), 10.2, 11.6) == 0.0


def test_where_answers_are_late_as_a_rule_an_opener_comes_at_the_target():
    pace = Pace()
    given(pace, 4, token=1200)
    assert pace.opener_wait_s(timeline(), 10.0, 10.0) < TARGET_MS["first_sound"] / 1000
    assert pace.opener_wait_s(timeline(), 10.0, 10.0 + TARGET_MS["first_sound"] / 1000) == 0.0


def test_a_drafted_answer_has_a_moment_after_a_late_end_of_the_turn():
    assert Pace().opener_wait_s(timeline(), 11.0, 11.0) == pytest.approx(0.25)
