"""The language models on real weights."""

import asyncio
import os
import threading
import time
from contextlib import aclosing

import httpx
import numpy as np
import pytest

from avatar.dialogue.history import History
from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.store import ModelStore
from speech.errors import LanguageModelError, ModelStoreError
from speech.llm.embedded import EmbeddedModel
from speech.llm.fitting import fitted
from speech.types import Message
from tests.e2e.llm_kit import FACTS, LONG, written

pytestmark = pytest.mark.e2e

ELENA = load_persona("default")


@pytest.fixture(scope="module")
def large():
    store = ModelStore.default()  # as it is served
    return fitted(store.path("qwen2.5-coder-0.5b") / "model.gguf", store.cache / "fitted")


def rss_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Steps:
    """A server of a model's that counts its steps: 16 tokens read, or one written."""

    def __init__(self, model):
        self._server, model._server = model._server, self
        self.count = self.after_stop = 0
        self.told_to_stop = False

    def handle_chat_completions(self, prompt, callback):
        self.told_to_stop = False

        def step(chunk):
            self.count += 1
            self.after_stop += self.told_to_stop
            self.told_to_stop |= callback(chunk)
            return self.told_to_stop

        self._server.handle_chat_completions(prompt, step)

    def __getattr__(self, name):
        return getattr(self._server, name)

    async def taken(self, count):
        async with asyncio.timeout(120):
            while self.count < count:  # noqa: ASYNC110 - counted in llama.cpp's thread
                await asyncio.sleep(0.001)


def test_a_turn_reads_only_what_is_new(small_model):
    async def scenario():
        async with EmbeddedModel(small_model, max_tokens=24) as model, model.conversation() as call:
            history = History()
            history.add_user("Hello, who are you?")
            await call.prefill(history.prompt(ELENA, "en"))
            assert call.prompt_use.cached_tokens == 0
            first = await written(call, history.prompt(ELENA, "en"))
            whole = call.prompt_use
            assert whole.tokens - whole.cached_tokens == 1, "llama.cpp re-reads the last token"
            history.add_assistant(first)
            history.add_user("And what can you do?")
            await written(call, history.prompt(ELENA, "en"))
            assert call.prompt_use.cached_tokens >= whole.tokens
            return call.prompt_use

    use = asyncio.run(scenario())
    assert use.tokens - use.cached_tokens < 40


def test_what_was_read_before_is_loaded_at_the_next_start(small_model, tmp_path):
    beginnings = [beginning(ELENA, language) for language in ("en", "es")]

    async def start():
        async with EmbeddedModel(small_model, slots=2, max_tokens=24, saved=tmp_path) as model:
            await model.warm(beginnings)
            cached = []
            for words in beginnings:
                async with model.conversation(words) as call:
                    reply = await written(call, (*words, Message("user", "Hello")))
                    cached.append((call.prompt_use.cached_tokens, reply))
            return cached

    first, second = asyncio.run(start()), asyncio.run(start())
    assert first == second, "the same tokens are cached and the same words follow"
    assert all(tokens > 200 for tokens, _ in second)


def test_words_read_while_they_are_spoken_need_no_reading_later(small_model):
    async def scenario():
        async with EmbeddedModel(small_model, max_tokens=4) as model, model.conversation() as call:
            spoken = ("Could", "you tell me", "the way", "to the station?")
            for count in range(1, 5):
                history = History()
                interim = " ".join(spoken[:count])
                await call.prefill(history.prompt(ELENA, "en", interim=interim))
            history.add_user(interim)
            await written(call, history.prompt(ELENA, "en"))
            return call.prompt_use

    use = asyncio.run(scenario())
    assert use.tokens - use.cached_tokens == 1


def test_what_was_read_before_a_cancel_is_kept(small_model):
    prompt = (Message("system", FACTS[:1600]), Message("user", "Hello"))

    async def scenario():
        async with EmbeddedModel(small_model, max_tokens=4) as model, model.conversation() as call:
            steps = Steps(model)
            async with asyncio.TaskGroup() as tasks:
                hint = tasks.create_task(call.prefill(prompt))
                await steps.taken(5)
                hint.cancel()
            await written(call, prompt)
            return call.prompt_use

    use = asyncio.run(scenario())
    assert 16 <= use.cached_tokens < use.tokens - 16


@pytest.mark.parametrize("phase", ["reading", "writing"])
def test_cancelling_frees_the_thread_within_one_step(large, phase):
    prompts = {
        "reading": (Message("system", FACTS), LONG),
        "writing": (Message("system", "You are Elena."), LONG),
    }

    async def scenario():
        started = asyncio.Event()

        async def turn(call):
            async with aclosing(call.reply(prompts[phase])) as reply:
                async for _ in reply:
                    started.set()

        async with (
            EmbeddedModel(large, threads=2, max_tokens=400) as model,
            model.conversation() as call,
            asyncio.TaskGroup() as tasks,
        ):
            steps = Steps(model)
            task = tasks.create_task(turn(call))
            if phase == "writing":
                await started.wait()
            else:
                await steps.taken(3)
                assert not started.is_set()
            asked = time.perf_counter()
            task.cancel()
            await asyncio.wait([task])
            return time.perf_counter() - asked, steps

    took_s, steps = asyncio.run(scenario())
    print(f"cancel while {phase}: {took_s * 1e3:.0f} ms")
    assert steps.told_to_stop, "it did not go on to its end"
    assert steps.after_stop <= 1  # the last chunk, which says why it ended


