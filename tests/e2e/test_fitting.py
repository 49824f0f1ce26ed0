"""The default language model, fitted to speech, answers as it did before."""

import asyncio
from contextlib import aclosing
from time import perf_counter

import pytest

from avatar.dialogue import prompt
from avatar.dialogue.persona import load_persona
from avatar.store import ModelStore
from speech.llm.embedded import EmbeddedModel
from speech.llm.fitting import fitted
from speech.types import Message

pytestmark = pytest.mark.e2e

ASKED = (
    ("en", "Tell me about the history of Rome."),
    ("en", "My name is Xóchitl Nguyễn. Do you like jazz?"),
    ("es", "Cuéntame algo sobre el océano."),
)


async def answers(path):
    persona, said, took_s = load_persona("default"), [], 0.0
    async with EmbeddedModel(path, max_tokens=40) as model:
        for language, words in ASKED:
            messages = (*prompt.beginning(persona, language), Message("user", words))
            conversation = model.conversation()
            await conversation.prefill(messages)
            began_s = perf_counter()
            async with aclosing(conversation.reply(messages)) as reply:
                deltas = [delta async for delta in reply]
            took_s += perf_counter() - began_s
            said.append("".join(deltas))
            await conversation.close()
    print(f"{path.name}: {sum(map(len, said)) / took_s:.0f} characters a second")
    return said


def test_a_fitted_model_gives_the_same_answers():
    store = ModelStore.default()
    whole = store.path("qwen2.5-coder-0.5b") / "model.gguf"
    small = fitted(whole, store.cache / "fitted")
    assert small != whole
    assert small.stat().st_size < whole.stat().st_size
    assert asyncio.run(answers(small)) == asyncio.run(answers(whole))
