"""A judge of the words has a say in whether a turn is over."""

import asyncio

import pytest

from avatar.events import ReplyStarted, UserNotUnderstood
from speech.errors import LanguageModelError
from tests.session.scripted_call import ScriptedCall


class Judge:
    """Says `probability` after `takes_s`, or fails."""

    def __init__(self, probability=1.0, takes_s=0.06, failure=None):
        self.probability, self.takes_s, self.failure = probability, takes_s, failure
        self.asked, self.asked_s = [], []

    async def closes(self, text, language):
        self.asked.append((text, language))
        self.asked_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        if self.failure is not None:
            raise self.failure
        return self.probability


def waited_s(judge, sound=0.99):
    """How long the silence was that ended a turn."""
    call = ScriptedCall(["I see."]).says("the train was late", 0.5, 1.5)
    call.closing, call.turn_detector.probability = judge, sound
    call.run(6)
    ((at_s, _),) = call.of(ReplyStarted)
    return at_s - 1.5


def test_words_that_must_go_on_are_waited_for_though_they_sound_finished():
    assert waited_s(Judge(0.9)) < 0.4
    assert waited_s(Judge(0.0002)) > 1.0


def test_a_turn_is_not_over_before_its_words_are_judged():
    assert 0.5 < waited_s(Judge(0.9, takes_s=0.45)) < 0.65


@pytest.mark.parametrize("failure", [LanguageModelError("gone"), ZeroDivisionError("unforeseen")])
def test_a_judge_that_breaks_leaves_the_end_of_the_turn_to_the_sound(failure):
    assert waited_s(Judge(failure=failure)) < 0.4


def test_words_that_are_not_recognised_leave_it_to_the_sound_as_well():
    call = ScriptedCall().says("the train was late", 0.5, 1.5)
    call.closing, call.turn_detector.probability = Judge(), 0.99
    call.recognizer.fails = [True] * 9
    call.run(6)
    ((at_s, _),) = call.of(UserNotUnderstood)
    assert at_s - 1.5 < 0.4


def test_every_pause_is_judged_by_all_the_words_of_the_turn():
    call = ScriptedCall(["I see."]).says("the train was", 0.5, 1.3).says("late", 1.7, 2.3)
    call.closing, call.turn_detector.probability = Judge(), 0.0
    call.run(6)
    assert call.closing.asked == [("the train was", "en"), ("the train was late", "en")]


def test_a_late_verdict_on_an_earlier_pause_is_void():
    call = ScriptedCall(["I see."]).says("the train was", 0.5, 1.3).says("late", 1.7, 2.3)
    call.closing = judge = Judge(0.9, takes_s=0.9)
    call.turn_detector.probability, call.recognizer.takes_s = 0.99, 0.2
    call.run(6)
    ((at_s, _),) = call.of(ReplyStarted)
    assert at_s - 2.3 > 1.0
    first_s, second_s = judge.asked_s
    assert 2.4 < first_s - call.zero_s + 0.9 < second_s - call.zero_s, "in the second pause"
