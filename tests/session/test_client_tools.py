"""Tools that the client runs: it is asked, the answer ends, and goes on with the result."""

import json

from avatar.commands import Remove
from avatar.dialogue.history import NO_RESULT, TIMED_OUT
from avatar.events import CoverHeard, ReplyEnded, ReplyHeld, ReplyStarted, ToolCalled
from speech.llm.telling import told_already
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop, ToolResult
from tests.session.scripted_tools import COVERS, LIGHTS, WEATHER, ScriptedServerTools, wants


def call_with(*replies, tools=(WEATHER,)):
    call = ScriptedCall(list(replies)).presses(Configure(tools=tools), 0.1)
    call.covers = COVERS
    return call


def gives(call, output, at_s, call_id="call_1"):
    return call.presses(ToolResult(call_id, output), at_s).presses(Respond(), at_s)


def results(call):
    return [m.content for m in call.history.messages if m.role == "tool"]


def test_the_client_is_asked_and_the_answer_goes_on_with_its_result():
    call = call_with([wants()], "It is sunny.").says("weather in Paris", 0.5, 1.8)
    gives(call, "sunny", 3.0).run(8)
    ((_, asked),) = call.of(ToolCalled)
    assert (asked.call_id, asked.name) == ("call_1", "weather")
    assert json.loads(asked.arguments) == {"city": "Paris"}
    kinds = [type(event) for _, event in call.events]
    assert kinds.index(ReplyStarted) < kinds.index(ToolCalled) < kinds.index(ReplyEnded)
    assert call.of(ReplyStarted)[0][1].response_id == asked.response_id
    assert call.statuses == ["completed", "completed"]
    assert call.heard == ["", "It is sunny."]
    assert call.asked_of_the_model(1)[-1].content == "sunny"


def test_the_avatar_thinks_while_the_client_works():
    call = call_with([wants()], "It is sunny.").types("weather", 0.5)
    gives(call, "sunny", 1.2).run(6)
    assert call.states == ["thinking", "speaking", "listening"]


def test_a_slow_client_is_covered_between_two_answers():
    call = call_with([wants()], "It is sunny.").types("weather", 0.5)
    gives(call, "sunny", 10.0).run(15)
    assert [cover.text for _, cover in call.of(CoverHeard)] == ["One moment.", "Still looking."]
    ((first_ended_s, _), _) = call.of(ReplyEnded)
    assert first_ended_s < call.of(CoverHeard)[0][0], "the client is not kept waiting for it"
    assert call.heard == ["", "It is sunny."]


def test_words_before_the_call_are_heard_to_their_end_though_the_client_is_quick():
    call = call_with(["Let me look that up for you.", wants()], "It is sunny.")
    gives(call.types("weather", 0.5), "sunny", 1.6).run(9)
    assert call.heard == ["Let me look that up for you.", "It is sunny."]
    assert call.statuses == ["completed", "completed"]


def test_words_before_the_call_are_before_it_for_the_model():
    call = call_with(["Let me look that up for you.", wants()], "It is sunny.")
    gives(call.types("weather", 0.5), "sunny", 1.6).run(9)
    _, asked, result = call.asked_of_the_model(1)
    assert (asked.content, len(asked.tool_calls)) == ("Let me look that up for you.", 1)
    assert (result.role, result.content) == ("tool", "sunny")
    assert call.history.messages[-1].content == "It is sunny."


def test_words_before_the_call_that_were_cut_are_before_it_too():
    call = call_with(["Let me look that up for you right now.", wants()], "All right.")
    call.types("weather", 0.5).says("no wait forget it", 1.8, 2.9).run(9)
    user, asked, result, user_again, _ = call.history.messages
    assert asked.content.startswith("Let me")
    assert asked.content.endswith("…")
    assert [len(asked.tool_calls), result.content] == [1, NO_RESULT]
    assert [user.content, user_again.content] == ["weather", "no wait forget it"]


def test_a_client_that_never_answers_is_excused():
    call = call_with([wants()], "Never.").types("weather", 0.5).run(40)
    assert call.heard == ["", "I'm sorry, that didn't work just now."]
    assert results(call) == [TIMED_OUT]
    assert 30 < call.of(ReplyStarted)[1][0] < 32
    assert call.conversation.state == "listening"
    assert call.left_over == []


WORDY = "Let me look that up for you, which may well take a little while."


def test_a_client_that_is_late_while_the_avatar_still_speaks_is_excused_afterwards():
    call = call_with([WORDY, wants()], "Never.").types("weather", 0.5)
    call.client_tool_s = 2.0
    call.run(12)
    assert call.heard == [WORDY, "I'm sorry, that didn't work just now."]
    assert results(call) == [TIMED_OUT]
    (_, (excused_s, _)), ((over_s, _), _) = call.of(ReplyStarted), call.of(ReplyEnded)
    assert excused_s == over_s > 4
    assert call.conversation.state == "listening"


