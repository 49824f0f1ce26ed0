"""Whole conversations by the official Azure Voice Live SDKs: PyPI azure-ai-voicelive with aiortc,
npm @azure/ai-voicelive in Chromium. Everything is real but the language model, which is scripted.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from azure.ai.voicelive import models as sdk

from tests.avatar.voice_live_kit import understood
from tests.e2e import robot
from tests.e2e.conftest import Server
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
from tests.e2e.voice_live_client import Person, calling

pytestmark = pytest.mark.e2e

TOOLS = [{"type": "function", **MOVE}]
MOVED = {"moved": 10}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with robot.serving() as server:
        yield server


async def moved_forward(person: Person, output: object = MOVED) -> str:
    """Have the avatar call the tool; what it says of the tool's output."""
    calls = "response.function_call_arguments.done"
    person.say(FORWARD)
    await person.until(lambda: person.of(calls), "the tool's call")
    (call,) = person.of(calls)
    assert (call.name, json.loads(call.arguments)) == ("move", {"meters": 10})

    def done() -> list[str]:
        return [event.response.id for event in person.of("response.done")]

    await person.until(lambda: call.response_id in done(), "the end of the answer that called")
    answers = len(done())
    await person.run_tool(call, output)
    await person.answered(answers + 1)
    return person.of("response.audio_transcript.done")[-1].transcript


def check_conversation(person: Person) -> None:
    """The story was cut short, and everything came in order."""
    responses = [event.response for event in person.of("response.done")]
    cut = responses[0]
    assert (cut.status, cut.status_details.reason) == ("cancelled", "turn_detected")
    assert [response.status for response in responses[1:]] == ["completed"] * (len(responses) - 1)
    heard = person.of("response.audio_transcript.done")[0].transcript
    assert heard
    assert STORY.startswith(heard[:-1].rstrip(" .,"))
    assert len(heard) < len(STORY)
    check_said(person.transcripts())
    assert person.of("conversation.item.truncated")
    assert not person.of("error"), person.of("error")


def test_the_python_sdk_talks_is_interrupted_and_runs_a_tool(server):
    async def talk() -> Person:
        async with calling(
            server.url,
            modalities=["text", "audio", "animation"],
            voice=sdk.AzureStandardVoice(name="en-US-AvaNeural").as_dict(),
            turn_detection=sdk.AzureSemanticVad().as_dict(),
            input_audio_echo_cancellation=sdk.AudioEchoCancellation().as_dict(),
            animation={"outputs": ["viseme_id", "blendshapes"]},
            output_audio_timestamp_types=["word"],
            tools=TOOLS,
        ) as person:
            await interrupted_story(person, "response.audio_transcript.delta")
            assert "10" in await moved_forward(person)
            return person

    person = asyncio.run(talk())
    check_conversation(person)
    for _, event in person.events:
        understood(event.as_dict())
    check_description(person)


def check_description(person: Person) -> None:
    """Words, mouth shapes and blend shapes of the last answer fit its sound."""
    response_id = person.of("response.audio.done")[-1].response_id
    mine = [event for _, event in person.events if event.get("response_id") == response_id]

    def of(kind):
        return [event for event in mine if event.type == kind]

    pcm = np.frombuffer(b"".join(event.delta for event in of("response.audio.delta")), "<i2")
    loud_ms = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 1000) / 24
    words, shapes = of("response.audio_timestamp.delta"), of("response.animation_viseme.delta")
    said = of("response.audio_transcript.done")[0].transcript
    assert " ".join(word.text for word in words) == said
    begins = [word.audio_offset_ms for word in words]
    assert begins == sorted(begins)
    assert abs(begins[0] - loud_ms[0]) < 150
    ends = [word.audio_offset_ms + word.audio_duration_ms for word in words]
    assert abs(ends[-1] - loud_ms[-1]) < 300
    assert len({shape.viseme_id for shape in shapes}) >= 5
    assert shapes[-1].viseme_id == 0
    frames = [
        frame for event in of("response.animation_blendshapes.delta") for frame in event.frames
    ]
    assert all(len(frame) == 55 for frame in frames)
    assert abs(len(frames) / 60 * 1000 - ends[-1]) < 700
    jaw = np.array([frame[17] for frame in frames])
    speaking = jaw[int(begins[0] * 0.06) : int(ends[-1] * 0.06)]
    assert speaking.max() > speaking.min() + 0.1
    assert all(of(f"response.{kind}.done") for kind in ("animation_viseme", "audio_timestamp"))


