"""Random conversations with tools: never stuck, never rude, and the history always fits."""

import asyncio
import random

import pytest

from avatar.commands import Configure, Respond, ToolResult
from avatar.events import ToolCalled
from avatar.turn_taking import TurnTaking
from speech.errors import ToolError
from tests.session.random_calls import QUIET_AFTER_S, listen, words_of_the_avatar
from tests.session.scripted_call import ScriptedCall, Stop
from tests.session.scripted_tools import COVERS, LIGHTS, ScriptedServerTools, wants

SETTLED_S = 22.0
FAILURES = (ToolError("It is gone.", retryable=True), ToolError("There is no such city."))
REPLIES = (
    "Yes.",
    "That is a good question, I think.",
    [wants()],
    [wants(LIGHTS, "{}", "call_2")],
    ["Let me look", wants()],
    ["I will do that for you now", wants(LIGHTS, "{}", "call_2")],
    [wants(), wants(LIGHTS, "{}", "call_2")],
    [wants(arguments='{"town": 1}')],
)


def answers_of_the_client(call, chance):
    """The client answers each call soon, late, too late or never; and then wants more."""

    def tell(event):
        if isinstance(event, ToolCalled):
            wait_s = chance.choice([0.0, 0.05, 1.5, 4.0, 7.0, None])
            if wait_s is not None:
                send, loop = call.conversation.send, asyncio.get_running_loop()
                loop.call_later(wait_s, send, ToolResult(event.call_id, "on"))
                loop.call_later(wait_s, send, Respond())

    call.told.append(tell)


def a_call(chance):
    call = ScriptedCall([chance.choice(REPLIES) for _ in range(20)])
    outputs = [chance.choice(["sunny", "sunny", *FAILURES]) for _ in range(4)]
    call.server_tools = ScriptedServerTools(outputs, chance.choice([0.0, 0.4, 2.5, 9.0]))
    call.covers, call.client_tool_s = COVERS, 5.0
    call.turn_detector.probability = chance.choice([0.0, 0.5, 1.0])
    call.presses(Configure(tools=(LIGHTS,)), 0.05)
    at_s, speech = 0.4, []
    for n in range(chance.randint(1, 4)):
        at_s = round(at_s + chance.choice([0.3, 0.9, 1.6, 3.5]), 2)
        length_s = chance.choice([0.1, 0.5, 1.2, 2.5])
        match chance.choice(["says", "says", "says", "coughs", "types", "asks", "stops"]):
            case "says":
                call.says(f"words {n}", at_s, at_s + length_s)
                speech.append((at_s, at_s + length_s))
            case "coughs":
                call.coughs(at_s, length_s)
            case "types":
                call.types(f"typed {n}", at_s)
            case "asks":
                call.presses(Respond(), at_s)
            case "stops":
                call.presses(Stop(), at_s)
        at_s += length_s
    answers_of_the_client(call, chance)
    if chance.random() < 0.3:
        call.presses(Configure(turn_taking=TurnTaking(interrupts=False)), 0.06)
        speech = []
    return call, speech, at_s


@pytest.mark.parametrize("seed", range(40))
def test_it_comes_to_rest_whatever_tools_do(seed):
    call, speech, end_s = a_call(random.Random(seed))
    ears = listen(call)
    call.run(end_s + SETTLED_S)
    assert call.conversation.state == "listening", "it is not stuck"
    assert call.left_over == []
    assert call.model.open_replies == 0
    assert not call.conversation.playout.speaking
    for start_s, ends_s in speech:
        assert not call.sounds_between(start_s + QUIET_AFTER_S, ends_s), "it was polite"
    assert sorted(words_of_the_avatar(call)) == sorted(ears.whole_words), "only what was heard"
    messages = list(call.history.messages)
    while messages:
        message = messages.pop(0)
        assert message.role != "tool", "every result follows its call"
        for asked in message.tool_calls:
            result = messages.pop(0)
            assert (result.role, result.call_id) == ("tool", asked.call_id)
            assert result.content
    assert not any("One moment" in m.content for m in call.history.messages)