def test_a_result_that_comes_while_the_avatar_still_speaks_is_not_late():
    call = call_with([WORDY, wants()], "It is sunny.").types("weather", 0.5)
    call.client_tool_s = 2.0
    gives(call, "sunny", 3.5).run(12)
    assert call.heard == [WORDY, "It is sunny."]


def test_who_speaks_over_an_answer_whose_tool_is_late_gets_an_answer_and_no_excuse():
    call = call_with([WORDY, wants()], "All right.").types("weather", 0.5)
    call.client_tool_s = 2.0
    call.says("no wait forget it", 3.5, 4.6).run(12)
    assert call.heard[1:] == ["All right."]
    assert results(call) == [NO_RESULT]


def test_a_result_that_comes_after_the_excuse_is_known_to_the_next_answer():
    call = call_with([wants()], "It is sunny after all.").types("weather", 0.5)
    call.presses(ToolResult("call_1", "sunny"), 35.0).types("and now", 36.0).run(40)
    assert results(call) == ["sunny"]
    assert [m.content for m in call.asked_of_the_model(1) if m.role == "tool"] == ["sunny"]
    assert call.heard == ["", "I'm sorry, that didn't work just now.", "It is sunny after all."]


def test_a_second_result_of_one_call_changes_nothing():
    call = call_with([wants()], "It is sunny.").types("weather", 0.5)
    gives(call, "sunny", 2.0).presses(ToolResult("call_1", "rainy"), 6.0).run(8)
    assert results(call) == ["sunny"]


def test_a_model_that_gives_two_calls_one_name_gets_each_its_own_result():
    call = call_with([wants()], "Fine.", [wants()]).types("weather", 0.5)
    call.says("no wait forget it", 2.0, 3.0).types("weather in Rome", 7.0)

    def answer_both(_):
        called = [event for _, event in call.of(ToolCalled)]
        if len(called) == 2:
            for output, event in zip(("sunny", "warm"), called, strict=True):
                call.conversation.send(ToolResult(event.call_id, output))

    call.told.append(answer_both)
    call.run(9)
    assert results(call) == ["sunny", "warm"]


def test_a_result_for_a_call_that_was_never_made_is_dropped():
    call = call_with("Hello.").presses(ToolResult("call_9", "sunny"), 0.3).types("hi", 0.5).run(5)
    assert results(call) == []
    assert call.heard == ["Hello."]


def test_both_results_are_waited_for_by_the_client_not_by_us():
    both = [wants(), wants(arguments='{"city": "Rome"}', call_id="call_2")]
    call = call_with(both, "Both are sunny.").types("weather", 0.5)
    call.presses(ToolResult("call_1", "sunny"), 1.0)
    gives(call, "warm", 1.2, "call_2").run(6)
    assert len(call.of(ToolCalled)) == 2
    assert results(call) == ["sunny", "warm"]
    assert call.heard[-1] == "Both are sunny."


def test_who_speaks_meanwhile_has_the_floor_and_the_next_answer_knows_the_result():
    call = call_with([wants()], "All right.", "Sunny.").says("weather in Paris", 0.5, 1.8)
    call.says("no wait forget it", 3.5, 4.6).presses(ToolResult("call_1", "sunny"), 7.5).run(10)
    assert results(call) == ["sunny"]
    assert call.heard == ["", "All right."], "it is not told unasked"
    roles = [m.role for m in call.history.messages]
    assert roles == ["user", "assistant", "tool", "user", "assistant"]
    assert call.left_over == []


def test_a_result_that_comes_while_the_person_still_speaks_is_known_to_their_answer():
    call = call_with([wants()], "A draft.", "All right.").says("weather in Paris", 0.5, 1.8)
    call.says("no wait forget it", 3.5, 5.0).presses(ToolResult("call_1", "sunny"), 5.2).run(10)
    assert [m.content for m in call.asked_of_the_model(-1)][-2:] == ["sunny", "no wait forget it"]
    assert call.heard == ["", "All right."]


def test_who_speaks_over_a_cover_silences_it():
    call = call_with([wants()], "All right.").types("weather", 0.5)
    call.says("stop it now", 1.5, 3.0).run(9)
    ((covered_s, _),) = call.of(CoverHeard)
    assert covered_s < 1.5
    assert not call.sounds_between(1.8, 3.0)


def test_nothing_is_said_into_a_person_who_speaks():
    call = call_with([wants()], "All right.").types("weather", 0.5)
    call.says("well I was going to say something long", 1.0, 4.0).run(9)
    assert not call.sounds_between(0, 4.0)


def test_a_cough_does_not_ask_the_model_again():
    call = call_with([wants()], "It is sunny.").says("weather in Paris", 0.5, 1.8)
    gives(call.coughs(3.0, 0.3), "sunny", 6.0).run(10)
    assert len(call.of(ReplyStarted)) == 2
    assert call.heard == ["", "It is sunny."]


