"""OpenAI's own Python client buys a client secret with a key; a second one calls with it."""

import asyncio
import io
import json
import logging

import httpx
import openai
import pytest
import websockets

from avatar.access.redaction import keep_tokens_out_of_logs
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


@pytest.fixture
def verbose_log():
    """All that anybody logs, as `presencia serve --verbose` writes it, and worse."""
    text, root = io.StringIO(), logging.getLogger()
    level, handlers = root.level, root.handlers
    root.handlers = [logging.StreamHandler(text)]
    root.setLevel(1)
    keep_tokens_out_of_logs()
    yield text
    root.setLevel(level)
    root.handlers = handlers


def test_no_key_secret_or_token_is_in_the_most_verbose_log(tmp_path, verbose_log):
    file, (key,) = key_file(tmp_path, "shop")
    own = "a-key-of-the-settings-that-has-no-prefix"

    async def call():
        given = settings(max_calls=2, keys_file=file, keys=[own])
        async with serving(given, log_level="trace") as server:
            shown = [key, own, "ek_wrong-but-no-less-secret"]
            url = server.url.replace("http", "ws") + "/v1/realtime"
            for token in (key, own):
                protocols = ["realtime", f"openai-insecure-api-key.{token}"]
                async with websockets.connect(url, proxy=None, subprotocols=protocols) as line:
                    created = json.loads(await line.recv())
                    shown.append(created["session"]["avatar"]["resume"]["token"])
            async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
                for token in tuple(shown):
                    form = {
                        "sdp": (None, "v=0"),
                        "session": (None, json.dumps({"avatar": {"resume_token": token}})),
                    }
                    for headers in ({"api-key": token}, {"authorization": f"Bearer {token}"}):
                        await http.post("/v1/realtime/calls", files=form, headers=headers)
                        bought = await http.post("/v1/realtime/client_secrets", headers=headers)
                        if bought.status_code == 200:
                            shown.append(bought.json()["value"])
                    await http.post(f"/v1/realtime/calls?api-key={token}")
            return shown

    shown = asyncio.run(call())
    assert len(shown) > 8
    written = verbose_log.getvalue()
    assert "/v1/realtime" in written, "the library did log what it was asked"
    for token in shown:
        assert token not in written, written[max(0, written.find(token) - 200) :][:300]
