"""Tools that the server runs, inside an answer."""

import pytest

from avatar.dialogue.history import NO_RESULT
from avatar.events import CoverHeard, OpenerHeard, ReplyEnded, ReplyHeard, ReplyTimed
from speech.errors import ToolError
from speech.llm.telling import told_already
from tests.session.openers import opener
from tests.session.scripted_call import (
    APOLOGY,
    Configure,
    Respond,
    ScriptedCall,
    Stop,
    ToolResult,
)
from tests.session.scripted_tools import COVERS, LIGHTS, WEATHER, ScriptedServerTools, wants


def call_with(*replies, **tools):
    call = ScriptedCall(list(replies))
    call.server_tools = ScriptedServerTools(**tools)
    call.covers = COVERS
    return call


def remembered(call):
    return [(m.role, m.content or [c.name for c in m.tool_calls]) for m in call.history.messages]


def test_an_answer_is_written_with_what_a_tool_says():
    call = call_with([wants()], "It is sunny in Paris.").says("weather in Paris", 0.5, 1.8).run(8)
    assert call.server_tools.calls == [("weather", {"city": "Paris"})]
    assert call.heard == ["It is sunny in Paris."]
    assert call.statuses == ["completed"]
    assert call.model.offered[0] == (("weather",), "auto")
    result = call.asked_of_the_model(1)[-1]
    assert (result.role, result.content, result.call_id) == ("tool", "sunny", "call_1")


def test_the_next_turns_know_what_was_called():
    call = call_with([wants()], "It is sunny.", "You asked for Paris.")
    call.says("weather in Paris", 0.5, 1.8).says("what did I ask", 6.0, 7.2).run(12)
    assert remembered(call) == [
        ("user", "weather in Paris"),
        ("assistant", ["weather"]),
        ("tool", "sunny"),
        ("assistant", "It is sunny."),
        ("user", "what did I ask"),
        ("assistant", "You asked for Paris."),
    ]
    assert call.asked_of_the_model(2)[:4] == call.history.messages[:4]


def test_words_before_a_call_are_heard_before_the_tool_is_done():
    call = call_with(["Let me look", wants()], "It is sunny.", takes_s=3.0).types("weather", 0.5)
    call.run(9)
    (looked_s, looked), (sunny_s, _), *_ = call.of(ReplyHeard)
    assert looked.text.strip() == "Let me look"
    assert looked_s < 1.5
    assert sunny_s > 3.5
    assert call.statuses == ["completed"]


@pytest.mark.parametrize("nothing", ["", "[happy] 🙂"])
def test_a_model_that_makes_nothing_of_a_result_is_excused(nothing):
    call = call_with(["Let me look", wants()], nothing, "Sunny.").types("weather", 0.5)
    call.types("well?", 6.0).run(9)
    looked, told = call.heard
    assert looked.startswith("Let me look\n")
    assert looked.endswith(APOLOGY)
    assert told == "Sunny."
    assert call.statuses == ["failed", "completed"]


def test_a_model_that_makes_nothing_of_a_clients_result_is_excused():
    call = call_with(["Let me look", wants(LIGHTS, "{}")], "").types("lights", 0.5)
    call.presses(Configure(tools=(LIGHTS,)), 0.1)
    call.presses(ToolResult("call_1", "on"), 3.0).presses(Respond(), 3.0).run(8)
    assert call.heard == ["Let me look", APOLOGY]
    assert call.statuses == ["completed", "failed"]


@pytest.mark.parametrize(("written", "status"), [("", "failed"), ("🙂", "completed")])
def test_where_answers_are_written_a_smile_is_one(written, status):
    call = call_with(["Let me look", wants()], written).presses(Configure(speaks=False), 0.1)
    call.types("weather", 0.5).run(5)
    assert call.statuses == [status]


def test_a_slow_tool_is_covered_by_speech_and_again_after_long():
    call = call_with([wants()], "It is sunny.", takes_s=12.0).types("weather", 0.5).run(20)
    covers = call.of(CoverHeard)
    assert [cover.text for _, cover in covers] == ["One moment.", "Still looking."]
    called_s = 0.5 + call.model.word_s
    assert 0.8 <= covers[0][0] - called_s < 1.0
    assert 7 < covers[1][0] - covers[0][0] < 8.5
    assert all(call.sounds_between(at_s, at_s + 0.1) for at_s, _ in covers)
    assert call.heard == ["It is sunny."], "covers are no part of the answer"
    assert "One moment." not in str(call.history.messages)


