"""A thousand malformed events and offers of Voice Live: each is answered, and the call goes on."""

import asyncio
import base64
import json
import random
from collections import Counter

import pytest
import websockets

from tests.avatar.voice_live_kit import understood
from tests.e2e.loopback_server import serving
from tests.e2e.test_malformed import NASTY, anything, broken_sdp, counts
from tests.session.held_calls import settings

pytestmark = pytest.mark.e2e

EVENTS, OFFERS = 800, 200
TYPES = (
    "session.update", "session.avatar.connect", "conversation.item.create", "response.create",
    "conversation.item.truncate", "input_audio_buffer.append", "input_audio.turn.start", "no.such",
)  # fmt: skip
SESSION = (
    "voice", "avatar", "animation", "turn_detection", "modalities", "tools", "tool_choice",
    "input_audio_format", "input_audio_sampling_rate", "output_audio_timestamp_types", "no_such",
    "input_audio_echo_cancellation", "input_audio_transcription", "instructions", "temperature",
)  # fmt: skip
MARK = '{"type": "conversation.item.retrieve", "item_id": "none", "event_id": "mark"}'


def malformed(rng):
    """Events without end that are mostly wrong."""
    while True:
        kind = rng.choice(TYPES)
        event = {"type": kind, rng.choice(("item", "response", "audio", "item_id")): anything(rng)}
        if kind == "session.update":
            named = rng.sample(SESSION, rng.randrange(1, 4))
            event = {"type": kind, "session": {name: anything(rng) for name in named}}
        elif kind == "session.avatar.connect":
            event = {"type": kind, "client_sdp": anything(rng)}
        message = json.dumps(event)
        match rng.randrange(6):
            case 0:
                yield message[: rng.randrange(len(message))]
            case 1:
                yield rng.choice(NASTY)
            case _:
                yield message


async def answers(socket, message):
    """What a message is answered by: errors, warnings, a session."""
    await socket.send(message)
    await socket.send(MARK)
    told = []
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 60))
        understood(event)
        if event["type"] == "error" and event["error"].get("event_id") == "mark":
            return told
        told.append(event)


def wrapped(rng, sdp):
    """An offer in one of the forms that clients send."""
    text = sdp.encode(errors="surrogatepass")
    description = json.dumps({"type": "offer", "sdp": sdp}).encode()
    raw = base64.b64encode(rng.choice([text, description])).decode()
    return rng.choice([raw, sdp, raw[: rng.randrange(len(raw) + 1)]])


async def refused(socket, client_sdp):
    """The error that an offer is answered by; None if it was answered."""
    await socket.send(json.dumps({"type": "session.avatar.connect", "client_sdp": client_sdp}))
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 60))
        understood(event)
        if event["type"] == "error":
            return event["error"]
        if event["type"] == "session.avatar.connecting":
            return None


def test_a_thousand_malformed_events_and_offers_are_answered_and_the_call_goes_on():
    async def siege():
        rng, codes = random.Random(20261128), Counter()
        async with serving(settings()) as server:
            url = server.url.replace("http", "ws") + "/voice-live/realtime?api-version=1"
            async with websockets.connect(url, proxy=None, max_size=None) as socket:
                events = malformed(rng)
                for _ in range(EVENTS):
                    message = next(events)
                    told = await answers(socket, message)
                    is_empty_append = "input_audio_buffer.append" in message and not told
                    assert told or is_empty_append or "response.create" in message, message[:200]
                    codes.update(e["error"]["code"] for e in told if e["type"] == "error")
                update = {"avatar": {"character": "elena", "customized": False}}
                await answers(socket, json.dumps({"type": "session.update", "session": update}))
                await refused(socket, "")
                before = counts()
                for _ in range(OFFERS):
                    sdp = broken_sdp(rng) if rng.random() < 0.8 else rng.choice(NASTY)
                    error = await refused(socket, wrapped(rng, sdp))
                    if error is not None:
                        assert error["code"] == "invalid_sdp", error
                        assert len(error["message"]) > 10
                    codes["answered" if error is None else "invalid_sdp"] += 1
                await refused(socket, "")
                after = counts()
                assert after["files"] <= before["files"] + 40, "the last answered offer may be open"
                await socket.send('{"type": "session.update", "session": {}}')
                while json.loads(await socket.recv())["type"] != "session.updated":
                    pass
            print(dict(codes), before, after)
        assert len(server.calls) == 0

    asyncio.run(siege())
