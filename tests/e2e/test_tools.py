"""Tools with the real embedded model: whether it calls them when it should, and a whole answer."""

import asyncio
import json
import statistics
import sys
import time
from contextlib import aclosing, asynccontextmanager

import pytest

from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.events import ReplyEnded
from avatar.settings import McpServer
from avatar.store import ModelStore
from avatar.tools.mcp_servers import McpServers
from avatar.tools.toolbox import Toolbox
from speech.llm.embedded import EmbeddedModel
from speech.llm.fitting import fitted
from speech.types import Message, Tool, ToolCall
from tests.e2e.test_mcp import SERVER, free_port, http_server
from tests.session.scripted_call import ScriptedCall

pytestmark = pytest.mark.e2e

ELENA = load_persona("default")


def taking(**properties):
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }


# None of these, nor of the requests, is among those that the prompt was made with.
TOOLS = (
    Tool("opening_hours", "When the museum is open, and what it costs.", taking()),
    Tool("find_room", "Where a room, a shop or a toilet is.", taking(place="string")),
    Tool("call_staff", "Ask a member of staff to come and help.", taking(reason="string")),
    Tool("book_tour", "Book a guided tour for some people.", taking(people="integer")),
)
REQUESTS = {
    "en": (
        ("When do you close today?", "opening_hours"),
        ("How much is a ticket?", "opening_hours"),
        ("Where is the bathroom?", "find_room"),
        ("I can't find the café.", "find_room"),
        ("Can somebody come and help me?", "call_staff"),
        ("We are four and would like a guided tour.", "book_tour"),
        ("Book a tour for two people, please.", "book_tour"),
        ("Nice to meet you.", None),
        ("What do you do all day?", None),
        ("My daughter is called Emma.", None),
        ("Who painted the Mona Lisa?", None),
        ("That was very interesting, thanks.", None),
        ("Are you a real person?", None),
        ("I'm a bit tired.", None),
    ),
    "es": (
        ("¿A qué hora cerráis hoy?", "opening_hours"),
        ("¿Cuánto cuesta la entrada?", "opening_hours"),
        ("¿Dónde está el baño?", "find_room"),
        ("No encuentro la cafetería.", "find_room"),
        ("¿Puede venir alguien a ayudarme?", "call_staff"),
        ("Somos cuatro y queremos una visita guiada.", "book_tour"),
        ("Encantada de conocerte.", None),
        ("¿Qué haces todo el día?", None),
        ("Mi hija se llama Emma.", None),
        ("¿Quién pintó la Mona Lisa?", None),
        ("Ha sido muy interesante, gracias.", None),
        ("Estoy un poco cansada.", None),
    ),
}


@asynccontextmanager
async def loaded():
    store = ModelStore.default()
    path = await asyncio.to_thread(
        fitted, store.path("qwen2.5-coder-0.5b") / "model.gguf", store.cache / "fitted"
    )
    async with EmbeddedModel(path, saved=store.cache / "prompts") as model:
        await model.warm([beginning(ELENA, "en"), beginning(ELENA, "es")])
        await model.warm_tools()
        yield model


async def asked(call, language, said, tools):
    messages = (*beginning(ELENA, language), Message("user", said))
    await call.prefill(messages, tools)
    began = time.perf_counter()
    async with aclosing(call.reply(messages, tools)) as parts:
        part = await anext(parts)
    return part, 1000 * (time.perf_counter() - began)


