"""Two real models in one process, of which either may answer."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from avatar.smaller import EitherModel
from avatar.store import ModelStore
from speech.llm.embedded import EmbeddedModel
from speech.types import Message

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def conversation(name, folder):
    path = ModelStore.default().path(name) / "model.gguf"
    async with EmbeddedModel(path, context_tokens=1024, max_tokens=24, saved=folder) as model:
        yield model.conversation()


def test_a_call_changes_to_the_smaller_model_and_back(tmp_path):
    asked = [Message("system", "You are Elena."), Message("user", "What do you like?")]

    async def turns():
        wanted, said = [False], []
        async with (
            conversation("qwen2.5-coder-0.5b", tmp_path) as usual,
            conversation("smollm2-135m", tmp_path) as smaller,
        ):
            model = EitherModel(usual, smaller, lambda: wanted[-1])
            for wants_smaller in (False, True, False):
                wanted.append(wants_smaller)
                await model.prefill(asked)
                async with aclosing(model.reply(asked)) as reply:
                    said.append("".join([delta async for delta in reply]))
            await model.close()
        return said

    first, by_the_smaller, last = asyncio.run(turns())
    assert first == last, "the usual model has lost nothing meanwhile"
    assert by_the_smaller.strip()
    assert by_the_smaller != first
