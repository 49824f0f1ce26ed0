"""Whole conversations by OpenAI's official clients, as their registries have them: PyPI openai over
a WebSocket, npm @openai/agents-realtime in Chromium over WebRTC and over a WebSocket. Everything is
real but the language model, which is scripted.
"""

import asyncio
import json
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from tests.avatar.realtime_kit import everything
from tests.e2e import robot
from tests.e2e.conftest import Server
from tests.e2e.realtime_client import PATIENCE_S, Person, calling, recorded
from tests.e2e.robot import (
    FORWARD,
    MOVE,
    STORY,
    WEASELS,
    YOUNG_MAN,
    check_said,
    interrupted_story,
    wants_to_go_forward,
)
from tests.e2e.third_party import CLIENTS

pytestmark = pytest.mark.e2e

TOOLS = [{"type": "function", **MOVE}]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with robot.serving() as server:
        yield server


def tool_calls(person: Person) -> list:
    """The tool's calls, in answers that are done."""
    items = [item for event in person.of("response.done") for item in event.response.output]
    return [item for item in items if item.type == "function_call"]


async def moved_forward(person: Person, output: str = '{"moved": 10}') -> str:
    """Have the avatar call the tool; what it says of the tool's output."""
    person.say(FORWARD)
    await person.until(lambda: tool_calls(person), "the tool's call")
    (call,) = tool_calls(person)
    assert (call.name, json.loads(call.arguments)) == ("move", {"meters": 10})
    return await told(person, call, output)


async def told(person: Person, call: object, output: str) -> str:
    """What the avatar says when it is told the tool's output."""
    answers = len(person.of("response.done"))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": output}
    await person.connection.conversation.item.create(item=result)
    await person.connection.response.create()
    await person.answered(answers + 1)
    return person.spoken()[-1]


def check_conversation(person: Person) -> None:
    """The story was cut short, and everything came in order."""
    responses = [event.response for event in person.of("response.done")]
    assert (responses[0].status, responses[0].status_details.reason) == (
        "cancelled",
        "turn_detected",
    )
    assert [response.status for response in responses[1:]] == ["completed"] * (len(responses) - 1)
    heard = person.spoken()[0]
    assert heard
    assert STORY.startswith(heard.rstrip(" .,…"))
    assert len(heard) < len(STORY)
    check_said(person.transcripts())
    assert person.of("conversation.item.truncated")
    assert not person.of("error"), person.of("error")
    assert all(
        r.usage.total_tokens == r.usage.input_tokens + r.usage.output_tokens for r in responses
    )


def check_order(person: Person) -> None:
    """Within every answer, what opens comes before what fills, and that before what closes."""
    for response in (event.response for event in person.of("response.created")):
        kinds = [
            event.type
            for _, event in person.events
            if getattr(event, "response_id", "") == response.id
            or getattr(getattr(event, "response", None), "id", "") == response.id
        ]
        assert (kinds[0], kinds[-1]) == ("response.created", "response.done")
        sound = [i for i, kind in enumerate(kinds) if kind == "response.output_audio.delta"]
        if sound:
            assert kinds.index("response.content_part.added") < sound[0]
            assert sound[-1] < kinds.index("response.output_audio.done")


def is_loud(pcm: np.ndarray) -> bool:
    return bool(np.abs(pcm.astype(np.int32)).max() > 1000)


def test_the_python_sdk_talks_is_interrupted_and_runs_a_tool(server):
    async def talk() -> Person:
        async with calling(server.url, tools=TOOLS, instructions="Be brief.") as person:
            await interrupted_story(person, "response.output_audio_transcript.delta")
            assert "10" in await moved_forward(person)
            return person

    person = asyncio.run(talk())
    check_conversation(person)
    check_order(person)
    sounds = [np.concatenate(parts) for parts in person.sound.values()]
    assert all(is_loud(pcm) for pcm in sounds)
    item_id, parts = next(iter(person.sound.items()))
    came_s = sum(map(len, parts)) / person.coding.rate_hz
    at_s = [
        at
        for at, e in person.events
        if getattr(e, "item_id", "") == item_id and e.type == "response.output_audio.delta"
    ]
    print(f"\n{came_s:.2f} s of sound in {at_s[-1] - at_s[0]:.2f} s")
    assert came_s < at_s[-1] - at_s[0] + 1, "sound comes as it is spoken"


