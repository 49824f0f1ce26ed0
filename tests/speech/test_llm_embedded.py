import asyncio
import threading
import time
from contextlib import aclosing
from pathlib import Path

import pytest

import speech.llm.embedded as embedded
from speech.errors import LanguageModelError, ModelStoreError
from speech.llm.embedded import EmbeddedModel
from speech.types import Message, Tool

SYSTEM = Message("system", "You are Elena.")


def said(text):
    return (SYSTEM, Message("user", text))


class FakeLlama:
    """A server that reads a prompt of `steps` steps, then writes `tokens` tokens, 2 ms each.

    `log` gets what happens in each slot: "read", "write", and "end" or "stop".
    """

    def __init__(self, steps=3, tokens=5, error=None):
        self.steps, self.tokens, self.error = steps, tokens, error
        self.log = []
        self.bodies = []
        self.slot_files = []
        self.running = 0
        self.folder = None

    def handle_chat_completions(self, prompt, callback):
        self.bodies.append(prompt)
        self.running += 1
        try:
            self._answer(prompt, callback)
        finally:
            self.running -= 1

    def _answer(self, prompt, callback):
        slot = prompt["id_slot"]
        if self.error:
            callback({"error": self.error})
            return
        writes = min(self.tokens, prompt["max_tokens"] or 1)
        for event in ["read"] * self.steps + ["write"] * writes:
            time.sleep(0.002)
            self.log.append((slot, event))
            text = " word" if event == "write" else None
            if callback({"choices": [{"delta": {"content": text}}]}):
                self.log.append((slot, "stop"))
                return
        self.log.append((slot, "end"))

    def save_slot(self, slot, name):
        self.slot_files.append(("save", slot))
        (self.folder / name).write_bytes(b"cache")

    def restore_slot(self, slot, name):
        self.slot_files.append(("restore", slot))
        if (self.folder / name).read_bytes() != b"cache":
            raise LanguageModelError("llama.cpp can't restore a slot: 400")

    def events(self, slot):
        return [event for s, event in self.log if s == slot]


def model_on(server, monkeypatch, **options):
    def load_server(*_, saved, **__):
        server.folder = saved
        return server

    monkeypatch.setattr(embedded, "load_server", load_server)
    return EmbeddedModel(Path(__file__), **options)


async def written(conversation, text):
    return "".join([delta async for delta in conversation.reply(said(text))])


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in another thread
            await asyncio.sleep(0.001)


def test_a_reply_is_the_servers_text(monkeypatch):
    server = FakeLlama(tokens=3)

    async def scenario():
        async with model_on(server, monkeypatch) as model, model.conversation() as call:
            assert await written(call, "Hello") == " word word word"

    asyncio.run(scenario())
    assert server.bodies[0]["messages"][1] == {"role": "user", "content": "Hello"}
    assert server.bodies[0]["cache_prompt"] is True


def test_closing_a_reply_stops_the_server_and_waits_for_its_thread(monkeypatch):
    server = FakeLlama(tokens=20_000)

    async def scenario():
        async with model_on(server, monkeypatch, max_tokens=20_000) as model:
            call = model.conversation()
            async with aclosing(call.reply(said("Hello"))) as reply:
                await anext(reply)
            assert server.running == 0

    asyncio.run(scenario())
    assert server.events(0)[-1] == "stop"


def test_cancelling_while_the_prompt_is_read_stops_the_server(monkeypatch):
    server = FakeLlama(steps=20_000)

    async def scenario():
        async with model_on(server, monkeypatch) as model, asyncio.TaskGroup() as tasks:
            task = tasks.create_task(written(model.conversation(), "Hello"))
            await until(lambda: server.log)
            task.cancel()
            await asyncio.wait([task])
            assert server.running == 0

    asyncio.run(scenario())
    assert server.events(0)[-1] == "stop"
    assert "write" not in server.events(0)


def test_prefill_reads_and_writes_nothing_to_anyone(monkeypatch):
    server = FakeLlama()

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            assert await model.conversation().prefill(said("Hel")) is True

    asyncio.run(scenario())
    assert server.bodies[0]["max_tokens"] == 0
    assert server.events(0)[-1] == "end"


@pytest.mark.parametrize("whose", ["its own", "another call's"])
def test_a_reply_stops_reading_ahead(monkeypatch, whose):
    server = FakeLlama(steps=20_000)

    async def scenario():
        async with model_on(server, monkeypatch, slots=2) as model, asyncio.TaskGroup() as tasks:
            reader = model.conversation()
            talker = reader if whose == "its own" else model.conversation()
            hint = tasks.create_task(reader.prefill(said("Hello th")))
            await until(lambda: server.log)
            server.steps = 2
            assert await written(talker, "Hello there")
            assert await hint is False

    asyncio.run(scenario())
    assert "stop" in server.events(0)
    assert len(server.log) < 500


def test_newer_words_stop_reading_older_ones(monkeypatch):
    server = FakeLlama(steps=20_000)

    async def scenario():
        async with model_on(server, monkeypatch) as model, asyncio.TaskGroup() as tasks:
            call = model.conversation()
            old = tasks.create_task(call.prefill(said("I")))
            await until(lambda: server.log)
            server.steps = 2
            assert await call.prefill(said("I want"))
            assert not await old

    asyncio.run(scenario())
    assert server.events(0).count("stop") == 1
    assert server.events(0)[-1] == "end"


def test_reading_ahead_never_disturbs_a_reply_of_the_same_call(monkeypatch):
    server = FakeLlama(tokens=20)

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            call = model.conversation()
            async with aclosing(call.reply(said("Hello"))) as reply:
                first = await anext(reply)
                assert not await call.prefill(said("mm-hm"))
                return first + "".join([delta async for delta in reply])

    assert asyncio.run(scenario()) == " word" * 20
    assert len(server.bodies) == 1


