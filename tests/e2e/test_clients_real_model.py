"""Other projects' clients in a call where nothing is scripted: the embedded language model itself
decides that what was said needs the client's tool, and with what argument. A sentence as result is
said as it stands; how the model words any other is no test's business (docs/tools.md).
"""

import asyncio

import pytest

from tests.e2e import realtime_client, test_openai_realtime, test_voice_live, voice_live_client
from tests.e2e.robot import FORWARD, MOVE

pytestmark = pytest.mark.e2e

TOOLS = [{"type": "function", **MOVE}]
MOVED = "The robot went forward ten meters."


def test_the_python_sdk_of_openai_has_a_tool_called(live_server):
    async def talk() -> str:
        async with realtime_client.calling(live_server.url, tools=TOOLS) as person:
            return await test_openai_realtime.moved_forward(person, MOVED)

    answer = asyncio.run(talk())
    assert MOVED in answer


def test_the_python_sdk_of_voice_live_has_a_tool_called(live_server):
    async def talk() -> str:
        async with voice_live_client.calling(live_server.url, tools=TOOLS) as person:
            return await test_voice_live.moved_forward(person, MOVED)

    answer = asyncio.run(talk())
    assert MOVED in answer


def test_the_agents_sdk_has_a_tool_called_over_webrtc(live_server, client_pages, chromium):
    with client_pages.opened(chromium, live_server.url, "openai_agents.ts") as client:
        client.page.evaluate("void call('webrtc')")
        client.wait_for("person.seen.includes('connected') && state.frames > 5")
        client.say(FORWARD)
        client.wait_for("state.moved.length >= 1 && state.statuses.length >= 2")
        state = client.page.evaluate("state")
        client.page.evaluate("hangUp()")
        assert client.faults() == state["errors"] == []
    print(state["answered"])
    assert state["moved"] == [10]
    assert state["answered"][-1]


def test_pipecats_client_has_a_tool_called(live_server, client_pages, chromium):
    with client_pages.opened(chromium, live_server.url, "pipecat.ts") as client:
        client.page.evaluate("call()")
        client.wait_for("state.ready !== null && state.frames > 5")
        client.wait_for("person.seen.includes('botLlmStopped')")  # it has greeted
        greeted = client.page.evaluate("state.answered.length")
        client.say(FORWARD)
        client.wait_for("state.tools.length >= 1")
        client.wait_for(f"state.answered.length > {greeted}")
        client.wait_for("person.seen.filter((e) => e === 'botLlmStopped').length >= 3")
        state = client.page.evaluate("state")
        client.page.evaluate("client.disconnect()")
        assert client.faults() == state["errors"] == []
    print(state["answered"])
    assert [call["arguments"] for call in state["tools"]] == [{"meters": 10}]
    assert all(state["answered"][greeted:])