def test_an_answer_that_is_only_written_is_not_covered():
    call = call_with([wants()], "It is sunny.", takes_s=3.0)
    call.presses(Configure(speaks=False), 0.1).types("weather", 0.5).run(9)
    assert call.of(CoverHeard) == []
    assert call.loud_frames == []
    assert call.statuses == ["completed"]


def test_a_quick_tool_is_not_covered():
    call = call_with([wants()], "It is sunny.", takes_s=0.5).types("weather", 0.5).run(6)
    assert call.of(CoverHeard) == []


def test_an_opener_is_cover_enough():
    call = call_with([wants()], "It is sunny.", takes_s=3.0).says("weather", 0.5, 1.8)
    call.openers, call.model.first_word_s = {"en": (opener("Let me see."),)}, 1.2
    call.run(12)
    assert len(call.of(OpenerHeard)) == 1
    assert call.of(CoverHeard) == []
    assert call.heard == ["It is sunny."]


def test_a_tool_that_is_waited_for_gets_no_opener():
    call = call_with([wants()], "It is sunny.", takes_s=3.0).says("weather", 0.5, 1.8)
    call.openers = {"en": (opener("Let me see."),)}
    call.run(12)
    assert call.of(OpenerHeard) == []
    assert len(call.of(CoverHeard)) == 1


def test_waiting_for_a_tool_leaves_a_timeline_that_says_so():
    call = call_with([wants()], "It is sunny.", takes_s=3.0).says("weather", 0.5, 1.8).run(9)
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.excused == "tool"
    assert timed.rows_ms["first_sound"] > 3000


def test_a_typed_question_is_timed_from_its_arrival_with_a_tool_or_without():
    call = call_with([wants()], "It is sunny.", "Yes.", takes_s=3.0)
    call.types("weather", 0.5).types("thank you", 8.0).run(11)
    waited, plain = (timed for _, timed in call.of(ReplyTimed))
    assert (waited.excused, plain.excused) == ("tool", None)
    assert waited.rows_ms["first_sound"] > 3000
    assert list(plain.rows_ms) == [
        "llm_first_token",
        "first_clause",
        "tts_first_audio",
        "first_sound",
    ]


def test_what_was_heard_before_a_tool_was_called_has_waited_for_none():
    call = call_with(["Let me look. Well,", wants()], "It is sunny.", takes_s=3.0)
    call.says("weather", 0.5, 1.8)
    call.model.word_s = 0.3  # the first sentence is heard before the call is written
    call.run(9)
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.excused is None
    assert timed.rows_ms["first_sound"] < 2000


def test_a_draft_calls_nothing_until_it_is_adopted():
    call = call_with([wants()], "It is sunny.").says("weather in Paris", 0.5, 1.8)
    call.turn_detector.probability = 0.4  # the turn is over 700 ms later
    call.run(8)
    assert call.conversation.drafts.adopted == 1
    (at_s,) = call.server_tools.at_s
    assert at_s - call.zero_s > 2.4, "the draft wanted it at about 2.0 s"
    assert call.heard == ["It is sunny."]


def test_a_draft_that_is_dropped_has_called_nothing():
    call = call_with([wants()], "Never.", takes_s=0.0)
    call.says("weather in", 0.5, 1.5).says("no nothing", 1.9, 2.9)
    call.turn_detector.probability = 0.0
    call.run(2.9)
    assert len(call.model.prompts) >= 1, "a draft was written"
    assert call.conversation.drafts.dropped == 1
    assert call.server_tools.calls == []
    assert call.history.messages == ()


def test_barge_in_abandons_a_tool_and_drops_its_result():
    call = call_with([wants()], "All right.", outputs=["sunny", "rainy"], takes_s=4.0)
    call.says("weather in Paris", 0.5, 1.8).says("no wait forget it", 3.5, 4.6).run(10)
    assert call.statuses[0] == "cancelled"
    assert call.server_tools.finished == 0
    assert remembered(call) == [
        ("user", "weather in Paris"),
        ("assistant", ["weather"]),
        ("tool", NO_RESULT),
        ("user", "no wait forget it"),
        ("assistant", "All right."),
    ]
    assert call.left_over == []


