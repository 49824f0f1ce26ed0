"""Random conversations with tools: never stuck, never rude, and the history always fits."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar.commands import Configure, Respond, ToolResult
from avatar.events import ToolCalled
from speech.errors import ToolError
from tests.session.scripted_call import Stop
from tests.session.scripted_tools import COVERS, LIGHTS, ScriptedServerTools, wants
from tests.session.test_any_order import QUIET_AFTER_S, calls

SETTLED_S = 22.0
FAILURES = (ToolError("It is gone.", retryable=True), ToolError("There is no such city."))

texts = st.sampled_from(["Yes.", "One. Two. Three.", "That is a good question, I think."])
calls_wanted = st.sampled_from(
    [
        [wants()],
        [wants(LIGHTS, "{}", "call_2")],
        ["Let me look", wants()],
        [wants(), wants(LIGHTS, "{}", "call_2")],
        [wants(arguments='{"town": 1}')],
    ]
)


def answers_of_the_client(call, after_s):
    """The client answers each call after the next of `after_s`, or never; and then wants more."""

    def tell(event):
        if isinstance(event, ToolCalled) and after_s and (wait_s := after_s.pop(0)) is not None:
            send, loop = call.conversation.send, asyncio.get_running_loop()
            loop.call_later(wait_s, send, ToolResult(event.call_id, "on"))
            loop.call_later(wait_s, send, Respond())

    call.told.append(tell)


@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    calls(),
    st.lists(st.one_of(texts, calls_wanted), min_size=14, max_size=14),
    st.lists(st.sampled_from([0.0, 0.05, 1.5, None]), min_size=14, max_size=14),
    st.lists(st.sampled_from(["sunny", "sunny", *FAILURES]), min_size=4, max_size=4),
    st.sampled_from([0.0, 0.4, 2.5]),
    st.one_of(st.none(), st.floats(0.5, 8.0)),
)
def test_it_comes_to_rest_whatever_tools_do(drawn, replies, after_s, outputs, takes_s, stop_s):
    call, speech, end_s = drawn
    call.model.replies[:] = [list(r) if isinstance(r, list) else r for r in replies]
    call.server_tools = ScriptedServerTools(outputs, takes_s)
    call.covers, call.client_tool_s = COVERS, 5.0
    call.presses(Configure(tools=(LIGHTS,)), 0.05)
    if stop_s is not None:
        call.presses(Stop(), stop_s)
    answers_of_the_client(call, after_s)
    call.run(end_s + SETTLED_S)
    assert call.conversation.state == "listening", "it is not stuck"
    assert call.left_over == []
    assert call.model.open_replies == 0
    assert not call.conversation.playout.speaking
    for start_s, ends_s in speech:
        assert not call.sounds_between(start_s + QUIET_AFTER_S, ends_s), "it was polite"
    messages = list(call.history.messages)
    while messages:
        message = messages.pop(0)
        assert message.role != "tool", "every result follows its call"
        for asked in message.tool_calls:
            result = messages.pop(0)
            assert (result.role, result.call_id) == ("tool", asked.call_id)
            assert result.content
    assert not any("One moment" in m.content for m in call.history.messages)
