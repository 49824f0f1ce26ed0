import asyncio
import threading
from contextlib import aclosing

import pytest

from speech.errors import LanguageModelError, ModelStoreError
from speech.llm.embedded import EmbeddedModel
from speech.types import Message
from tests.speech.llama_kit import FakeLlama, model_on, said, written


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