def test_a_click_before_the_client_is_asked_holds_nothing_that_is_said_meanwhile():
    call = call_with([wants()], "It is sunny.").says("weather in Paris", 0.5, 1.8)
    call.model.first_word_s = 0.4
    gives(call.coughs(2.2, 0.09), "sunny", 12.0).run(16)
    assert call.of(ReplyHeld)[0][0] < call.of(ToolCalled)[0][0]
    assert [cover.text for _, cover in call.of(CoverHeard)] == ["One moment.", "Still looking."]
    assert call.heard == ["", "It is sunny."]


def test_a_smile_before_the_client_is_asked_needs_no_apology():
    call = call_with(["[happy] 🙂", wants()], "It is sunny.").types("weather", 0.5)
    gives(call, "sunny", 2.0).run(6)
    assert call.heard == ["", "It is sunny."]
    assert call.statuses == ["completed", "completed"]


def test_stop_gives_the_wait_up():
    call = call_with([wants()]).types("weather", 0.5).presses(Stop(), 1.0).run(36)
    assert call.of(CoverHeard) == []
    assert call.conversation.state == "listening"
    assert results(call) == [NO_RESULT]
    assert call.statuses == ["completed"], "nothing is excused that nobody waits for"


def test_a_draft_asks_the_client_for_nothing():
    call = call_with([wants()], "Never.")
    call.says("weather in", 0.5, 1.5).says("no nothing", 1.9, 2.9)
    call.turn_detector.probability = 0.0
    call.run(2.9)
    assert call.conversation.drafts.dropped == 1
    assert call.of(ToolCalled) == []


def test_a_draft_that_is_adopted_asks_then():
    call = call_with([wants()], "It is sunny.").says("weather in Paris", 0.5, 1.8)
    call.turn_detector.probability = 0.4
    call.run(4)
    ((asked_s, _),) = call.of(ToolCalled)
    assert call.conversation.drafts.adopted == 1
    assert asked_s > 2.4


def test_a_call_to_a_tool_that_was_not_offered_is_never_sent():
    call = call_with([wants(LIGHTS)], "I can't do that.").types("lights", 0.5).run(6)
    assert call.of(ToolCalled) == []
    assert call.heard == ["I can't do that."]


def test_arguments_that_do_not_fit_are_never_sent():
    call = call_with([wants(arguments='{"city": 3}')], "I can't.").types("weather", 0.5).run(6)
    assert call.of(ToolCalled) == []


def test_tools_can_be_taken_back():
    call = call_with("Fine.").presses(Configure(tools=()), 0.3).types("hello", 0.5).run(4)
    assert call.model.offered == [((), "auto")]


def test_the_servers_tools_are_run_before_the_client_is_asked():
    call = call_with([wants(), wants(LIGHTS, "{}", "call_2")], "Done.", tools=(LIGHTS,))
    call.server_tools = ScriptedServerTools(takes_s=0.5)
    gives(call.types("both", 0.5), "on", 2.0, "call_2").run(6)
    ((asked_s, asked),) = call.of(ToolCalled)
    assert asked.name == "lights"
    assert asked_s > 1.0
    assert results(call) == ["sunny", "on"]
    assert call.model.offered[0][0] == ("lights", "weather")


def test_a_clients_tool_hides_the_servers_of_the_same_name():
    call = call_with([wants()], "Done.")
    call.server_tools = ScriptedServerTools()
    gives(call.types("weather", 0.5), "cold", 1.5).run(5)
    assert call.model.offered[0][0] == ("weather",)
    assert call.server_tools.calls == []
    assert results(call) == ["cold"]


def test_a_call_is_forgotten_with_its_result():
    call = call_with([wants()], "It is sunny.", "Yes?").types("weather", 0.5)
    gives(call, "sunny", 2.0).presses(Remove("item", "call_1"), 5.0).types("hello", 5.5).run(8)
    assert [message.role for message in call.asked_of_the_model(2)] == ["user", "assistant", "user"]
    assert results(call) == []


def test_instructions_of_one_answer_say_how_a_result_is_told():
    call = call_with([wants()], "Sunny, arr!").types("weather", 0.5)
    call.presses(ToolResult("call_1", "It is sunny."), 2.0)
    call.presses(Respond(instructions="Talk like a pirate."), 2.0).types("and now", 6.0).run(9)
    assert told_already(call.model.prompts[1]) == ""
    assert [m.to_be_worded for m in call.model.prompts[1] if m.role == "tool"] == [True]
    assert [m.to_be_worded for m in call.model.prompts[2] if m.role == "tool"] == [False]


def test_a_result_in_sentences_may_be_told_as_it_stands_where_nobody_says_how():
    call = call_with([wants()], "It is sunny.").types("weather", 0.5)
    gives(call, "It is sunny.", 2.0).run(5)
    assert told_already(call.model.prompts[1]) == "It is sunny."
