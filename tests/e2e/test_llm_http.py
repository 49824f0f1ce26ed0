"""The language models of servers that are not ours."""

import asyncio
import secrets
from contextlib import aclosing

import httpx
import openai
import pytest
import xllamacpp

from speech.errors import LanguageModelError
from speech.llm.openai_compatible import OpenAICompatibleLanguageModel
from speech.types import Message
from tests.e2e.llm_kit import FACTS, LONG, written

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def llama_http(small_model):
    """llama.cpp's own HTTP server, an implementation of the endpoint that is not ours."""
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(small_model), 4096, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys, params.endpoint_metrics, params.verbosity = [secrets.token_hex()], True, -1
    server = xllamacpp.Server(params)
    yield server.listening_address, params.api_keys[0]
    del server  # until here: llama.cpp stops serving when the object is collected


def remote(llama_http, **options):
    address, key = llama_http
    return OpenAICompatibleLanguageModel(f"{address}/v1", "any", key, **options)


def test_a_real_server_answers_as_its_own_client_says(llama_http):
    address, key = llama_http
    prompt = (Message("system", "You are Elena."), Message("user", "Hello!"))

    async def scenario():
        async with remote(llama_http, temperature=0, max_tokens=24) as model:
            ours = await written(model, prompt)
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=key) as client:
            theirs = await client.chat.completions.create(
                model="any",
                messages=[{"role": m.role, "content": m.content} for m in prompt],
                max_tokens=24,
                temperature=0,
            )
        return ours, theirs.choices[0].message.content

    ours, theirs = asyncio.run(scenario())
    assert ours
    assert theirs.startswith(ours)  # ours may end with a sentence, before the last token


def test_a_real_server_stops_when_the_reply_is_closed(llama_http):
    address, key = llama_http

    def metric(name):
        text = httpx.get(f"{address}/metrics", headers={"Authorization": f"Bearer {key}"}).text
        rows = dict(line.split() for line in text.splitlines() if not line.startswith("#"))
        return float(rows[f"llamacpp:{name}"])

    def busy():
        return metric("requests_processing") > 0

    async def scenario():
        before = await asyncio.to_thread(metric, "tokens_predicted_total")
        async with remote(llama_http, max_tokens=3000) as model:
            async with aclosing(model.reply((LONG,))) as reply:
                await anext(reply)
                assert await asyncio.to_thread(busy)
            async with asyncio.timeout(120):
                while await asyncio.to_thread(busy):  # noqa: ASYNC110 - a server's state
                    await asyncio.sleep(0.05)
        assert await asyncio.to_thread(metric, "tokens_predicted_total") - before < 1500

    asyncio.run(scenario())


def test_a_real_servers_refusals_are_understood(llama_http):
    address, key = llama_http

    async def failure(model, messages=(LONG,)):
        async with model:
            with pytest.raises(LanguageModelError) as failed:
                await written(model, messages)
        return str(failed.value)

    async def scenario():
        wrong_key = OpenAICompatibleLanguageModel(f"{address}/v1", "any", "wrong")
        assert "check llm.api_key" in await failure(wrong_key)
        wrong_path = OpenAICompatibleLanguageModel(f"{address}/v2", "any", key)
        assert "check llm.base_url" in await failure(wrong_path)
        too_long = (Message("user", FACTS * 10),)
        assert "exceeds the available context" in await failure(remote(llama_http), too_long)

    asyncio.run(scenario())
