import base64
import json

import pytest
from azure.ai.voicelive import models as sdk
from pydantic import ValidationError

from avatar.protocol.voice_live.request import AskedSession, explain
from avatar.protocol.voice_live.signalling import unwrap
from avatar.protocol.voice_live.terms import (
    NotOfferedError,
    Offered,
    check,
    conversation_language,
    video_bitrate_bps,
)
from speech.errors import SignallingError

HERE = Offered(("en", "es"), "elena", 512, 512, 1_000_000)
SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"


def asked(**fields):
    """What the SDK would send."""
    return AskedSession.model_validate(sdk.RequestSession(**fields).as_dict())


def test_all_that_the_sdk_can_say_of_a_session_is_understood():
    session = asked(
        model="gpt-4o",
        modalities=["text", "audio", "animation", "avatar"],
        animation=sdk.Animation(model_name="default", outputs=["blendshapes", "viseme_id"]),
        voice=sdk.AzureStandardVoice(name="en-US-AvaNeural", temperature=0.8, rate="1.1"),
        instructions="Be brief.",
        input_audio_sampling_rate=24_000,
        input_audio_format="pcm16",
        output_audio_format="pcm16",
        turn_detection=sdk.AzureSemanticVadMultilingual(
            threshold=0.5,
            prefix_padding_ms=300,
            silence_duration_ms=500,
            speech_duration_ms=80,
            remove_filler_words=True,
            languages=["en"],
            auto_truncate=True,
            create_response=True,
            interrupt_response=True,
            end_of_utterance_detection=sdk.AzureSemanticDetection(threshold_level="low"),
        ),
        input_audio_noise_reduction=sdk.AudioNoiseReduction(type="azure_deep_noise_suppression"),
        input_audio_echo_cancellation=sdk.AudioEchoCancellation(),
        avatar=sdk.AvatarConfig(
            character="lisa",
            style="casual-sitting",
            customized=False,
            video=sdk.VideoParams(bitrate=2_000_000, codec="h264"),
            output_audit_audio=True,
        ),
        input_audio_transcription=sdk.AudioInputTranscriptionOptions(
            model="azure-speech", language="en-US", phrase_list=["Presencia"]
        ),
        output_audio_timestamp_types=["word"],
        tools=[sdk.FunctionTool(name="look", description="Looks.", parameters={"type": "object"})],
        tool_choice="auto",
        parallel_tool_calls=False,
        temperature=0.8,
        max_response_output_tokens="inf",
        reasoning_effort="low",
        include=["item.input_audio_transcription.logprobs"],
        metadata={"a": "b"},
    )

    assert session.animation.outputs == ("blendshapes", "viseme_id")
    assert conversation_language(session, HERE) == "en"
    assert video_bitrate_bps(session.avatar, HERE) == 1_000_000
    assert {remark.code for remark in check(session, HERE)} == {
        "voice_mapped",
        "avatar_mapped",
        "not_applied",
    }


def test_what_is_not_known_is_named():
    with pytest.raises(ValidationError) as error:
        AskedSession.model_validate({"turn_detection": {"type": "server_vad", "mood": 1}})

    assert explain(error.value)[0] == "session.turn_detection.mood"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"voice": sdk.AzureStandardVoice(name="fr-FR-DeniseNeural")}, "voice"),
        ({"voice": sdk.AzureCustomVoice(name="mine", endpoint_id="1")}, "voice"),
        ({"interim_response": sdk.StaticInterimResponseConfig(texts=["Hm."])}, "interim_response"),
        (
            {
                "voice": sdk.AzureStandardVoice(name="en-US-AvaNeural"),
                "input_audio_transcription": sdk.AudioInputTranscriptionOptions(
                    model="azure-speech", language="es-ES"
                ),
            },
            "voice",
        ),
        (
            {"input_audio_echo_cancellation": sdk.AudioEchoCancellation(reference_source="client")},
            "input_audio_echo_cancellation",
        ),
    ],
)
def test_what_can_not_be_done_is_refused_by_name(fields, param):
    with pytest.raises(NotOfferedError) as error:
        check(asked(**fields), HERE)

    assert error.value.param == f"session.{param}"


@pytest.mark.parametrize(
    ("avatar", "param"),
    [
        ({"customized": True}, "customized"),
        ({"output_protocol": "websocket"}, "output_protocol"),
        ({"scene": sdk.Scene(zoom=2.0)}, "scene"),
        ({"video": sdk.VideoParams(bitrate=1)}, "video.bitrate"),
        ({"video": sdk.VideoParams(gop_size=10)}, "video.gop_size"),
        (
            {"video": sdk.VideoParams(resolution=sdk.VideoResolution(width=1080, height=1920))},
            "video.resolution",
        ),
        (
            {
                "video": sdk.VideoParams(
                    crop=sdk.VideoCrop(top_left=[560, 0], bottom_right=[1360, 1080])
                )
            },
            "video.crop",
        ),
        (
            {"video": sdk.VideoParams(background=sdk.Background(color="#00FF00FF"))},
            "video.background",
        ),
    ],
)
def test_a_picture_that_can_not_be_had_is_refused_by_name(avatar, param):
    wanted = {"character": "lisa", "customized": False, **avatar}

    with pytest.raises(NotOfferedError) as error:
        check(asked(avatar=sdk.AvatarConfig(**wanted)), HERE)

    assert error.value.param == f"session.avatar.{param}"


def test_the_servers_own_face_and_size_are_taken_without_remark():
    avatar = sdk.AvatarConfig(
        character="elena",
        customized=False,
        video=sdk.VideoParams(
            bitrate=500_000,
            resolution=sdk.VideoResolution(width=512, height=512),
            crop=sdk.VideoCrop(top_left=[0, 0], bottom_right=[512, 512]),
        ),
    )

    session = asked(avatar=avatar)

    assert check(session, HERE) == []
    assert video_bitrate_bps(session.avatar, HERE) == 500_000


def test_voices_of_openai_speak_every_language():
    assert conversation_language(AskedSession(voice="alloy"), HERE) is None
    assert conversation_language(asked(voice=sdk.OpenAIVoice(name="alloy")), HERE) is None


@pytest.mark.parametrize(
    "wrap",
    [
        lambda sdp: sdp,
        lambda sdp: base64.b64encode(sdp.encode()).decode(),
        lambda sdp: base64.b64encode(json.dumps({"type": "offer", "sdp": sdp}).encode()).decode(),
    ],
    ids=["plain", "base64", "json"],
)
def test_an_offer_is_read_and_its_answer_wrapped_alike(wrap):
    offer = unwrap(wrap(SDP))

    assert offer.sdp == SDP
    answer = offer.wrap("v=0\r\nanswer")
    if answer.startswith("v="):
        assert offer.form == "plain"
    else:
        text = base64.b64decode(answer).decode()
        assert text == "v=0\r\nanswer" or json.loads(text) == {
            "type": "answer",
            "sdp": "v=0\r\nanswer",
        }


@pytest.mark.parametrize(
    "client_sdp",
    [
        "",
        "hello",
        "///",
        base64.b64encode(b"hello").decode(),
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b'{"type": "answer", "sdp": "v=0"}').decode(),
        base64.b64encode(b'{"type": "offer", "sdp": 1}').decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_is_no_offer_is_refused_with_what_to_send(client_sdp):
    with pytest.raises(SignallingError, match="base64"):
        unwrap(client_sdp)