def test_a_new_reply_ends_the_one_before(monkeypatch):
    server = FakeLlama(tokens=20_000)

    async def scenario():
        async with model_on(server, monkeypatch, max_tokens=20_000) as model:
            call = model.conversation()
            async with aclosing(call.reply(said("One"))) as one:
                await anext(one)
                async with aclosing(call.reply(said("Two"))) as two:
                    await anext(two)
                    assert server.running == 1

    asyncio.run(scenario())


def test_prompts_are_read_one_after_the_other_and_replies_written_side_by_side(monkeypatch):
    server = FakeLlama(steps=5, tokens=40)

    async def scenario():
        async with model_on(server, monkeypatch, slots=2) as model, asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(written(model.conversation(), "Hello"))

    asyncio.run(scenario())
    first, second = (
        [at for at, event in enumerate(server.log) if event == (slot, "read")]
        for slot in dict.fromkeys(slot for slot, _ in server.log)
    )
    assert first[-1] < second[0]
    assert server.log.index((1, "write")) < server.log.index((0, "end"))


def test_every_call_has_its_slot_and_one_too_many_is_refused(monkeypatch):
    async def scenario():
        async with model_on(FakeLlama(), monkeypatch, slots=1) as model:
            call = model.conversation()
            with pytest.raises(LanguageModelError, match="try again later") as refused:
                model.conversation()
            assert refused.value.retryable
            await call.close()
            await call.close()
            async with model.conversation() as next_call:
                assert await written(next_call, "Hello")

    asyncio.run(scenario())


def test_a_call_gets_the_slot_that_knows_its_beginning(monkeypatch):
    server = FakeLlama()
    spanish = (Message("system", "Eres Elena."), Message("user", "Hola"))

    async def scenario():
        async with model_on(server, monkeypatch, slots=2) as model:
            one, two = model.conversation(), model.conversation()
            await one.prefill(said("Hello"))
            await two.prefill(spanish)
            await one.close()
            await two.close()
            await model.conversation(spanish[:1]).prefill(spanish)

    asyncio.run(scenario())
    assert server.bodies[2]["id_slot"] == server.bodies[1]["id_slot"]


async def warmed(server, monkeypatch, saved, *beginnings):
    async with model_on(server, monkeypatch, slots=3, saved=saved) as model:
        await model.warm(beginnings)
        assert len([model.conversation() for _ in range(3)]) == 3


def test_warming_reads_once_and_gives_it_to_every_slot(monkeypatch, tmp_path):
    server = FakeLlama()
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert server.slot_files == [("save", 0), ("restore", 1), ("restore", 2)]


def test_what_was_read_is_there_at_the_next_start(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    server = FakeLlama()
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert server.slot_files == [("restore", slot) for slot in range(3)]


def test_a_broken_file_is_read_again(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"half")
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    assert not file.exists(), "it is deleted, so that the next start saves it anew"
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    assert file.read_bytes() == b"cache"


def test_another_persona_is_another_file(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (Message("system", "You are Ana."),)))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_call_in_another_language_loads_its_own_beginning(monkeypatch):
    server = FakeLlama()
    spanish = (Message("system", "Eres Elena."),)

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            await model.warm([(SYSTEM,), spanish])
            server.slot_files.clear()
            async with model.conversation() as call:
                await call.prefill((*spanish, Message("user", "Hola")))
                await call.prefill((*spanish, Message("user", "Hola, buenas")))

    asyncio.run(scenario())
    assert server.slot_files == [("restore", 0)]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(monkeypatch, tmp_path):
    server = FakeLlama()

    def fail(slot, name):
        raise LanguageModelError("llama.cpp can't save a slot: 500")

    server.save_slot = fail
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert {body["id_slot"] for body in server.bodies} == {0, 1, 2}


def test_a_prompt_that_is_too_long_says_what_to_do(monkeypatch):
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": 6030, "n_ctx": 4096}

    async def scenario():
        async with model_on(FakeLlama(error=error), monkeypatch) as model:
            await written(model.conversation(), "Hello")

    with pytest.raises(LanguageModelError, match=r"6030 tokens .* 4096: raise llm.context_tokens"):
        asyncio.run(scenario())


def test_closing_the_model_ends_replies_and_threads(monkeypatch):
    server = FakeLlama(tokens=20_000)
    before = threading.active_count()

    async def scenario():
        model = model_on(server, monkeypatch, max_tokens=20_000)
        async with aclosing(model.conversation().reply(said("Hello"))) as reply:
            await anext(reply)
            await model.close()
            assert server.running == 0
            assert threading.active_count() == before
            assert [delta async for delta in reply][-1:] in ([], [" word"])

    asyncio.run(scenario())


def test_a_closed_call_answers_no_more(monkeypatch):
    async def scenario():
        async with model_on(FakeLlama(), monkeypatch) as model:
            call = model.conversation()
            await call.close()
            await written(call, "Hello")

    with pytest.raises(LanguageModelError, match="has ended"):
        asyncio.run(scenario())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelStoreError, match=r"model\.gguf is missing: run `presencia models"):
        EmbeddedModel(tmp_path / "model.gguf")


WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {}}})


class DecidingLlama(FakeLlama):
    """Writes the next of `answers` in the slot that decides about tools."""

    def __init__(self, *answers, **options):
        super().__init__(**options)
        self.answers = list(answers)

    def _answer(self, prompt, callback):
        if prompt["id_slot"] == 1 and prompt["max_tokens"]:
            callback({"choices": [{"delta": {"content": self.answers.pop(0)}}]})
            return
        super()._answer(prompt, callback)


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
