"""Whether a reply needs a tool, decided in a slot of its own."""

import asyncio

import pytest

from speech.errors import LanguageModelError
from speech.types import Message
from tests.speech.llama_kit import WEATHER, DecidingLlama, FakeLlama, model_on, said


def replies(server, monkeypatch, tools, choice="auto"):
    async def scenario():
        async with model_on(server, monkeypatch) as model, model.conversation() as call:
            return [part async for part in call.reply(said("Rain in Rome?"), tools, choice)]

    return asyncio.run(scenario())


def test_a_reply_that_needs_a_tool_is_a_call(monkeypatch):
    server = DecidingLlama("weather", '{"city": "Rome"}')
    (call,) = replies(server, monkeypatch, (WEATHER,))
    assert (call.name, call.arguments) == ("weather", '{"city": "Rome"}')
    assert {body["id_slot"] for body in server.bodies} == {1}, "the call's own cache is left alone"


def test_a_reply_that_needs_none_is_written_as_ever(monkeypatch):
    server = DecidingLlama("none", tokens=2)
    assert replies(server, monkeypatch, (WEATHER,)) == [" word", " word"]


def test_a_result_in_sentences_is_said_as_it_stands(monkeypatch):
    server = DecidingLlama(tokens=2)

    async def scenario():
        async with model_on(server, monkeypatch) as model, model.conversation() as call:
            messages = (*said("Rain in Rome?"), Message("tool", "It rains in Rome.", call_id="a"))
            return [part async for part in call.reply(messages, (WEATHER,))]

    assert asyncio.run(scenario()) == ["It rains in Rome."]
    assert server.bodies == []


def test_without_tools_nothing_is_decided(monkeypatch):
    server = DecidingLlama(tokens=2)
    assert replies(server, monkeypatch, ()) == [" word", " word"]
    assert replies(server, monkeypatch, (WEATHER,), "none") == [" word", " word"]
    assert {body["id_slot"] for body in server.bodies} == {0}


def test_the_prompt_that_decides_is_read_ahead_after_that_of_the_reply(monkeypatch):
    server = DecidingLlama()

    async def scenario():
        async with model_on(server, monkeypatch) as model, model.conversation() as call:
            await call.prefill(said("Rain in"), (WEATHER,))
            await call.prefill(said("Rain in"))

    asyncio.run(scenario())
    assert [body["id_slot"] for body in server.bodies] == [0, 1, 0]


def test_what_decided_about_a_persons_words_is_forgotten_with_them(monkeypatch):
    server = DecidingLlama("none", tokens=2)

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            async with model.conversation() as call:
                _ = [part async for part in call.reply(said("Rain in Rome?"), (WEATHER,))]
            await model.forget()

    asyncio.run(scenario())
    in_the_end = [body for body in server.bodies if body["id_slot"] == 1][-1]
    assert "Rome" not in str(in_the_end["messages"])


def test_options_that_llama_refuses_are_the_models_error(monkeypatch):
    class Refusing(FakeLlama):
        def _answer(self, prompt, callback):
            raise ValueError("no such grammar")

    with pytest.raises(LanguageModelError, match="no such grammar"):
        replies(Refusing(), monkeypatch, (WEATHER,))