def test_the_event_loop_is_never_blocked(large):
    async def scenario():
        async with EmbeddedModel(large, max_tokens=24) as model, model.conversation() as call:
            gaps, steps = [0.0], Steps(model)

            async def tick():
                while True:
                    before = time.perf_counter()
                    await asyncio.sleep(0.005)
                    gaps.append(time.perf_counter() - before)

            async with asyncio.TaskGroup() as tasks:
                ticking = tasks.create_task(tick())
                await written(call, (Message("system", FACTS[:400]), Message("user", "Hi")))
                ticking.cancel()
            return gaps, steps.count

    gaps, steps = asyncio.run(scenario())
    print(f"\nthe loop's turns, ms: p95 {1e3 * np.percentile(gaps, 95):.0f}")
    assert len(gaps) > steps > 10, "the loop turns while llama.cpp takes its steps"


def test_two_calls_are_answered_at_once_and_do_not_mix(large):
    async def scenario():
        async with EmbeddedModel(large, slots=2, max_tokens=40) as model:
            calls = model.conversation(), model.conversation()
            async with asyncio.TaskGroup() as tasks:
                replies = [
                    tasks.create_task(
                        written(call, (Message("user", f"The secret word is {word}. Repeat it."),))
                    )
                    for call, word in zip(calls, ("banana", "tractor"), strict=True)
                ]
            return [reply.result().lower() for reply in replies]

    banana, tractor = asyncio.run(scenario())
    assert "banana" in banana
    assert "tractor" not in banana
    assert "tractor" in tractor
    assert "banana" not in tractor


def test_closing_frees_threads_and_memory(small_model):
    def threads():
        return len(os.listdir("/proc/self/task"))

    async def scenario():
        async with (
            EmbeddedModel(small_model, slots=2, max_tokens=8) as model,
            model.conversation() as call,
        ):
            await written(call, (Message("user", "Hi"),))
            return rss_mb(), threads()

    def cycle():
        open_mb, open_threads = asyncio.run(scenario())
        return open_mb - rss_mb(), open_threads - threads(), rss_mb()

    cycle()
    closed_threads = threads()
    freed_mb, freed_threads, after_mb = cycle()
    assert freed_mb > 60
    assert freed_threads >= 3
    for _ in range(3):
        *_, last_mb = cycle()
    assert last_mb - after_mb < 40  # one model that stays takes 370
    assert threads() <= closed_threads
    assert not [t for t in threading.enumerate() if t.name.startswith("llm")]


def test_a_prompt_too_long_says_what_to_do_and_the_next_works(small_model):
    async def scenario():
        async with (
            EmbeddedModel(small_model, context_tokens=512, max_tokens=8) as model,
            model.conversation() as call,
        ):
            with pytest.raises(LanguageModelError, match=r"raise llm\.context_tokens"):
                await written(call, (Message("user", FACTS),))
            assert await written(call, (Message("user", "Hi"),))

    asyncio.run(scenario())


def test_weights_that_are_none_are_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"not a model" * 100)
    with pytest.raises(ModelStoreError, match="presencia models verify"):
        EmbeddedModel(path)


def test_the_servers_own_port_is_locked(small_model):
    model = EmbeddedModel(small_model)
    address = model._server.address
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    assert httpx.post(f"{address}/v1/chat/completions", json=body).status_code == 401
    asyncio.run(model.close())


ASKED = {
    "en": [
        (["My name is Anna.", "What's my name?"], ["anna"]),
        (["Are you a human?"], ["no, i'm an ai", "no, i'm a computer program"]),
        (["What is the capital of France?"], ["paris"]),
    ],
    "es": [
        (["Me llamo Ana.", "¿Cómo me llamo?"], ["ana"]),
        (["¿Eres humana?"], ["no soy humana", "no, soy una inteligencia"]),
        (["¿Cuál es la capital de Francia?"], ["parís", "paris"]),
    ],
}


@pytest.mark.parametrize("language", ASKED)
def test_elena_remembers_and_is_honest(large, language):
    async def talk(call, turns):
        history = History()
        history.add_assistant(ELENA.greeting[language])
        for turn in turns:
            history.add_user(turn)
            answer = await written(call, history.prompt(ELENA, language))
            history.add_assistant(answer)
        return answer

    async def scenario():
        answers = []
        async with EmbeddedModel(large) as model:
            for turns, _ in ASKED[language]:
                async with model.conversation() as call:
                    answers.append(await talk(call, turns))
        return answers

    for answer, (turns, words) in zip(asyncio.run(scenario()), ASKED[language], strict=True):
        print(turns[-1], "->", answer)
        assert any(word in answer.lower() for word in words), turns
