"""A thousand malformed messages on a WebSocket: each is answered, and the call goes on."""

import asyncio
import gc
import json
import random
import tracemalloc
from collections import Counter

import psutil
import pytest
import websockets
from pydantic import ValidationError

from avatar.protocol.events import parse_client_event
from tests.avatar.access_kit import key_file
from tests.e2e.loopback_server import serving
from tests.e2e.test_malformed import NASTY, anything
from tests.session.held_calls import settings

pytestmark = pytest.mark.e2e

MESSAGES = 1000
TYPES = (
    "session.update", "conversation.item.create", "conversation.item.truncate",
    "conversation.item.delete", "conversation.item.retrieve", "response.create",
    "response.cancel", "input_audio_buffer.append", "input_audio_buffer.commit",
    "avatar.face.update", "avatar.ping", "no.such.event",
)  # fmt: skip
FIELDS = ("session", "item", "response", "audio", "item_id", "mode", "audio_end_ms", "event_id")


def malformed(rng):
    """Messages without end that no parser takes."""
    while True:
        event = {"type": rng.choice(TYPES), rng.choice(FIELDS): anything(rng)}
        if rng.random() < 0.3:
            item = {"type": rng.choice(["message", "x"]), "role": anything(rng), "content": "x"}
            event = {"type": "conversation.item.create", "item": item}
        message = json.dumps(event)
        match rng.randrange(6):
            case 0:
                message = message[: rng.randrange(len(message))]
            case 1:
                message = rng.choice(NASTY)
            case 2:
                message = json.dumps(anything(rng))
        try:
            parse_client_event(message)
        except ValidationError:
            yield message


async def answers(socket, message):
    """The errors that a message is answered by."""
    await socket.send(message)
    await socket.send('{"type": "avatar.ping"}')
    errors = []
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if event["type"] == "error":
            errors.append(event["error"])
        elif event["type"] == "avatar.pong":
            return errors


def counts():
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": psutil.Process().num_fds(),
        "bytes": tracemalloc.get_traced_memory()[0],
    }


def test_a_thousand_malformed_messages_are_answered_one_by_one_and_the_call_goes_on():
    async def siege():
        async with serving(settings()) as server:
            url = server.url.replace("http", "ws") + "/v1/realtime?model=any"
            rng, codes = random.Random(20261128), Counter()
            async with websockets.connect(url, proxy=None, max_size=None) as socket:
                stream = malformed(rng)
                for _ in range(100):
                    await answers(socket, next(stream))
                tracemalloc.start()
                before = counts()
                for _ in range(MESSAGES):
                    message = next(stream)
                    errors = await answers(socket, message)
                    assert len(errors) == 1, (message[:200], errors)
                    assert errors[0]["code"], errors
                    assert len(errors[0]["message"]) > 10, errors
                    assert errors[0]["type"] == "invalid_request_error", errors
                    codes[errors[0]["code"]] += 1
                after = counts()
                tracemalloc.stop()
                print(f"{dict(codes)}; before {before}, after {after}")
                assert after["tasks"] <= before["tasks"] + 1
                assert after["files"] <= before["files"]
                assert after["bytes"] < before["bytes"] + 1_000_000
                await socket.send('{"type": "session.update", "session": {"type": "realtime"}}')
                while json.loads(await socket.recv())["type"] != "session.updated":
                    pass
            assert len(server.calls) <= 1

    asyncio.run(siege())


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 401),
        ({"additional_headers": {"Authorization": "Bearer wrong"}}, 401),
        ({"subprotocols": ["realtime", "openai-insecure-api-key.wrong"]}, 401),
        ({"origin": "https://evil.example"}, 403),
        ({"subprotocols": ["realtime", "presencia-resume.wrong"], "right": True}, 410),
    ],
)
def test_a_websocket_that_may_not_be_opened_is_answered_in_the_api_shape(tmp_path, options, status):
    file, (key,) = key_file(tmp_path, "shop")
    options = dict(options)
    if options.pop("right", False):
        options["additional_headers"] = {"api-key": key}

    async def knock():
        async with serving(settings(keys_file=file)) as server:
            url = server.url.replace("http", "ws") + "/v1/realtime"
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(url, proxy=None, **options)
            assert refused.value.response.status_code == status
            error = json.loads(refused.value.response.body)["error"]
            assert error["code"]
            assert error["message"]
            assert len(server.calls) == 0

    asyncio.run(knock())


def test_a_call_over_a_websocket_is_gone_on_with(tmp_path):
    file, (key,) = key_file(tmp_path, "shop")

    async def call():
        async with serving(settings(keys_file=file)) as server:
            url = server.url.replace("http", "ws") + "/v1/realtime"
            shown = ["realtime", f"openai-insecure-api-key.{key}"]
            socket = await websockets.connect(url, proxy=None, subprotocols=shown)
            assert socket.subprotocol == "realtime"
            created = json.loads(await socket.recv())
            await answers(socket, "ping first")
            socket.transport.abort()
            token = created["session"]["avatar"]["resume"]["token"]
            again = [*shown, f"presencia-resume.{token}"]
            async with websockets.connect(url, proxy=None, subprotocols=again) as second:
                created = json.loads(await second.recv())
                assert created["type"] == "session.created"
                assert created["session"]["avatar"]["resumed"] is True
                assert len(server.calls) == 1

    asyncio.run(call())
