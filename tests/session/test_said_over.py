"""Words that are said over an answer which they may not interrupt: answered once it is over."""

import asyncio

import pytest

from avatar.commands import Farewell, Noted
from avatar.events import ReplyEnded, ReplyStarted, UserNotUnderstood
from avatar.turn_taking import TurnTaking
from speech.errors import RecognizerError
from tests.session.scripted_call import APOLOGY, Configure, Respond, ScriptedCall, Stop, ToolResult
from tests.session.scripted_tools import LIGHTS, wants

STORY = "Once there was a king. He had three sons. They all went away one morning."
TO_ITS_END = Configure(turn_taking=TurnTaking(interrupts=False))


def a_story(*replies):
    """A call in which a story is told from about 0.9 to 5.4 s, whoever speaks."""
    return ScriptedCall([STORY, *replies]).presses(TO_ITS_END, 0.0).types("Tell me a story.", 0.5)


def failing_from(call, begin_s):
    """The call's recogniser, broken from a time on."""
    recognize = call.recognizer.recognize

    async def recognize_until(pcm, draft=None):
        if asyncio.get_running_loop().time() > begin_s:
            raise RecognizerError("gone")
        return await recognize(pcm, draft)

    return recognize_until


def contents(messages):
    return [(message.role, message.content) for message in messages]


def test_it_is_answered_once_the_answer_is_over():
    call = a_story("She stayed.").says("and the queen please", 2.0, 3.0).run(12)
    assert call.heard == [STORY, "She stayed."]
    assert contents(call.history.messages) == [
        ("user", "Tell me a story."),
        ("assistant", STORY),
        ("user", "and the queen please"),
        ("assistant", "She stayed."),
    ]
    assert contents(call.asked_of_the_model(1)) == contents(call.history.messages[:3])
    (_, (second_s, _)), ((over_s, _), _) = call.of(ReplyStarted), call.of(ReplyEnded)
    assert second_s == over_s


def test_all_that_is_said_over_it_gets_one_answer():
    call = a_story("She stayed.").says("and the queen please", 1.5, 2.2)
    call.says("did she stay at home", 3.5, 4.2).run(12)
    assert call.heard == [STORY, "She stayed."]
    assert call.asked_of_the_model(1)[-1].content == "and the queen please did she stay at home"


def test_who_still_speaks_when_the_answer_ends_is_heard_out():
    call = a_story("She stayed.").says("and the queen please", 2.0, 2.8)
    call.says("did she stay at home", 4.8, 7.0).run(14)
    assert call.heard == [STORY, "She stayed."]
    assert call.asked_of_the_model(1)[-1].content == "and the queen please did she stay at home"
    assert not call.sounds_between(6.2, 7.0)


def test_a_sound_at_the_end_of_the_answer_loses_nothing():
    call = a_story("She stayed.").says("and the queen please", 2.0, 2.8).coughs(4.9, 1.0).run(14)
    assert call.heard == [STORY, "She stayed."]


def test_it_is_answered_though_what_was_said_next_was_not_understood():
    call = a_story("She stayed.").says("and the queen please", 1.5, 2.2)
    call.says("did she stay at home", 4.8, 6.4)
    call.recognizer.recognize = failing_from(call, 4.0)
    call.run(16)
    assert call.of(UserNotUnderstood)
    assert call.heard == [STORY, "She stayed."]
    assert call.asked_of_the_model(-1)[-1].content == "and the queen please"


def test_who_says_mm_hm_over_it_gets_no_answer():
    call = a_story("Never.").says("mm-hm", 2.0, 2.5).run(12)
    assert call.heard == [STORY]
    assert call.history.messages[-1].content == STORY


def test_what_the_client_has_answered_is_not_answered_again():
    call = a_story("She stayed.", "Never.").says("and the queen please", 2.0, 3.0)
    call.presses(Respond(), 4.0).run(12)
    assert call.statuses == ["cancelled", "completed"]
    assert call.heard[1] == "She stayed."
    assert call.history.messages[-1].content == "She stayed."


def test_what_the_client_wants_no_answer_to_is_not_answered():
    call = a_story("Never.").says("and the queen please", 2.0, 3.0).presses(Stop(), 4.0).run(12)
    assert call.statuses == ["cancelled"]
    assert [m.role for m in call.history.messages] == ["user", "assistant", "user"]


def test_a_client_that_answers_turns_itself_is_left_to_it():
    turns = TurnTaking(interrupts=False, answers=False)
    call = a_story("Never.").presses(Configure(turn_taking=turns), 0.1)
    call.says("and the queen please", 2.0, 3.0).run(12)
    assert call.heard == [STORY]


def test_nothing_is_said_after_goodbye():
    call = a_story("Never.").says("and the queen please", 2.0, 3.0).presses(Farewell(), 4.0).run(16)
    assert len(call.heard) == 2
    assert "Goodbye" in call.heard[1]


def test_an_answer_is_not_cut_for_words_that_were_not_understood():
    call = a_story().says("and the queen please", 2.0, 3.0)
    call.recognizer.fails = [True] * 9
    call.run(12)
    assert call.of(UserNotUnderstood)
    assert call.heard == [STORY]
    assert APOLOGY not in call.clauses


def test_a_note_meanwhile_changes_nothing():
    call = a_story("She stayed.").says("and the queen please", 2.0, 3.0)
    call.presses(Noted("system", "The queen's name is Ada.", "note"), 4.0).run(12)
    assert call.heard == [STORY, "She stayed."]


def lights_meanwhile(*replies):
    """The story ends with a call of the client's tool."""
    call = ScriptedCall([[STORY, wants(LIGHTS, "{}")], *replies]).presses(TO_ITS_END, 0.0)
    call.client_tool_s = 9.0
    return call.presses(Configure(tools=(LIGHTS,)), 0.1).types("Tell me a story.", 0.5)


def test_what_is_said_over_an_answer_that_calls_a_tool_waits_for_the_result():
    call = lights_meanwhile("It is on, and she stayed.").says("and the queen please", 2.0, 3.0)
    call.presses(ToolResult("call_1", "on"), 7.0).presses(Respond(), 7.0).run(16)
    assert call.heard == [STORY, "It is on, and she stayed."]
    assert [m.role for m in call.history.messages][-1] == "assistant"


@pytest.mark.parametrize("has_result", [False, True])
def test_and_is_answered_if_the_client_never_goes_on(has_result):
    call = lights_meanwhile("She stayed.").says("and the queen please", 2.0, 3.0)
    if has_result:
        call.presses(ToolResult("call_1", "on"), 7.0)
    call.run(20)
    assert call.heard[0] == STORY
    assert call.heard[-1] == "She stayed."
    assert len(call.heard) == (2 if has_result else 3), "an excuse before, if it took too long"