def test_the_python_sdk_pushes_to_talk_by_telephone(server):
    async def talk() -> Person:
        by_hand = {"turn_detection": None}
        async with calling(server.url, "audio/pcmu", tools=TOOLS, input=by_hand) as person:
            connection = person.connection
            await connection.input_audio_buffer.clear()
            person.say(FORWARD)
            await person.said_all()
            await asyncio.sleep(0.3)
            await connection.input_audio_buffer.commit()
            await connection.response.create(response={"metadata": {"turn": "1"}})
            await person.answered(1)
            (call,) = tool_calls(person)
            assert "10" in await told(person, call, '{"moved": 10}')
            return person

    person = asyncio.run(talk())
    kinds = [event.type for _, event in person.events]
    assert "input_audio_buffer.speech_started" not in kinds
    assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
    assert wants_to_go_forward(person.transcripts()[0])
    assert person.sound
    assert all(is_loud(np.concatenate(parts)) for parts in person.sound.values())
    done, _ = person.of("response.done")
    assert (done.response.output[0].type, done.response.metadata) == (
        "function_call",
        {"turn": "1"},
    )


def test_the_python_sdk_reads_instead_of_listening(server):
    async def talk() -> Person:
        async with calling(server.url, output_modalities=["text"]) as person:
            content = [{"type": "input_text", "text": "Tell me about the phone system."}]
            item = {"type": "message", "role": "user", "content": content}
            await person.connection.conversation.item.create(item=item)
            await person.connection.response.create()
            await person.answered(1)
            return person

    person = asyncio.run(talk())
    assert "".join(event.delta for event in person.of("response.output_text.delta")) == STORY
    assert person.sound == {}


def test_the_agents_sdk_knows_every_event_that_we_send():
    theirs = [event for event in everything() if not event["type"].startswith("avatar.")]
    judged = subprocess.run(
        ["node", "judge_events.mjs"],
        cwd=CLIENTS,
        check=True,
        input=json.dumps(theirs),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert json.loads(judged.stdout) == []


def test_the_agents_sdk_talks_is_interrupted_and_runs_a_tool_in_node(server, tmp_path):
    """As a voice server does: over a WebSocket, with the key in a header."""
    raw = []
    for recording in (WEASELS, YOUNG_MAN, FORWARD):
        raw.append(tmp_path / f"{recording.stem}.pcm")
        raw[-1].write_bytes(recorded(recording, 24_000).astype("<i2").tobytes())
    talked = subprocess.run(
        ["node", "openai_agents_node.mjs", f"ws{server.url[4:]}/v1/realtime?model=presencia", *raw],
        cwd=CLIENTS,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
    )
    state = json.loads(talked.stdout.splitlines()[-1])
    check_agents(state)
    assert state["interrupted"] >= 1
    assert state["audioBytes"] > 24_000


@pytest.mark.parametrize("over", ["webrtc", "websocket"])
def test_the_agents_sdk_talks_is_interrupted_and_runs_a_tool(
    server, client_pages, chromium, over, tmp_path
):
    with client_pages.opened(chromium, server.url, "openai_agents.ts") as client:
        client.page.evaluate("over => void call(over)", over)
        client.wait_for("person.seen.includes('connected')")
        client.say(WEASELS)
        client.wait_for("state.heard.length > 60")
        if over == "webrtc":
            client.wait_for("state.frames > 20")
            stream = "document.querySelector('video').srcObject"
            assert client.page.evaluate(f"person.loudness({stream}, 2000)") > 0.01
        client.say(YOUNG_MAN)
        client.wait_for("state.statuses.length >= 2")
        client.say(FORWARD)
        client.wait_for("state.moved.length >= 1 && state.statuses.length >= 4")
        client.page.screenshot(path=tmp_path / "agents.png")
        state = client.page.evaluate("state")
        client.page.evaluate("rewrite(1)")
        client.wait_for("state.history.length === 1")
        client.page.evaluate("hangUp()")
        assert client.faults() == []
    print(f"\n{over}: {state['frames']} frames, {state['audioBytes']} bytes; {tmp_path}/agents.png")
    check_agents(state)
    if over == "websocket":
        assert state["interrupted"] >= 1
        assert state["audioBytes"] > 24_000


def check_agents(state: dict) -> None:
    """What the SDK made of the conversation is what it was."""
    assert state["errors"] == []
    assert state["moved"] == [10]
    assert (state["statuses"][0], state["reasons"][0]) == ("cancelled", "turn_detected")
    assert state["statuses"][1:] == ["completed"] * (len(state["statuses"]) - 1)
    assert "10" in state["answered"][-1]
    assert STORY.startswith(state["answered"][0].rstrip(" .,…"))
    assert state["tokens"] > 0
    assert state["cut"]
    messages = [item for item in state["history"] if item["type"] == "message"]
    check_said([m["content"][0]["transcript"] for m in messages if m["role"] == "user"])
    called = [item for item in state["history"] if item["type"] == "function_call"]
    assert [call["status"] for call in called] == ["completed"]
