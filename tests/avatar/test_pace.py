"""Decisions about pace, from made-up answers; and that they never swing."""

import random
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest

from avatar.events import ReplyTimed
from avatar.latency import LIMIT_MS, TARGET_MS, Timeline
from avatar.pace import ALARM, ENOUGH, FEWEST_FIRST_WORDS, UP_AFTER, Pace
from avatar.recent import REMEMBERED, Recent
from speech.text.clauses import FIRST_WORDS

LIMIT = LIMIT_MS["first_face_frame"]


def answer(
    words=FIRST_WORDS,
    *,
    language="en",
    ended=220,
    token=120,
    word=20.0,
    voice=30,
    out=10,
    opener=None,
    excused=None,
):
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
    return ReplyTimed(
        "r", language, rows, {}, 0.0, opener_ms=opener, first_words=words, excused=excused
    )


def heavy(load_ms, ended=220):
    """One answer whose first picture left then."""
    rows = {"turn_ended": ended, "first_sound": load_ms - 20, "first_face_frame": load_ms}
    return ReplyTimed("r", "en", rows, {}, 0.0)


def given(pace, count, language="en", **machine):
    """The pace after `count` answers at its own choice of words; the choices."""
    chosen = []
    for _ in range(count):
        pace.observe(answer(pace.first_words(language), language=language, **machine))
        chosen.append(pace.first_words(language))
    return chosen


def test_on_a_fast_machine_nothing_is_done():
    pace = Pace()
    given(pace, 20)
    assert (pace.first_words("en"), pace.relief, pace.actions("en")) == (FIRST_WORDS, 0, ())


def test_a_slow_writer_gets_a_shorter_first_clause_and_says_so():
    pace = Pace()
    given(pace, ENOUGH, word=45)
    assert pace.first_words("en") == FEWEST_FIRST_WORDS
    assert pace.actions("en") == ("short_first_clause",)


def test_one_slow_answer_changes_nothing():
    pace = Pace()
    given(pace, 6)
    pace.observe(answer(token=2500, word=400))
    assert pace.actions("en") == ()


def test_the_first_clause_grows_again_once_the_machine_is_fast():
    pace = Pace()
    given(pace, 8, word=45)
    chosen = given(pace, 12, word=15)
    assert chosen[0] == FEWEST_FIRST_WORDS
    assert chosen[-1] == FIRST_WORDS
    assert pace.actions("en") == ()


def test_a_turn_that_ends_late_is_no_reason_for_a_shorter_first_clause():
    assert set(given(Pace(), 20, ended=450)) == {FIRST_WORDS}


def test_a_first_clause_that_comes_after_a_turn_that_ends_late_is_a_reason():
    assert given(Pace(), 20, ended=450, word=60)[-1] == FEWEST_FIRST_WORDS


def test_the_first_clause_grows_again_though_the_turns_end_late():
    pace = Pace()
    given(pace, 8, word=60, ended=330)
    assert pace.first_words("en") == FEWEST_FIRST_WORDS
    assert given(pace, 12, word=15, ended=330)[-1] == FIRST_WORDS


@pytest.mark.parametrize("ended", [150, 300, 340, 450, 700])
@pytest.mark.parametrize("word", range(15, 86, 5))
def test_a_steady_machine_makes_the_first_clause_change_once_at_most(word, ended):
    chosen = given(Pace(), 60, word=word, ended=ended)
    assert sum(a != b for a, b in pairwise(chosen)) <= 1


@pytest.mark.parametrize("seed", range(8))
def test_turns_that_end_soon_and_late_by_turns_do_not_make_it_swing(seed):
    ends, pace, chosen = random.Random(seed), Pace(), []
    for _ in range(200):
        ended = ends.choice((220, 700))
        pace.observe(answer(pace.first_words("en"), word=45, ended=ended))
        chosen.append(pace.first_words("en"))
    assert sum(a != b for a, b in pairwise(chosen)) <= 10


@pytest.mark.parametrize("seed", range(8))
def test_turns_whose_ends_scatter_around_the_clause_do_not_make_it_swing(seed):
    noise, pace, chosen = random.Random(seed), Pace(), []
    for _ in range(200):
        ended = round(noise.gauss(400, 60))
        pace.observe(answer(pace.first_words("en"), word=34, ended=ended))
        chosen.append(pace.first_words("en"))
    assert sum(a != b for a, b in pairwise(chosen)) <= 8


