"""What a client asks of its session, and what it is told that it got."""

import pytest

from avatar import events as say
from avatar.commands import Configure
from avatar.protocol import events as wire
from avatar.turn_taking import TurnTaking
from speech.types import NamedTool, Tool
from tests.avatar.realtime_kit import Client

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
AGENTS_SDK = {
    "type": "realtime",
    "instructions": "Be brief.",
    "model": "gpt-realtime-2.1",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "noise_reduction": None,
            "transcription": {"model": "gpt-4o-mini-transcribe"},
            "turn_detection": {"type": "semantic_vad"},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "speed": 1},
    },
    "tools": [WEATHER],
}


def updated(session):
    client = Client()
    client.sends("session.update", session={"type": "realtime", **session}, event_id="mine")
    return client


def detection(turn_detection):
    return {"audio": {"input": {"turn_detection": turn_detection}}}


def test_what_the_agents_sdk_asks_for_at_first_is_granted_without_a_word():
    client = updated(AGENTS_SDK)
    assert client.types == ["session.updated"]
    session = client.seen[0]["session"]
    assert session["instructions"] == "Be brief."
    assert session["tools"] == [WEATHER]
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }
    (configured,) = client.commands
    assert configured.tools == (Tool("get_weather", WEATHER["description"], WEATHER["parameters"]),)


def test_what_is_not_given_stays_as_it_is():
    client = updated(AGENTS_SDK)
    client.sends("session.update", session={"type": "realtime", "tracing": None})
    assert client.seen[1]["session"] == client.seen[0]["session"]
    assert client.commands[1] == Configure()


@pytest.mark.parametrize(
    ("asked", "turns"),
    [
        (None, TurnTaking(by_client=True, answers=False)),
        ({"type": "semantic_vad", "eagerness": "medium"}, TurnTaking()),
        (
            {"type": "semantic_vad", "eagerness": "high"},
            TurnTaking(end_silence_ms=200, patient_silence_ms=700),
        ),
        (
            {"type": "semantic_vad", "create_response": False, "interrupt_response": False},
            TurnTaking(answers=False, interrupts=False),
        ),
        (
            {
                "type": "server_vad",
                "threshold": 0.7,
                "prefix_padding_ms": 200,
                "silence_duration_ms": 600,
            },
            TurnTaking(threshold=0.7, pre_roll_ms=200, end_silence_ms=600, patient_silence_ms=600),
        ),
    ],
)
def test_turn_detection_becomes_our_endpointing(asked, turns):
    client = updated(detection(asked))
    assert client.commands == [Configure(turn_taking=turns)]
    shown = client.seen[0]["session"]["audio"]["input"]["turn_detection"]
    assert (shown is None) == (asked is None)
    assert {key: shown[key] for key in asked or {}} == (asked or {})


@pytest.mark.parametrize(
    ("choice", "understood"),
    [("none", "none"), ({"type": "function", "name": "get_weather"}, NamedTool("get_weather"))],
)
def test_tools_may_be_chosen(choice, understood):
    client = updated({"tool_choice": choice})
    assert client.commands == [Configure(tool_choice=understood)]
    assert client.seen[0]["session"]["tool_choice"] == choice


def test_tools_are_cleared_by_none():
    client = updated({"tools": [WEATHER]})
    client.sends("session.update", session={"type": "realtime", "tools": []})
    assert client.commands[1] == Configure(tools=())
    assert client.seen[1]["session"]["tools"] == []


def test_answers_may_be_written():
    client = updated({"output_modalities": ["text"]})
    assert client.commands == [Configure(speaks=False)]
    assert client.seen[0]["session"]["output_modalities"] == ["text"]


@pytest.mark.parametrize(
    ("session", "param"),
    [
        (
            {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}},
            "session.audio.input.noise_reduction",
        ),
        (
            {"audio": {"input": {"transcription": {"prompt": "Names: Elena"}}}},
            "session.audio.input.transcription.prompt",
        ),
        (
            detection({"type": "server_vad", "idle_timeout_ms": 6000}),
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        ({"audio": {"output": {"speed": 1.2}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": "elvis"}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"voice": {"id": "voice_1"}}}}, "session.audio.output.voice"),
        ({"max_output_tokens": 100}, "session.max_output_tokens"),
        ({"truncation": "disabled"}, "session.truncation"),
        ({"truncation": {"type": "retention_ratio", "retention_ratio": 0.5}}, "session.truncation"),
        ({"include": ["item.input_audio_transcription.logprobs"]}, "session.include"),
        ({"prompt": {"id": "pmpt_1"}}, "session.prompt"),
        ({"reasoning": {"effort": "low"}}, "session.reasoning"),
    ],
)
def test_what_is_not_to_be_had_is_said_and_the_rest_is_done(session, param):
    client = updated({"instructions": "Be brief.", **session})
    assert client.types == ["session.updated", "error"]
    assert client.seen[0]["session"]["instructions"] == "Be brief."
    (error,) = client.errors
    assert (error["code"], error["param"]) == ("unsupported_value", param)
    assert error["event_id"] == "mine"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"modalities": ["audio"]}, "unknown_parameter", "session.modalities"),
        (
            {"audio": {"input": {"format": {"type": "audio/mp3"}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            {"audio": {"input": {"format": {"type": "audio/pcmu", "rate": 24000}}}},
            "invalid_value",
            "session.audio.input.format",
        ),
        (
            detection({"type": "psychic_vad"}),
            "invalid_value",
            "session.audio.input.turn_detection.type",
        ),
        (
            detection({"eagerness": "low"}),
            "missing_required_parameter",
            "session.audio.input.turn_detection.type",
        ),
        (
            detection({"type": "server_vad", "threshold": 2}),
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"tools": [{"type": "mcp", "server_label": "x", "server_url": "http://x"}]},
            "invalid_value",
            "session.tools[0].type",
        ),
        ({"tools": [WEATHER, WEATHER]}, "invalid_value", "session.tools"),
        (
            {"tools": [{**WEATHER, "parameters": {"type": "array"}}]},
            "invalid_value",
            "session.tools",
        ),
        (
            {"tools": [{"type": "function", "name": "no good"}]},
            "invalid_value",
            "session.tools[0].name",
        ),
        ({"tool_choice": "perhaps"}, "invalid_value", "session.tool_choice"),
        ({"output_modalities": ["video"]}, "invalid_value", "session.output_modalities[0]"),
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"instructions": "x" * 4001}, "invalid_value", "session.instructions"),
    ],
)
def test_what_is_malformed_is_refused_by_field_and_nothing_of_it_is_done(session, code, param):
    client = updated({"instructions": "Be brief.", **session})
    assert client.types == ["error"]
    (error,) = client.errors
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert client.commands == []


def test_a_session_that_a_call_began_with_is_in_force_from_the_first_event():
    client = Client(wanted=wire.SessionConfig(tools=[WEATHER], reasoning={"effort": "low"}))
    client.server.open()
    assert client.types == ["session.created", "avatar.state", "error"]
    assert client.seen[0]["session"]["tools"] == [WEATHER]
    assert client.commands[0].tools[0].name == "get_weather"


def test_words_that_a_client_does_not_want_are_not_sent():
    client = updated({"audio": {"input": {"transcription": None}}})
    client.server.tell(say.UserStarted("item_1", 0))
    client.server.tell(say.UserInterim("item_1", "how"))
    client.server.tell(say.UserStopped("item_1", 900))
    client.server.tell(say.UserSaid("item_1", "how are you", 0.9))
    assert not [kind for kind in client.types if "transcri" in kind]
    assert "conversation.item.added" in client.types
