import json

import pytest
from azure.ai.voicelive import models as sdk
from hypothesis import given
from hypothesis import strategies as st

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, Typed
from tests.avatar.voice_live_kit import Client, understood

SDP = "v=0\r\n"
AVATAR = sdk.AvatarConfig(character="elena", customized=False)


def test_every_event_of_a_conversation_is_one_that_the_sdk_reads():
    client = Client()
    client.server.open()
    client.updates(instructions="Be brief.", avatar=AVATAR)
    client.server.tell(say.UserStarted("item_1", 100))
    client.server.tell(say.UserStopped("item_1", 900))
    client.server.tell(say.UserSaid("item_1", "Hello.", 0.8))
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi there. ", 0)
    client.sounds(15)
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "cancelled", "Hi", 300))
    client.sends(sdk.ClientEventSessionAvatarConnect(client_sdp=SDP))
    client.server.connecting("v=0\r\nanswer")

    read = [understood(event) for event in client.seen]

    types = [kind for kind in client.types if kind != "response.audio.delta"]
    assert types == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
        "conversation.item.truncated",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
        "session.avatar.connecting",
    ]
    assert read[10].part.type == "audio"
    assert sum(len(event.delta) for event in read if event.type == "response.audio.delta") == 14_400
    assert read[-2].response.status_details.reason == "turn_detected"
    assert read[-2].response.output[0].content[0].transcript == "Hi"


def test_nobody_watches_whom_there_is_no_word_to_tell():
    client = Client()
    client.server.open()
    assert client.forbidden == [True]


def test_a_session_shows_what_was_agreed_and_where_to_connect_the_avatar():
    client = Client()
    client.server.open()
    client.updates(
        modalities=["text", "audio", "avatar"],
        instructions="Be brief.",
        voice=sdk.AzureStandardVoice(name="es-ES-ElviraNeural"),
        avatar=sdk.AvatarConfig(
            character="lisa", customized=False, video=sdk.VideoParams(bitrate=2_000_000)
        ),
    )

    session = understood(client.of("session.updated")[0]).session

    assert (session.id, session.instructions) == ("rtc_1", "Be brief.")
    assert session.voice["name"] == "es-ES-ElviraNeural"
    assert session.avatar.ice_servers[0].urls == ["stun:stun.example.org"]
    assert session.avatar.ice_servers[0].credential == "c"
    assert (session.avatar.character, session.avatar.video.bitrate) == ("elena", 1_000_000)
    assert session.avatar.video.resolution.width == 512
    assert client.commands == [Configure("es", "Be brief.", speaks=True)]
    assert [understood(event).warning.param for event in client.of("warning")] == [
        "session.voice",
        "session.avatar.character",
    ]


def test_an_update_that_is_refused_changes_nothing():
    client = Client()
    client.sends(
        sdk.ClientEventSessionUpdate(
            session=sdk.RequestSession(
                instructions="Be brief.",
                avatar=sdk.AvatarConfig(character="elena", customized=True),
            )
        ),
        event_id="mine",
    )
    client.sends(sdk.ClientEventSessionAvatarConnect(client_sdp=SDP))

    errors = [understood(event).error for event in client.seen]

    assert [(error.code, error.param) for error in errors] == [
        ("not_supported", "session.avatar.customized"),
        ("avatar_not_configured", "session.avatar"),
    ]
    assert errors[0].event_id == "mine"
    assert (client.commands, client.link.asked) == ([], [])


def test_the_avatar_is_connected_as_it_was_asked_for():
    client = Client()
    client.updates(
        avatar=sdk.AvatarConfig(
            character="elena",
            customized=False,
            video=sdk.VideoParams(bitrate=400_000, codec="h264"),
            output_audit_audio=True,
        )
    )
    client.sends(sdk.ClientEventSessionAvatarConnect(client_sdp=SDP))

    assert client.link.asked == [(SDP, 400_000, True)]


@pytest.mark.parametrize("audits", [False, True])
def test_sound_that_goes_with_the_picture_is_told_where_it_is_audited(audits):
    client = Client()
    client.updates(
        avatar=sdk.AvatarConfig(character="elena", customized=False, output_audit_audio=audits)
    )
    client.link.is_up = True
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi there.", 0)
    client.sounds(50)
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "cancelled", "Hi", 1000))

    assert bool(client.of("response.audio.delta")) == audits
    assert understood(client.of("conversation.item.truncated")[0]).audio_end_ms >= 980


def test_an_offer_that_is_none_is_refused():
    client = Client()
    client.updates(avatar=AVATAR)
    client.sends(sdk.ClientEventSessionAvatarConnect(client_sdp="?"))

    assert understood(client.seen[-1]).error.code == "invalid_sdp"
    assert client.link.asked == []


def test_a_connected_avatar_is_said_to_speak_and_to_be_idle():
    client = Client()
    client.server.tell(say.StateChanged("speaking"))
    assert client.seen == []

    client.link.is_up = True
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.server.tell(say.StateChanged("speaking"))
    client.server.tell(say.StateChanged("listening"))

    told = [event for event in client.seen if event["type"].startswith("session.avatar")]
    assert [(understood(event).type, event["turn_id"]) for event in told] == [
        ("session.avatar.switch_to_speaking", "resp_1"),
        ("session.avatar.switch_to_idle", "resp_1"),
    ]


def test_messages_and_commands_reach_the_conversation():
    client = Client()
    text = sdk.InputTextContentPart(text="Hello.")
    client.sends(sdk.ClientEventConversationItemCreate(item=sdk.UserMessageItem(content=[text])))
    client.sends(sdk.ClientEventResponseCreate())
    client.server.receive('{"type": "output_audio_buffer.clear"}')

    assert client.commands == [Typed("Hello."), Respond(), Stop()]


def test_instructions_can_be_added_for_one_answer():
    client = Client()
    client.updates(instructions="Be brief.")
    client.sends(sdk.ClientEventResponseCreate(additional_instructions="Be kind."))

    (respond,) = [command for command in client.commands if isinstance(command, Respond)]
    assert respond.instructions == "Be brief.\nBe kind."
    assert not client.of("error")


def test_a_tool_can_be_named_plainly():
    client = Client()
    tool = sdk.FunctionTool(name="look", description="Looks.", parameters={"type": "object"})
    client.updates(tools=[tool], tool_choice="look")

    (configured,) = client.commands
    assert [tool.name for tool in configured.tools] == ["look"]
    assert configured.tool_choice.name == "look"
    assert understood(client.of("session.updated")[0]).session.tools[0]["name"] == "look"


@given(st.text() | st.binary().map(repr))
def test_no_message_breaks_it(message):
    client = Client()
    client.server.receive(message)
    assert client.types == ["error"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
kinds = ["session.update", "session.avatar.connect", "response.create", "conversation.item.create"]


@given(
    st.sampled_from(kinds),
    st.dictionaries(st.sampled_from(["session", "client_sdp", "response", "item"]), json_values),
)
def test_no_malformed_event_breaks_it_and_every_answer_is_understood(kind, fields):
    client = Client()
    client.server.receive(json.dumps({"type": kind, **fields}))
    for event in client.seen:
        understood(event)