def test_each_language_has_first_clauses_of_its_own_length():
    pace = Pace()
    given(pace, 4, "es", word=90)
    assert "short_first_clause" in pace.actions("es")
    assert pace.first_words("en") == FIRST_WORDS
    given(pace, REMEMBERED, "en")
    assert "short_first_clause" not in pace.actions("en")
    assert pace.first_words("es") == FEWEST_FIRST_WORDS


def test_what_an_answer_takes_is_remembered_of_its_own_language():
    recent = defaultdict(Recent)
    pace = Pace(recent)
    given(pace, 3, "en")
    given(pace, 5, "es", token=900)
    assert (len(recent["en"]), len(recent["es"])) == (3, 5)
    assert recent["en"].token_ms() == 120
    assert recent["es"].token_ms() == 900


@pytest.mark.parametrize("excused", ["held", "tool"])
def test_what_was_kept_waiting_says_nothing_of_the_machine(excused):
    recent = defaultdict(Recent)
    pace = Pace(recent)
    for _ in range(8):
        pace.observe(replace(answer(token=4000, word=80), excused=excused))
    assert len(recent["en"]) == 0
    assert (pace.relief, pace.actions("en")) == (0, ())


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_machine_at_the_threshold_does_not_make_it_swing(seed):
    noise = random.Random(seed)
    pace, chosen = Pace(), []
    for _ in range(200):
        word = 27 * noise.lognormvariate(0, 0.15)
        token = round(noise.gauss(120, 15))
        pace.observe(answer(pace.first_words("en"), word=word, token=token))
        chosen.append(pace.first_words("en"))
    assert sum(a != b for a, b in pairwise(chosen)) <= 6


def test_what_one_call_learns_serves_the_next():
    recent = defaultdict(Recent)
    given(Pace(recent), 8, word=45)
    later = Pace(recent)
    later.observe(answer(word=45))
    assert later.actions("en") == ("short_first_clause",)


def test_the_machine_is_relieved_before_the_last_row_is_late():
    pace = Pace()
    for _ in range(ENOUGH):
        pace.observe(heavy(round((ALARM + 0.02) * LIMIT)))
    assert pace.actions("en") == ("smaller_face",)


def test_reliefs_come_one_by_one_and_the_mildest_first():
    pace, seen = Pace(reliefs=("smaller_face", "smaller_model")), []
    for _ in range(12):
        pace.observe(heavy(2 * LIMIT))
        seen.append(pace.actions("en"))
    assert seen[ENOUGH - 1] == ("smaller_face",)
    assert seen[2 * ENOUGH - 1] == ("smaller_face", "smaller_model")
    assert seen[-1] == seen[2 * ENOUGH - 1]


def test_a_relief_that_makes_no_difference_is_not_said_to_be_one():
    pace = Pace(applies=lambda relief: False)
    for _ in range(4):
        pace.observe(heavy(2 * LIMIT))
    assert pace.has_in_force("smaller_face")
    assert pace.actions("en") == ()


def test_a_long_pause_of_the_person_is_no_load_of_the_machine():
    pace = Pace()
    for _ in range(20):
        pace.observe(heavy(1100, ended=1000))
    assert pace.relief == 0


def test_what_an_answer_waited_for_its_opener_is_no_load_of_the_machine():
    behind, alone = Pace(), Pace()
    for _ in range(20):
        behind.observe(answer(opener=300, out=LIMIT))
        alone.observe(answer(out=LIMIT))
    assert (behind.relief, alone.relief) == (0, 1)


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


def opener_wait_s(pace, language, timeline, began_s, now_s, lasts_s=0.6):
    return pace.opener_wait_s(language, timeline, began_s, now_s, lasts_s)


def test_an_opener_waits_for_its_deadline_while_nothing_is_known():
    wait_s = opener_wait_s(Pace(), "en", timeline(), 10.2, 10.2)
    due_s = 10.2 + wait_s
    assert TARGET_MS["first_sound"] / 1000 < due_s - 10 < LIMIT_MS["first_sound"] / 1000


def test_an_opener_is_spoken_at_its_deadline_when_no_answer_is_in_sight():
    assert opener_wait_s(Pace(), "en", timeline(), 10.2, 10.71) == 0.0