def test_barge_in_over_a_cover_silences_it():
    call = call_with([wants()], "All right.", takes_s=6.0)
    call.types("weather", 0.5).says("stop it now", 1.5, 3.0).run(9)
    ((covered_s, _),) = call.of(CoverHeard)
    assert covered_s < 1.5
    assert not call.sounds_between(1.8, 3.0)
    assert call.statuses[0] == "cancelled"


def test_stop_ends_the_wait_for_a_tool():
    call = call_with([wants()], takes_s=6.0).types("weather", 0.5).presses(Stop(), 2.0).run(9)
    assert call.statuses == ["cancelled"]
    assert call.conversation.state == "listening"
    assert not call.sounds_between(2.1, 9)


def test_a_tool_out_of_reach_is_excused_in_prepared_words():
    unreachable = ToolError("The server is gone.", retryable=True)
    call = call_with([wants()], "Never.", outputs=[unreachable]).types("weather", 0.5).run(7)
    assert call.heard == ["I'm sorry, that didn't work just now."]
    assert call.statuses == ["completed"]
    assert remembered(call)[2] == ("tool", "Failed: The server is gone.")


def test_what_a_tool_complains_of_is_told_by_the_model_and_not_by_the_log(caplog):
    complaint = ToolError("There is no such city.")
    call = call_with([wants()], "I know no such city.", outputs=[complaint])
    call.types("weather", 0.5).run(7)
    assert call.heard == ["I know no such city."]
    assert call.asked_of_the_model(1)[-1].content == "Failed: There is no such city."
    assert "a tool failed" in caplog.text
    assert "no such city" not in caplog.text


@pytest.mark.parametrize("wrong", ['{"town": "Paris"}', "{", "[]", '{"city": 7}'])
def test_wrong_arguments_never_leave_and_the_model_hears_why(wrong):
    call = call_with([wants(arguments=wrong)], "I can't.").types("weather", 0.5).run(7)
    assert call.server_tools.calls == []
    why = call.asked_of_the_model(1)[-1].content
    assert why.startswith("Failed: ")
    assert "weather" in why
    assert told_already(call.model.prompts[1]) == "", "nor are they words for a person"
    assert call.history.messages[1].tool_calls[0].arguments == "{}"
    assert call.heard == ["I can't."]


def test_a_tool_that_does_not_exist_is_never_called():
    call = call_with([wants(LIGHTS)], "I can't.").types("lights", 0.5).run(7)
    assert call.server_tools.calls == []
    assert call.asked_of_the_model(1)[-1].content == "Failed: There is no tool 'lights'."


def test_two_calls_run_side_by_side():
    both = [wants(), wants(arguments='{"city": "Rome"}', call_id="call_2")]
    call = call_with(both, "Both are sunny.", takes_s=2.0).types("weather", 0.5).run(9)
    first_s, second_s = call.server_tools.at_s
    assert second_s - first_s < 0.1
    assert [m.call_id for m in call.history.messages if m.role == "tool"] == ["call_1", "call_2"]


def test_a_model_that_only_calls_is_made_to_stop():
    call = call_with(*[[wants()]] * 20).types("weather", 0.5).run(12)
    assert len(call.server_tools.calls) == 4
    assert call.model.offered[-1][1] == "none"
    assert call.heard == ["I'm sorry, that didn't work just now."]
    assert call.statuses == ["completed"]


def test_a_tool_that_must_be_called_is_asked_for_once():
    call = call_with([wants()], "Sunny.").presses(Configure(tool_choice="required"), 0.1)
    call.types("weather", 0.5).run(7)
    assert [choice for _, choice in call.model.offered] == ["required", "auto"]


def test_tools_that_are_gone_are_offered_no_more():
    call = call_with("Fine.", "Fine.", tools=()).types("hello", 0.5).run(5)
    assert call.model.offered == [((), "auto")]


@pytest.mark.parametrize("reply", ["", "🙂"])
def test_a_model_that_has_nothing_to_say_after_a_tool_is_apologised_for(reply):
    call = call_with([wants()], reply).types("weather", 0.5).run(7)
    assert (call.statuses, call.heard) == (["failed"], [APOLOGY])


def test_a_model_that_fails_after_a_tool_is_apologised_for():
    call = call_with([wants()], "It is sunny.").types("weather", 0.5)
    call.model.fail_at_word = [None, 0]
    call.run(7)
    ((_, ended),) = call.of(ReplyEnded)
    assert ended.status == "failed"
    assert APOLOGY in call.clauses
    assert call.server_tools.tools == (WEATHER,)
