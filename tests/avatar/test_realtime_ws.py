"""The door for WebSockets, with a real server and scripted stages."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.avatar.realtime_kit import judge
from tests.e2e.loopback_server import serving
from tests.session.held_calls import settings


@asynccontextmanager
async def socket(server, query="?model=gpt-realtime", **options):
    url = server.url.replace("http", "ws") + "/v1/realtime" + query
    async with connect(url, **options) as connection:
        yield connection


async def until(connection, kind):
    """The next event of a type; every one on the way is judged by OpenAI's types."""
    async with asyncio.timeout(60):
        while True:
            event = judge(await connection.recv())
            if event["type"] == kind:
                return event


def speech(seconds):
    return base64.b64encode(np.full(int(24_000 * seconds), 4000, "<i2").tobytes()).decode()


def run(scenario, **given):
    async def held():
        async with serving(settings(**given)) as server:
            await scenario(server)

    asyncio.run(held())


def test_a_browser_is_answered_with_the_subprotocol_that_it_names():
    async def scenario(server):
        names = ["realtime", "openai-insecure-api-key.anything", "openai-agents-sdk.1"]
        async with socket(server, subprotocols=names) as connection:
            assert connection.subprotocol == "realtime"
            created = await until(connection, "session.created")
            assert created["session"]["audio"]["output"]["format"]["rate"] == 24_000
        async with socket(server) as connection:
            assert connection.subprotocol is None

    run(scenario, max_calls=3)


def test_a_turn_is_heard_and_answered():
    async def scenario(server):
        async with socket(server) as connection:
            await until(connection, "session.created")
            for audio in [speech(1.0), base64.b64encode(bytes(2 * 24_000 * 3)).decode()]:
                append = {"type": "input_audio_buffer.append", "audio": audio}
                await connection.send(json.dumps(append))
            said = await until(connection, "conversation.item.input_audio_transcription.completed")
            assert said["transcript"] == "tell me a story"
            delta = await until(connection, "response.output_audio.delta")
            assert np.abs(np.frombuffer(base64.b64decode(delta["delta"]), "<i2")).max() > 0
            done = await until(connection, "response.done")
            assert done["response"]["status"] == "completed"

    run(scenario)


@pytest.mark.parametrize("query", ["?intent=transcription", "?call_id=rtc_1"])
def test_what_the_url_can_t_have_is_refused_before_the_socket_opens(query):
    async def scenario(server):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(server, query):
                pass
        body = json.loads(refused.value.response.body)
        assert refused.value.response.status_code == 400
        assert body["error"]["message"]

    run(scenario)


def test_one_caller_too_many_is_told_so_and_a_place_is_free_when_a_client_goes():
    async def scenario(server):
        async with socket(server) as connection:
            await until(connection, "session.created")
            with pytest.raises(InvalidStatus) as refused:
                async with socket(server):
                    pass
            assert refused.value.response.status_code == 429
            assert json.loads(refused.value.response.body)["error"]["code"] == "server_full"
        async with asyncio.timeout(60):
            while len(server.calls):  # noqa: ASYNC110 - a call has no event for it
                await asyncio.sleep(0.02)
        async with socket(server) as connection:
            await until(connection, "session.created")

    run(scenario)


def test_a_call_that_is_hung_up_closes_the_socket():
    async def scenario(server):
        async with socket(server) as connection:
            created = await until(connection, "session.created")
            assert server.calls.hang_up(created["session"]["id"])
            with pytest.raises(ConnectionClosed):
                await until(connection, "never")
            assert connection.close_code == 1000

    run(scenario)
