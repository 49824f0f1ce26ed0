"""What tools said, put so that a small language model can tell it."""

import asyncio
from dataclasses import replace

import pytest

from avatar.dialogue.history import NO_RESULT
from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from speech.llm.telling import shown, told_already, without_calls
from speech.types import Message, ToolCall
from tests.speech.llama_kit import SYSTEM, WEATHER, DecidingLlama, model_on, said

ELENA = load_persona("default")


def asked(words, result, language="en"):
    return (
        *beginning(ELENA, language),
        Message("user", words),
        Message("assistant", "", (ToolCall("a", "weather", '{"city": "Rome"}'),)),
        Message("tool", result, call_id="a"),
    )


def test_the_result_stands_in_the_persons_words_and_the_call_nowhere():
    plain = without_calls(asked("Weather?", "sunny."))
    assert plain[-1] == Message("user", "Weather?\n(Result: sunny.)")
    assert not any(message.tool_calls or message.role == "tool" for message in plain)
    words = asked("Weather?", "sunny.")[:-2]
    assert without_calls(words) == words


def test_a_result_stays_where_it_was_as_the_conversation_goes_on():
    messages = asked("Weather?", "sunny.")
    later = (Message("assistant", "Sunny."), Message("user", "Thanks."))
    assert without_calls((*messages, *later)) == (*without_calls(messages), *later)


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_shown_in_the_language_of_the_persona_how_a_result_is_told(language):
    exchanges = shown(beginning(ELENA, language))
    assert [m.role for m in exchanges] == ["user", "assistant"] * (len(exchanges) // 2)
    note = {"en": "(Result: ", "es": "(Resultado: "}[language]
    assert all(note in m.content for m in exchanges[::2])


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Dime el tiempo en la ciudad de Roma", "en"),
        ("Avanza diez metros", "es"),
        ("¿Llueve?", "en"),
    ],
)
def test_in_spanish_it_stands_in_spanish(words, language):
    last = without_calls(asked(words, '{"ok": true}', language))[-1]
    assert last.content == f"{words}\n(Resultado: ok: sí)"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ('{"moved": 10}', "moved: 10"),
        ('{"in_stock": false, "delayMinutes": 5}', "in stock: no, delay minutes: 5"),
        ('{"próximaApertura": null}', "próxima apertura: unknown"),
        ('["Room 1", 2]', "Room 1, 2"),
        ('[{"at": "19:00", "table": 4}, {"at": "21:30"}]', "at: 19:00, table: 4; at: 21:30"),
        ('"sunny"', "sunny"),
        ("true", "yes"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("[]", "[]"),
        ("{}", "{}"),
        ('{"a": ', '{"a":'),
        ("light rain, 14 degrees", "light rain, 14 degrees"),
    ],
)
def test_json_is_put_as_names_and_values(result, words):
    assert without_calls(asked("Well?", result))[-1].content == f"Well?\n(Result: {words})"


def test_two_results_stand_one_below_the_other():
    plain = without_calls(ending_with('{"stock": 3}', "ok"))
    assert plain[-1].content == "Is my lamp there?\n(Result: stock: 3)\n(Result: ok)"


@pytest.mark.parametrize("tools", [(), (WEATHER,)])
def test_a_call_with_tools_reads_behind_the_persona_how_a_result_is_told(monkeypatch, tools):
    server = DecidingLlama("none", tokens=2)

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            await model.warm([(SYSTEM,)])
            async with model.conversation() as call:
                await call.prefill(said("Rain in"), tools)
                return [part async for part in call.reply(said("Rain in Rome?"), tools)]

    assert asyncio.run(scenario()) == [" word", " word"]
    prompts = [body["messages"] for body in server.bodies if body["id_slot"] == 0]
    contents = [[message["content"] for message in prompt] for prompt in prompts[-2:]]
    between = [message.content for message in shown((SYSTEM,))] if tools else []
    assert contents == [
        [SYSTEM.content, *between, "Rain in"],
        [SYSTEM.content, *between, "Rain in Rome?"],
    ]


def ending_with(*results):
    calls = tuple(ToolCall(str(i), "shop", "{}") for i, _ in enumerate(results))
    told = (Message("tool", text, call_id=str(i)) for i, text in enumerate(results))
    return (Message("user", "Is my lamp there?"), Message("assistant", "", calls), *told)


@pytest.mark.parametrize(
    "result",
    ["Your lamp comes on Tuesday.", '"It opens at 10:30, and closes at six."', "¡Ya está aquí!"],
)
def test_a_result_in_sentences_is_the_answer(result):
    assert told_already(ending_with(result)) == result.strip('"')


@pytest.mark.parametrize(
    "result",
    ['{"moved": 10}', "light rain, 14 degrees", "Error: no such shop.", "ok", "A | B.\n1 | 2."],
)
def test_any_other_result_is_put_into_words_by_the_model(result):
    assert told_already(ending_with(result)) == ""


def test_what_is_no_answer_to_one_call_is_for_the_model():
    assert told_already(ending_with("It is here now.", "It costs nine.")) == ""
    assert told_already(ending_with(NO_RESULT)) == ""
    assert told_already((*ending_with("It is here now."), Message("user", "Hm?"))) == ""


def test_a_result_that_instructions_are_to_shape_is_put_into_words_by_the_model():
    *before, result = ending_with("Your lamp comes on Tuesday.")
    assert told_already((*before, replace(result, to_be_worded=True))) == ""
