"""Tool calls of language models: out of streams, and out of a prompt of their own."""

import asyncio
import json

import pytest

from speech.llm import routing
from speech.llm.chat import message_json, tools_json, whole_calls
from speech.llm.router import ToolRouter
from speech.types import Message, NamedTool, Tool, ToolCall
from tests.speech.test_llm_openai import DONE, PROMPT, STREAM, delta, served

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "The weather in a city.", CITY)
NOW = Tool("now", "The time.")
TIME = Tool("time", "The time.", {"type": "object", "properties": {"city": {"type": "string"}}})


def put_together(*pieces):
    async def stream():
        for piece in pieces:
            yield piece

    async def gather():
        return [part async for part in whole_calls(stream())]

    return asyncio.run(gather())


def piece(index=0, call_id=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "function": function}


def test_a_call_is_put_together_out_of_its_pieces_behind_the_words():
    parts = put_together(
        "Let me",
        piece(0, "a", "weather", ""),
        piece(0, arguments='{"city": '),
        " see.",
        piece(0, arguments='"Rome"}'),
    )
    assert parts == ["Let me", " see.", ToolCall("a", "weather", '{"city": "Rome"}')]


def test_calls_side_by_side_are_told_apart_by_their_index():
    parts = put_together(
        piece(0, "a", "weather", "{"), piece(1, "b", "now", "{}"), piece(0, arguments="}")
    )
    assert parts == [ToolCall("a", "weather", "{}"), ToolCall("b", "now", "{}")]


def test_servers_that_number_every_call_0_are_understood():
    parts = put_together(piece(0, "a", "weather", "{}"), piece(0, "b", "now", "{}"))
    assert [call.name for call in parts] == ["weather", "now"]


def test_servers_that_send_whole_calls_without_index_or_with_objects_are_understood():
    whole = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
    (call,) = put_together(whole)
    assert json.loads(call.arguments) == {"city": "Rome"}
    assert call.call_id.startswith("call_")


def test_the_endpoint_is_told_of_tools_and_of_what_they_said():
    calls = (ToolCall("a", "weather", '{"city": "Rome"}'),)
    messages = (
        *PROMPT,
        Message("assistant", "", calls),
        Message("tool", "sunny", call_id="a"),
    )
    script = [STREAM, delta("It is sunny."), delta(finish_reason="stop"), DONE]

    async def scenario():
        async with served(script) as (model, server):
            parts = [part async for part in model.reply(messages, (WEATHER,), NamedTool("weather"))]
            return parts, json.loads(server.requests[0].split("\r\n\r\n", 1)[1])

    parts, body = asyncio.run(scenario())
    assert parts == ["It is sunny."]
    assert body["tools"][0]["function"]["parameters"] == CITY
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert body["messages"][2]["tool_calls"][0]["function"]["name"] == "weather"
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "a", "content": "sunny"}
    assert body["max_tokens"] > 160, "arguments are not cut short by the length of a reply"


def test_the_endpoints_calls_come_out_whole():
    def sent(one):
        return f"data: {json.dumps({'choices': [{'delta': {'tool_calls': [one]}}]})}\n\n"

    script = [
        STREAM,
        sent(piece(0, "a", "weather")),
        sent(piece(arguments="{}")),
        delta(finish_reason="tool_calls"),
        DONE,
    ]

    async def scenario():
        async with served(script) as (model, _):
            return [part async for part in model.reply(PROMPT, (WEATHER,))]

    assert asyncio.run(scenario()) == [ToolCall("a", "weather", "{}")]


def test_without_tools_a_request_says_nothing_of_them():
    assert tools_json((), "required") == {}
    assert message_json(Message("user", "Hi")) == {"role": "user", "content": "Hi"}


# A prompt of its own


class Scripted:
    """Answers each prompt with the next of `answers`."""

    def __init__(self, *answers):
        self.answers, self.asked, self.read = list(answers), [], []

    async def ask(self, messages, options):
        self.asked.append((messages, options))
        return self.answers.pop(0)

    async def prefill(self, messages):
        self.read.append(messages)


def routed(said, *answers, tools=(WEATHER, NOW), choice="auto", last="user"):
    model = Scripted(*answers)
    call = asyncio.run(ToolRouter(model).call((Message(last, said),), tools, choice))
    return call, model


def test_the_model_is_asked_which_tool_and_then_for_its_arguments():
    call, model = routed("Is it warm in Rome?", "weather", '{"city": "Rome"}')
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Rome"})
    (choosing, may_name), (filling, may_fill) = model.asked
    assert choosing[-1] == Message("user", "Is it warm in Rome?")
    assert filling[: len(choosing)] == choosing, "what was read to choose is not read again"
    assert may_name["grammar"] == 'root ::= "weather" | "now" | "none"'
    assert may_fill["response_format"]["json_schema"]["schema"] == CITY


def test_all_prompts_begin_with_the_same_demonstrations():
    assert routing.choosing((WEATHER,), "a")[: len(routing.BEGINNING)] == routing.BEGINNING
    shown = {message.content for message in routing.BEGINNING if message.role == "assistant"}
    assert shown == {*routing._FUNCTIONS, routing.NONE}


def test_small_talk_calls_nothing():
    call, model = routed("How are you?", "none")
    assert call is None
    assert len(model.asked) == 1


def test_a_tool_without_parameters_is_called_at_once():
    call, model = routed("What time is it?", "now")
    assert (call.name, call.arguments) == ("now", "{}")
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("choice", "last", "tools"),
    [("none", "user", (NOW,)), ("auto", "tool", (NOW,)), ("auto", "user", ())],
)
def test_the_model_is_not_asked_where_nothing_may_be_called(choice, last, tools):
    call, model = routed("now", choice=choice, last=last, tools=tools)
    assert call is None
    assert model.asked == []


def test_a_required_call_cannot_be_declined():
    _, model = routed("Hello", "now", choice="required")
    assert "none" not in model.asked[0][1]["grammar"]


def test_a_named_tool_is_not_chosen_but_filled_in():
    call, model = routed("Rome", '{"city": "Rome"}', choice=NamedTool("weather"))
    assert call.name == "weather"
    assert len(model.asked) == 1


def test_words_that_nobody_said_are_left_out_where_they_may_be():
    def arguments(tool, written, said):
        return json.loads(routing.called(tool, written, said).arguments)

    assert arguments(TIME, '{"city": "London"}', "What time is it?") == {}
    assert arguments(TIME, '{"city": "Málaga"}', "¿Qué hora es en malaga?") == {"city": "Málaga"}
    assert arguments(WEATHER, '{"city": " Rome"}', "Is it warm?") == {"city": "Rome"}, "needed"


def test_words_are_read_ahead_while_nobody_else_asks():
    async def scenario():
        model = Scripted()
        router = ToolRouter(model)
        await router.read_ahead((Message("user", "Is it"),), (WEATHER,))
        await router.read_ahead((Message("user", "Is it"),), ())
        return model.read

    (read,) = asyncio.run(scenario())
    assert read == routing.choosing((WEATHER,), "Is it")