def test_tools_are_called_when_they_are_needed_and_only_then():
    async def scenario():
        rows = []
        async with loaded() as model, model.conversation() as call:
            for language, requests in REQUESTS.items():
                for said, wanted in requests:
                    part, ms = await asked(call, language, said, TOOLS)
                    got = part if isinstance(part, ToolCall) else None
                    rows.append((language, said, wanted, got, ms))
        return rows

    rows = asyncio.run(scenario())
    for language, said, wanted, got, ms in rows:
        name = got.name if got else None
        mark = "  " if name == wanted else "x "
        print(f"{mark}{language} {said} -> {name} {got.arguments if got else ''} {ms:.0f} ms")
    right = {
        lang: [w == (g.name if g else None) for la, _, w, g, _ in rows if la == lang]
        for lang in REQUESTS
    }
    uncalled = [got is None for _, _, wanted, got, _ in rows if wanted is None]
    for lang, hits in right.items():
        print(f"{lang}: {sum(hits)} of {len(hits)} right")
    called = [ms for *_, got, ms in rows if got]
    plain = [ms for *_, got, ms in rows if not got]
    print(
        f"decided and first token, prefilled: {statistics.median(plain):.0f} ms; "
        f"whole call: {statistics.median(called):.0f} ms"
    )
    assert sum(uncalled) >= len(uncalled) - 1, "what needs no tool calls none"
    assert sum(right["en"]) >= 10
    assert sum(right["es"]) >= 7
    for _, _, _, got, _ in rows:
        if got:
            a_toolbox(TOOLS).arguments(got)


def a_toolbox(tools):
    toolbox = Toolbox()
    toolbox.offer(tools)
    return toolbox


def test_what_deciding_about_tools_costs_a_reply():
    async def scenario():
        took = {0: [], len(TOOLS): []}
        async with loaded() as model, model.conversation() as call:
            for count, times in took.items():
                for said in ("How are you?", "Tell me about rain."):
                    part, ms = await asked(call, "en", said, TOOLS[:count])
                    assert isinstance(part, str)
                    times.append(ms)
        return took

    for count, times in asyncio.run(scenario()).items():
        print(f"{count} tools: first token after {statistics.median(times):.0f} ms")


PARIS, ATLANTIS = (f"What is the weather in {city}?" for city in ("Paris", "Atlantis"))


@asynccontextmanager
async def a_server(over):
    """The settings of a server that is running, or will be started."""
    if over == "stdio":
        yield McpServer(command=[sys.executable, SERVER], only=["weather", "time"])
        return
    port = free_port()
    async with http_server(port):
        yield McpServer(url=f"http://127.0.0.1:{port}/mcp", only=["weather", "time"])


async def answered(over, *questions):
    """A whole call for each question."""
    async with (
        a_server(over) as settings,
        McpServers.running({"city": settings}) as tools,
        loaded() as model,
    ):
        return [await talked(question, model, tools) for question in questions]


async def talked(question, model, tools):
    """A whole scripted call, but for the model and the server, which are real."""
    call, ended = ScriptedCall().types(question, 0.2), asyncio.Event()
    call.told.append(lambda e: ended.set() if isinstance(e, ReplyEnded) else None)
    async with model.conversation() as llm, asyncio.TaskGroup() as tasks:
        call.model, call.server_tools = llm, tools
        playing = tasks.create_task(call.play(300))
        await ended.wait()
        playing.cancel()
    return call


def tells_of_paris(call):
    (answer,) = call.heard
    print(answer)
    _, asked_for, result, _ = call.history.messages
    assert asked_for.tool_calls[0].name == "city_weather"
    assert json.loads(asked_for.tool_calls[0].arguments) == {"city": "Paris"}
    assert result.content == "light rain, 14 degrees"
    assert "14" in answer or "rain" in answer.lower()


def test_a_question_is_answered_with_what_a_command_says_and_its_complaint_is_told():
    in_paris, in_atlantis = asyncio.run(answered("stdio", PARIS, ATLANTIS))
    tells_of_paris(in_paris)
    print(in_atlantis.heard)
    assert "no weather station in Atlantis" in in_atlantis.history.messages[2].content
    assert in_atlantis.statuses == ["completed"]
    assert in_atlantis.heard[0]
    assert not set(in_atlantis.heard[0]) & set("0123456789"), "no weather is made up"


def test_a_question_is_answered_with_what_a_url_says():
    (call,) = asyncio.run(answered("http", PARIS))
    tells_of_paris(call)
