"""A thousand malformed messages: no crash, no leak, and a clear error for each."""

import asyncio
import json
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar.protocol import events as wire
from tests.avatar.realtime_kit import Client, Line, audio, user_message
from tests.avatar.test_realtime_session import AGENTS_SDK
from tests.e2e.loopback_server import serving
from tests.session.held_calls import settings as server_settings

WELL_FORMED = [
    {"type": "session.update", "session": AGENTS_SDK},
    {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {
        "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500},
        "transcription": {"language": "es"}}}}},
    {"type": "input_audio_buffer.append", "audio": audio(20)},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": user_message("hello", id="a")},
    {"type": "conversation.item.create", "previous_item_id": "root", "item": {
        "type": "message", "role": "assistant",
        "content": [{"type": "output_audio", "transcript": "Hi."}]}},
    {"type": "conversation.item.create", "item": {
        "type": "function_call_output", "call_id": "call_1", "output": "{}"}},
    {"type": "conversation.item.retrieve", "item_id": "a"},
    {"type": "conversation.item.delete", "item_id": "a"},
    {"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 5},
    {"type": "response.create", "response": {
        "instructions": "Rhyme.", "metadata": {"a": "b"}, "output_modalities": ["text"]}},
    {"type": "response.cancel", "response_id": "resp_1"},
    {"type": "output_audio_buffer.clear"},
    {"type": "avatar.face.update", "mode": "video"},
]  # fmt: skip
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.sampled_from(["", "x" * 5000, [], {}, [[[[]]]], -1, 2**70, "\x00", "root", "audio/pcm"]),
)


def places(value, path=()):
    """Every place in a message, but for its type."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if (*path, key) != ("type",):
            yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


@st.composite
def malformed(draw):
    """A message that is well-formed but for one place, or for several."""
    message = json.loads(json.dumps(draw(st.sampled_from(WELL_FORMED))))
    message["event_id"] = "mine"
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(message))
        *path, key = draw(st.sampled_from(found))
        parent = message
        for step in path:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[key] = draw(JUNK)
            case "remove":
                parent.pop(key)
            case "add" if isinstance(parent, dict):
                parent[draw(st.text(min_size=1, max_size=8))] = draw(JUNK)
            case _:
                parent.append(draw(JUNK)) if isinstance(parent, list) else None
        message = json.loads(json.dumps(message))  # no two places are one object
        if not list(places(message)):
            break
    return json.dumps(message)


def is_well_formed(message):
    try:
        wire.parse_client_event(message)
    except ValidationError:
        return False
    return True


@settings(max_examples=300)
@given(malformed(), st.booleans())
def test_every_malformed_message_gets_a_clear_error_and_changes_nothing(message, has_line):
    client = Client(line=Line() if has_line else None)
    client.server.receive(message)
    if is_well_formed(message):
        return
    (error,) = client.errors
    assert client.types == ["error"]
    assert (error["type"], client.commands) == ("invalid_request_error", [])
    assert error["code"] in (
        "unknown_event",
        "invalid_value",
        "unknown_parameter",
        "missing_required_parameter",
    )
    assert 10 < len(error["message"]) < 1000
    sent = json.loads(message)
    if isinstance(sent.get("event_id"), str):
        assert error["event_id"] == sent["event_id"][:512]


HAND_MADE = [
    "",
    "null",
    "[]",
    '"x"',
    "{",
    "{}",
    '{"type": null}',
    '{"type": 7}',
    '{"type": ["session.update"]}',
    '{"type": "session.update", "session": []}',
    '{"type": "Session.Update"}',
    '{"type": "session.update", "session": {"type": "realtime"}, "event_id": {}}',
    "[" * 100_000,
    '{"type": "conversation.item.create", "item": ' + '{"a": ' * 5000 + "1" + "}" * 5001,
    '{"type": "input_audio_buffer.append", "audio": "\\ud800"}',
    '{"type": "input_audio_buffer.append", "audio": "' + "A" * 1_000_001 + '"}',
    '{"type": "response.create", "type": "response.cancel", "type": "nothing"}',
    '{"type": "response.create", "response": {"metadata": {"\\u0000": "\\u0000", "b": null}}}',
    "NaN",
    '{"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, '
    '"audio_end_ms": 1e400}',
    "\ufeff{}",
    f'{{"type": "conversation.item.create", "item": {{"type": "{"x" * 5000}"}}}}',
]


def test_what_no_program_would_send_gets_an_error_too():
    for message in HAND_MADE:
        for line in (None, Line()):
            client = Client(line=line)
            client.server.receive(message)
            assert client.types == ["error"], message[:80]
            assert client.commands == []
            assert len(client.errors[0]["message"]) < 1000


def test_a_thousand_messages_leave_nothing_behind():
    client = Client(line=Line())
    messages = [json.dumps({"type": "conversation.item.retrieve", "item_id": "x" * 100_000})] + [
        json.dumps({**WELL_FORMED[n % len(WELL_FORMED)], "nonsense": "x" * 10_000, "event_id": "m"})
        for n in range(500)
    ]

    def send_all():
        for message in messages:
            client.server.receive(message)
            client.seen.clear()

    send_all()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    send_all()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200_000


def test_a_real_socket_outlives_them_all():
    """With the real server, and OpenAI's client for what is well-formed in between."""
    from openai import AsyncOpenAI

    async def scenario():
        async with serving(server_settings()) as server:
            client = AsyncOpenAI(api_key="none", base_url=f"{server.url}/v1")
            async with client.realtime.connect(model="presencia") as connection:
                assert (await connection.recv()).type == "session.created"
                for _ in range(50):
                    for message in HAND_MADE[:12]:
                        await connection._connection.send(message)
                    await connection.session.update(session={"type": "realtime"})
                errors = updates = 0
                while updates < 50:
                    event = await connection.recv()
                    errors += event.type == "error"
                    updates += event.type == "session.updated"
                assert errors == 50 * 12
            async with asyncio.timeout(30):
                while len(server.calls):  # noqa: ASYNC110 - a call has no event for it
                    await asyncio.sleep(0.05)
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert not [name for name in names if name.startswith("ws-")]

    asyncio.run(scenario())
