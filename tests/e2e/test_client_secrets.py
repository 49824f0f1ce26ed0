"""OpenAI's own Python client buys a client secret with a key; a second one calls with it."""

import asyncio

import openai
import pytest

from tests.avatar.access_kit import key_file
from tests.e2e.loopback_server import serving
from tests.session.held_calls import settings

pytestmark = pytest.mark.e2e

SESSION = {"type": "realtime", "instructions": "You sell shoes.", "model": "gpt-realtime"}


def client(url, key):
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def test_a_secret_is_bought_with_a_key_and_calls_with_what_it_fixes(tmp_path):
    file, (key,) = key_file(tmp_path, "shop")

    async def call():
        async with serving(settings(keys_file=file)) as server:
            async with client(server.url, key) as shop:
                bought = await shop.realtime.client_secrets.create(
                    session=SESSION, expires_after={"anchor": "created_at", "seconds": 60}
                )
            assert bought.value.startswith("ek_")
            assert bought.session.instructions == "You sell shoes."
            async with (
                client(server.url, bought.value) as browser,
                browser.realtime.connect(model="gpt-realtime") as line,
            ):
                created = await line.recv()
                assert created.type == "session.created"
                assert created.session.instructions == "You sell shoes."
                rude = {"type": "realtime", "instructions": "Be rude."}
                await line.session.update(session=rude)
                told = {}
                while not {"error", "session.updated"} <= told.keys():
                    event = await asyncio.wait_for(line.recv(), 60)
                    told[event.type] = event
                assert told["error"].error.code == "session_fixed"
                assert told["error"].error.param == "session.instructions"
                assert told["session.updated"].session.instructions == "You sell shoes."
            async with client(server.url, bought.value) as browser:
                with pytest.raises(openai.PermissionDeniedError, match="only begins calls"):
                    await browser.realtime.client_secrets.create(session=SESSION)

    asyncio.run(call())


def test_a_wrong_key_and_a_full_server_are_what_the_client_takes_them_for(tmp_path):
    file, (key,) = key_file(tmp_path, "shop")

    async def call():
        async with serving(settings(keys_file=file)) as server:
            async with client(server.url, "sk-wrong") as stranger:
                with pytest.raises(openai.AuthenticationError, match="not valid here"):
                    await stranger.realtime.client_secrets.create(session=SESSION)
            async with client(server.url, key) as shop:
                offer = {"sdp": "v=0", "session": SESSION}
                async with shop.realtime.connect(model="gpt-realtime"):
                    with pytest.raises(openai.RateLimitError, match="other people") as full:
                        await shop.realtime.calls.create(**offer)
            assert int(full.value.response.headers["retry-after"]) > 0

    asyncio.run(call())
