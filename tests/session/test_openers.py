"""Words before an answer that is late: heard, and no part of it."""

import pytest

from avatar.events import OpenerHeard, ReplyEnded, ReplyHeard, ReplyTimed
from tests.session.openers import opener
from tests.session.scripted_call import Respond, ScriptedCall


def call_with_openers(*replies):
    call = ScriptedCall(list(replies))
    call.openers = {"en": (opener("Let me see."), opener("Well."))}
    return call


def test_a_late_answer_is_preceded_by_an_opener():
    call = call_with_openers("I am fine, thank you.").says("how are you", 0.5, 1.8)
    call.model.first_word_s = 2.0
    call.run(9)
    ((opened_s, heard),) = call.of(OpenerHeard)
    (answered_s, _), *_ = call.of(ReplyHeard)
    assert heard.text == "Let me see."
    assert 0.3 < opened_s - 1.8 < 0.8
    assert call.sounds_between(opened_s, opened_s + 0.1)
    assert answered_s >= opened_s + heard.lasts_ms / 1000
    assert call.heard == ["I am fine, thank you."]


def test_an_opener_is_neither_remembered_nor_taken_for_the_answer():
    call = call_with_openers("I am fine, thank you.").says("how are you", 0.5, 1.8)
    call.model.first_word_s = 2.0
    call.run(9)
    assert [m.content for m in call.history.messages] == ["how are you", "I am fine, thank you."]
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.opener_ms < 800
    assert timed.rows_ms["first_sound"] > 2000
    assert timed.actions == ("opener",)


def test_the_first_opener_is_said_that_does_not_delay_the_answer():
    call = call_with_openers(*["I am fine, thank you."] * 5)
    call.openers = {"en": (opener("Well, let me think about that.", 2.0), opener("Well."))}
    call.model.first_word_s = 1.2
    for turn in range(5):
        call.says("how are you", 1 + 8 * turn, 2 + 8 * turn)
    call.run(42)
    *_, later = [event.text for _, event in call.of(OpenerHeard)]
    assert later == "Well."


def test_an_answer_in_time_has_none():
    call = call_with_openers("I am fine, thank you.").says("how are you", 0.5, 1.8).run(8)
    assert call.of(OpenerHeard) == []
    ((_, timed),) = call.of(ReplyTimed)
    assert (timed.opener_ms, timed.actions) == (None, ())


def test_no_two_answers_on_end_have_one_and_they_take_turns():
    call = call_with_openers(*["I am fine, thank you."] * 4)
    call.model.first_word_s = 2.0
    for turn in range(4):
        call.says("how are you", 1 + 8 * turn, 2 + 8 * turn)
    call.run(34)
    assert [event.text for _, event in call.of(OpenerHeard)] == ["Let me see.", "Well."]
    assert [t.opener_ms is None for _, t in call.of(ReplyTimed)] == [False, True, False, True]


def test_an_answer_that_a_click_delays_behind_its_opener_counts_among_those_on_end():
    call = call_with_openers(*["I am fine, thank you."] * 2)
    call.model.first_word_s = 2.0
    call.says("how are you", 1, 2).coughs(2.6, 0.11).says("how are you", 9, 10).run(18)
    assert [event.text for _, event in call.of(OpenerHeard)] == ["Let me see."]
    first, second = (timed for _, timed in call.of(ReplyTimed))
    assert (first.excused, second.opener_ms) == ("held", None)


def test_the_person_may_speak_over_an_opener_and_is_still_answered():
    call = call_with_openers("Never heard.", "Both.").says("how are you", 0.5, 1.8)
    call.model.first_word_s = 2.0
    call.says("I mean today", 2.75, 3.6).run(12)
    (opened_s, _), *_ = call.of(OpenerHeard)
    assert opened_s < 2.75
    assert call.statuses[0] == "cancelled"
    assert call.heard == ["", "Both."]
    assert not call.sounds_between(3.05, 3.6)


def test_a_greeting_has_none_however_slow_the_voice_is():
    call = call_with_openers().presses(Respond(), 0.2)
    call.voice.takes_s = 2.0
    call.run(14)
    assert call.of(OpenerHeard) == []
    assert call.statuses == ["completed"]


def test_a_draft_that_waits_for_the_end_of_the_turn_says_no_opener():
    call = call_with_openers("Fine.").says("how are", 0.5, 1.8)
    call.turn_detector.probability = 0.0
    call.model.first_word_s = 2.0
    call.run(2.4)
    assert call.of(OpenerHeard) == []
    assert call.loud_frames == []


@pytest.mark.parametrize("fails_at", [0, 1])
def test_a_failure_after_an_opener_is_apologised_for(fails_at):
    call = call_with_openers("one two three").types("hello", 0.5)
    call.model.first_word_s, call.model.fail_at_word = 2.0, [fails_at]
    call.run(9)
    assert len(call.of(OpenerHeard)) == 1
    ((_, ended),) = call.of(ReplyEnded)
    assert ended.status == "failed"
    assert call.left_over == []


def test_an_answer_without_a_sound_ends_all_the_same():
    call = call_with_openers("").types("hello", 0.5).run(6)
    assert call.conversation.state == "listening"
    assert call.left_over == []