def test_the_python_sdk_sees_the_avatar_speak_and_its_sound_comes_back_without_it(server, tmp_path):
    async def talk() -> Person:
        async with calling(
            server.url,
            modalities=["text", "audio", "avatar"],
            avatar=sdk.AvatarConfig(
                character="elena",
                customized=False,
                video=sdk.VideoParams(bitrate=800_000),
            ).as_dict(),
            tools=TOOLS,
        ) as person:
            await person.connect_avatar()
            await person.until(lambda: len(person.pictures) > 20, "the avatar's picture")
            await interrupted_story(person, "response.audio_transcript.delta")
            assert "10" in await moved_forward(person)
            assert person.of("response.audio.delta") == []
            loud = [pcm for _, pcm in person.sound if np.abs(pcm.astype(np.int32)).max() > 1000]
            assert len(loud) > 100, "the avatar's voice comes with its picture"
            await person.hang_up_avatar()
            answers = len(person.of("response.done"))
            person.say(YOUNG_MAN)
            await person.answered(answers + 1)
            assert person.of("response.audio.delta")
            seen = len(person.pictures)
            await person.connect_avatar()
            await person.until(lambda: len(person.pictures) > seen + 10, "the picture again")
            return person

    person = asyncio.run(talk())
    check_conversation(person)
    assert {picture.shape for _, picture in person.pictures} == {(512, 512)}
    assert person.of("session.avatar.switch_to_speaking")
    assert person.of("session.avatar.switch_to_idle")
    pictures = np.array([picture[330:420, 200:312] for _, picture in person.pictures[::2]])
    assert np.abs(np.diff(pictures.astype(np.int16), axis=0)).mean(axis=(1, 2)).max() > 3


def test_the_npm_package_sees_and_hears_the_avatar_in_chromium(
    server, client_pages, chromium, tmp_path
):
    asked = {
        "modalities": ["text", "audio", "avatar", "animation"],
        "voice": {"type": "azure-standard", "name": "en-US-AvaNeural"},
        "turnDetection": {"type": "azure_semantic_vad", "silenceDurationMs": 500},
        "inputAudioEchoCancellation": {"type": "server_echo_cancellation"},
        "avatar": {"character": "elena", "customized": False},
        "animation": {"outputs": ["viseme_id", "blendshapes"]},
        "outputAudioTimestampTypes": ["word"],
    }
    with client_pages.opened(chromium, server.url, "azure_voice_live.ts") as client:
        client.page.evaluate("asked => void call(asked, true)", asked)
        client.wait_for("state.frames > 20")
        client.say(WEASELS)
        client.wait_for("state.heard.length > 60")
        ear = "person.loudness(document.querySelector('video').srcObject, 3000)"
        assert client.page.evaluate(ear) > 0.03
        client.say(YOUNG_MAN)
        client.wait_for("state.statuses.length >= 2")
        client.say(FORWARD)
        client.wait_for("person.seen.includes('move 10') && state.statuses.length >= 4")
        client.page.screenshot(path=tmp_path / "voice-live.png")
        state = client.page.evaluate("state")
        client.page.evaluate("hangUp()")
        faults = client.faults()
    assert faults == []
    print(f"{state['frames']} frames; {Path(tmp_path) / 'voice-live.png'}")
    assert state["statuses"][0] == "cancelled"
    assert state["statuses"][1:] == ["completed"] * (len(state["statuses"]) - 1)
    assert "10" in state["answered"][-1]
    assert wants_to_go_forward(state["said"][-1])
    assert state["audio"] == 0
    assert len(set(state["visemes"])) >= 5
    assert {len(frame) for frame in state["blendshapes"]} == {55}
    assert "weasels" in " ".join(state["words"])
