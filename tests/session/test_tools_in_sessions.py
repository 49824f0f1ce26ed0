"""Tools in sessions as the server holds them: what the wire of a call says of them."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from speech.errors import ToolError
from tests.session import virtual_clock
from tests.session.held_calls import house
from tests.session.resuming import typed
from tests.session.scripted_tools import COVERS, ScriptedServerTools, wants


@asynccontextmanager
async def answering(*replies, **tools):
    """A client that has asked something, of a server with a tool."""
    async with house(replies=replies) as held:
        tools = ScriptedServerTools(**tools)
        held.calls.engines = replace(held.calls.engines, tools=tools, covers=COVERS)
        client = await held.call()
        client.send("conversation.item.create", item=typed("What is the weather in Paris?"))
        client.send("response.create")
        await asyncio.sleep(9)
        yield client


def test_an_answer_says_what_a_tool_of_the_server_said():
    async def test():
        async with answering([wants()], "It is sunny.") as client:
            assert client.heard == ["It is sunny."]
            assert client.of("response.function_call_arguments.done") == []
            assert client.of("avatar.cover") == []
            (done,) = client.of("response.done")
            assert [item["type"] for item in done["response"]["output"]] == ["message"]

    virtual_clock.run(test())


def test_the_wait_for_a_slow_tool_is_covered():
    async def test():
        async with answering([wants()], "It is sunny.", takes_s=3.0) as client:
            assert [event["text"] for event in client.of("avatar.cover")] == ["One moment."]
            assert client.heard == ["It is sunny."]

    virtual_clock.run(test())


def test_a_tool_out_of_reach_is_excused():
    async def test():
        gone = ToolError("It is gone.", retryable=True)
        async with answering([wants()], "Never.", outputs=[gone]) as client:
            assert client.heard == ["I'm sorry, that didn't work just now."]

    virtual_clock.run(test())
