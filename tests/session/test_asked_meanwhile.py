"""Answers that the client asks for while the person makes a sound: made ready, and held."""

import pytest

from avatar.events import ReplyEnded, ReplyHeld, ReplyResumed, ReplyStarted, UserSaid
from avatar.turn_taking import TurnTaking
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop, ToolResult, Typed
from tests.session.scripted_tools import LIGHTS, wants

STORY = "Once there was a king. He had three sons. They all went away one morning."
ASKED = Respond(response_id="asked", instructions="Say hello.")


def contents(messages):
    return [(message.role, message.content) for message in messages]


@pytest.mark.parametrize("asked_s", [0.55, 0.7, 1.5, 2.95, 3.1])
def test_who_speaks_is_not_talked_over_and_gets_one_answer_to_all(asked_s):
    call = ScriptedCall(["Fine."] * 5).says("well I wanted to ask you", 0.5, 3.0)
    call.presses(Typed("Are you there?"), asked_s).presses(ASKED, asked_s).run(8)
    assert not call.sounds_between(0, 3.2)
    assert call.statuses == ["cancelled", "completed"]
    first, _ = [event for _, event in call.of(ReplyEnded)]
    assert (first.response_id, first.heard, first.by_client) == ("asked", "", False)
    assert contents(call.history.messages) == [
        ("user", "Are you there? well I wanted to ask you"),
        ("assistant", "Fine."),
    ]


def test_beside_a_television_without_words_it_is_given_after_a_moment():
    call = ScriptedCall(["It is noon."]).coughs(0.5, 12.0).types("What time is it?", 2.0).run(9)
    assert call.heard == ["It is noon."]
    ((started_s, _),), ((resumed_s, _),) = call.of(ReplyStarted), call.of(ReplyResumed)
    assert started_s == 2.0, "it is thought of at once"
    assert 3.1 < resumed_s < 3.3
    assert call.sounds_between(resumed_s, resumed_s + 0.1)
    assert call.of(UserSaid) == [], "the sound goes on"


def test_a_click_delays_it_by_a_moment():
    call = ScriptedCall().coughs(0.5, 0.1).presses(Respond(), 0.58).run(6)
    assert call.of(ReplyHeld)
    assert call.statuses == ["completed"]
    assert call.sounds_between(0.6, 1.3)


def test_where_speech_interrupts_nothing_it_is_given_as_asked():
    call = ScriptedCall(["Fine."]).presses(Configure(turn_taking=TurnTaking(interrupts=False)), 0)
    call.says("well I wanted to ask you", 0.5, 4.0).types("Are you there?", 1.0).run(3)
    assert call.heard == ["Fine."]
    assert call.sounds_between(1.0, 2.0)


def test_an_answer_that_is_only_written_is_not_held():
    call = ScriptedCall(["Fine."]).presses(Configure(speaks=False), 0.1)
    call.says("well I wanted to ask you", 0.5, 4.0).types("Are you there?", 1.0).run(2)
    assert call.heard == ["Fine."]


def test_a_client_that_answers_turns_itself_asks_again_behind_the_turn():
    call = ScriptedCall(["Fine."])
    call.presses(Configure(turn_taking=TurnTaking(answers=False)), 0.1)
    call.says("well I wanted to ask you", 0.5, 3.0).presses(Respond(), 1.5)
    call.presses(Respond(), 4.0).run(8)
    assert call.statuses == ["cancelled", "completed"]
    assert call.heard == ["", "Fine."]
    assert call.asked_of_the_model(-1)[-1].content == "well I wanted to ask you"
    assert not call.sounds_between(0, 3.0)


def test_a_greeting_that_a_noise_has_ended_is_given_behind_it():
    call = ScriptedCall().coughs(0.5, 4.0).presses(Respond(), 1.0)
    call.recognizer.takes_s = 3.0  # nothing is known of the sound when patience ends
    call.run(14)
    assert call.statuses == ["cancelled", "completed"]
    assert call.heard[1]


def test_what_was_stopped_while_it_was_held_is_not_owed():
    call = ScriptedCall(["Never."] * 3).coughs(0.5, 3.0).presses(Respond(), 1.0)
    call.presses(Stop(), 1.5).run(8)
    assert call.statuses == ["cancelled"]
    assert call.loud_frames == []


def test_the_result_of_a_tool_is_told_with_the_answer_to_what_is_said_meanwhile():
    call = ScriptedCall([[wants(LIGHTS, "{}")], "It is on, and fine."])
    call.presses(Configure(tools=(LIGHTS,)), 0.1).types("Lights on!", 0.5)
    call.says("and tell me how you are", 1.2, 4.0)
    call.presses(ToolResult("call_1", "on"), 2.5).presses(Respond(), 2.5).run(9)
    assert not call.sounds_between(1.5, 4.0)
    assert call.heard == ["", "", "It is on, and fine."]
    told = [m.content for m in call.asked_of_the_model(-1) if m.role in ("user", "tool")]
    assert told == ["Lights on!", "on", "and tell me how you are"]


def test_a_listeners_sound_over_the_answer_before_holds_the_next_and_lets_it_go_on():
    call = ScriptedCall([STORY, "Fine."]).types("Tell me a story.", 0.5)
    call.says("mm-hm", 2.5, 3.2).presses(Respond(), 3.0).run(9)
    assert call.statuses == ["cancelled", "completed"]
    assert call.heard[1] == "Fine."
    assert not call.sounds_between(3.0, 3.2)
