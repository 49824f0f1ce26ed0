"""Tools of an MCP server in calls of a whole server: its own process, its own voice; the language
model alone is scripted."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from tests.e2e import scripted_llm
from tests.e2e.conftest import Server, running_server
from tests.e2e.realtime_client import calling
from tests.e2e.scripted_llm import Call
from tests.e2e.test_mcp import SERVER

pytestmark = pytest.mark.e2e

SAYS = {"role": "user", "type": "message"}


def script(messages, tools):
    last = messages[-1]
    if last["role"] == "tool":
        return f"I was told: {last['content']}."
    said = last["content"]
    if "long" in said:
        return Call("city_slow", '{"seconds": 3}')
    if "break" in said:
        return Call("city_leave", "{}")
    if "city_weather" not in tools:
        return "Not yet."
    return Call("city_weather", '{"city": "Paris"}')


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with (
        scripted_llm.serving(script) as llm,
        running_server(
            LLM__BACKEND="openai",
            LLM__BASE_URL=llm.url,
            LLM__MODEL="script",
            TOOLS__MCP__CITY__COMMAND=f"['{sys.executable}', '{SERVER}']",
        ) as server,
    ):
        yield server


def answer_to(server, text):
    """The person of a call in which `text` was typed, after the answer."""

    async def scenario():
        async with calling(server.url) as person:
            content = [{"type": "input_text", "text": text}]
            await person.connection.conversation.item.create(item={**SAYS, "content": content})
            await person.connection.response.create()
            await person.until(person.spoken, "the answer")
            return person

    return asyncio.run(scenario())


def told_of_the_weather(server):
    """The person of the first call in which the tool is there: its server takes time to start."""
    while (person := answer_to(server, "What is the weather?")).spoken() == ["Not yet."]:
        continue
    return person


def test_an_answer_says_what_the_servers_tool_said(server):
    person = told_of_the_weather(server)
    assert person.spoken() == ["I was told: light rain, 14 degrees."]
    assert person.of("response.function_call_arguments.done") == [], "the client runs nothing"


def test_the_wait_for_a_slow_tool_is_covered_aloud(server):
    person = answer_to(server, "Take long.")
    assert [event.text for event in person.of("avatar.cover")] == ["One moment."]
    assert person.spoken() == ["I was told: done."], "it is no part of the answer"


def test_a_tool_whose_server_dies_is_excused_and_back_in_the_next_call(server):
    assert answer_to(server, "Now break.").spoken() == ["I'm sorry, that didn't work just now."]
    assert told_of_the_weather(server).spoken() == ["I was told: light rain, 14 degrees."]