@pytest.mark.parametrize("row", ["llm_first_token", "first_clause"])
def test_an_opener_is_not_spoken_when_the_answer_is_about_to_come(row):
    pace, now_s = Pace(), 10.71
    coming = timeline(**{row: now_s - 0.01})
    wait_s = opener_wait_s(pace, "en", coming, 10.2, now_s)
    assert wait_s > 0
    # ... but is, if it does not come after all
    assert opener_wait_s(pace, "en", coming, 10.2, now_s + wait_s + 0.01) == 0.0


def test_an_answer_that_is_spoken_needs_no_opener():
    spoken = timeline(llm_first_token=10.3, first_clause=10.6, tts_first_audio=10.7)
    assert opener_wait_s(Pace(), "en", spoken, 10.2, 10.8) is None


def test_no_two_answers_on_end_have_an_opener():
    pace = Pace()
    pace.observe(answer(token=900, opener=700))
    assert opener_wait_s(pace, "en", timeline(), 10.2, 11.6) is None
    pace.observe(answer(token=900))
    assert opener_wait_s(pace, "en", timeline(), 10.2, 11.6) == 0.0


@pytest.mark.parametrize("excused", ["held", "tool"])
def test_an_answer_that_was_kept_waiting_has_its_turn_with_an_opener_too(excused):
    pace = Pace()
    pace.observe(answer(token=900, opener=700, excused=excused))
    assert opener_wait_s(pace, "en", timeline(), 10.2, 11.6) is None


def test_an_answer_of_which_nothing_is_heard_comes_between_no_two():
    pace = Pace()
    pace.observe(answer(token=900, opener=700))
    pace.observe(ReplyTimed("r", "en", {"turn_ended": 220}, {}, 0.0))
    assert opener_wait_s(pace, "en", timeline(), 10.2, 11.6) is None


def test_an_opener_that_was_all_that_was_heard_counts():
    pace = Pace()
    pace.observe(ReplyTimed("r", "en", {"turn_ended": 220}, {}, 0.0, opener_ms=700))
    assert opener_wait_s(pace, "en", timeline(), 10.2, 11.6) is None


def test_a_slow_language_has_openers_sooner_and_the_other_does_not():
    pace = Pace()
    given(pace, 4, "es", token=1200)
    assert opener_wait_s(pace, "es", timeline(), 10.0, 10.35) == 0.0
    assert opener_wait_s(pace, "en", timeline(), 10.0, 10.35) > 0.0


def test_where_answers_are_late_as_a_rule_an_opener_comes_at_the_target():
    pace = Pace()
    given(pace, 4, token=1200)
    assert opener_wait_s(pace, "en", timeline(), 10.0, 10.0) < TARGET_MS["first_sound"] / 1000
    assert (
        opener_wait_s(pace, "en", timeline(), 10.0, 10.0 + TARGET_MS["first_sound"] / 1000) == 0.0
    )


def test_an_opener_that_would_delay_the_answer_is_not_spoken():
    pace = Pace()
    given(pace, 4, token=800)  # and heard after a second
    due_s = 10.0 + TARGET_MS["first_sound"] / 1000
    assert opener_wait_s(pace, "en", timeline(), 10.0, due_s, 0.5) == 0.0
    assert opener_wait_s(pace, "en", timeline(), 10.0, due_s, 0.65) > 0.0


def test_an_answer_that_is_overdue_is_preceded_by_any_opener():
    pace = Pace()
    given(pace, 4, token=800)
    assert opener_wait_s(pace, "en", timeline(), 10.0, 11.5, 3.0) == 0.0


def test_what_openers_take_does_not_have_answers_foreseen_later():
    with_openers, without = Pace(), Pace()
    for pace, opener, out in ((with_openers, 350, 900), (without, None, 10)):
        for _ in range(8):
            pace.observe(answer(token=500, opener=opener, out=out))
        pace.observe(answer(token=500))  # no two on end
    now_s = 10.0 + TARGET_MS["first_sound"] / 1000
    waits = [opener_wait_s(p, "en", timeline(), 10.0, now_s) for p in (with_openers, without)]
    assert waits[0] == pytest.approx(waits[1])


def test_a_drafted_answer_has_a_moment_after_a_late_end_of_the_turn():
    assert opener_wait_s(Pace(), "en", timeline(), 11.0, 11.0) == pytest.approx(0.25)
