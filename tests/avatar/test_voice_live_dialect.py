# ruff: noqa: RUF001  # IPA has letters that look like others
import base64
import json

import numpy as np
import pytest
from azure.ai.voicelive import models as sdk
from hypothesis import given
from hypothesis import strategies as st

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, Typed
from avatar.playout import Begun
from avatar.protocol.dialect import Doors, FaceFiles, Performance
from avatar.protocol.voice_live.blendshapes import FRAME_SAMPLES
from avatar.protocol.voice_live.description import LEAD_SAMPLES
from avatar.protocol.voice_live.dialect import VoiceLive
from avatar.protocol.voice_live.terms import Offered
from avatar.websocket.microphone import LineMicrophone
from render.types import ARKIT, FacePose
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk
from tests.avatar.voice_live_kit import understood

HERE = Offered(("en", "es"), "elena", 512, 512, 1_000_000)
STUN = {"urls": "stun:stun.example.org", "username": "u", "credential": "c"}
SDP = "v=0\r\n"
AVATAR = sdk.AvatarConfig(character="elena", customized=False)
JAW = ARKIT.index("jawOpen")


class Link:
    """The avatar's connection, of which somebody only takes note."""

    def __init__(self):
        self.is_up, self.asked = False, []

    def ask(self, offer, *, bitrate_bps, prefers_h264):
        self.asked.append((offer.sdp, bitrate_bps, prefers_h264))


class Line:
    """A WebSocket's sound."""

    def __init__(self):
        self.microphone_in, self.on_sound = LineMicrophone(), None


class Client:
    """What the SDK sees and does; what the server makes of it."""

    def __init__(self):
        self.seen, self.commands, self.link, self.line = [], [], Link(), Line()
        self.position, self.begun, self.forbidden = 0, None, []
        self.server = VoiceLive(
            Doors(
                call_id="rtc_1",
                language="en",
                instructions="",
                send=lambda message: self.seen.append(json.loads(message)),
                command=self.commands.append,
                face=FaceFiles(name="elena", url="/v1/avatar/faces/elena/"),
                forbid_watching=lambda: self.forbidden.append(True),
                performance=Performance(lambda: self.position, lambda: self.begun, self._pose),
            ),
            HERE,
            [STUN],
            self.link,
            self.line,
        )

    @staticmethod
    def _pose(sample):
        """A face whose jaw tells the sample."""
        weights = np.zeros(52, np.float32)
        weights[JAW] = sample / 96_000
        return FacePose(weights, np.zeros(3, np.float32), np.zeros(2, np.float32), 0.0, sample)

    def sends(self, event, **fields):
        """An event of the SDK's, as it puts it on the wire."""
        self.server.receive(json.dumps(event.as_dict() | fields))

    def updates(self, **session):
        self.sends(sdk.ClientEventSessionUpdate(session=sdk.RequestSession(**session)))

    def hears(self, text, start_sample, phonemes=(), samples=48_000):
        chunk = SpeechChunk(text, AudioFrame(np.zeros(samples, np.int16), 48_000), phonemes)
        self.begun = Begun(chunk, start_sample)
        self.server.tell(say.ReplyHeard("resp_1", "item_9", text))

    def sounds(self, frames=1):
        for _ in range(frames):
            self.line.on_sound(np.zeros(960, np.int16))

    def of(self, kind):
        return [event for event in self.seen if event["type"] == kind]

    @property
    def types(self):
        return [event["type"] for event in self.seen]


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


def test_words_and_mouth_shapes_are_timed_from_the_first_sound_of_the_answer():
    client = Client()
    client.updates(
        animation=sdk.Animation(outputs=["viseme_id"]), output_audio_timestamp_types=["word"]
    )
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears(
        "Bob, so. ",
        480_000,
        (
            PhonemeTiming("b", 0, 4800, starts_word=True),
            PhonemeTiming("ɑ", 4800, 14_400),
            PhonemeTiming("b", 14_400, 19_200),
            PhonemeTiming("s", 24_000, 28_800, starts_word=True),
            PhonemeTiming("oʊ", 28_800, 38_400),  # IPA
        ),
    )
    client.hears("Ah.", 528_000, (PhonemeTiming("ɑ", 0, 24_000, starts_word=True),))
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Bob, so. Ah.", 1500))

    words = [understood(event) for event in client.of("response.audio_timestamp.delta")]
    shapes = [understood(event) for event in client.of("response.animation_viseme.delta")]

    assert [(w.text, w.audio_offset_ms, w.audio_duration_ms) for w in words] == [
        ("Bob,", 0, 500),
        ("so.", 500, 300),
        ("Ah.", 1000, 500),
    ]
    assert [(shape.audio_offset_ms, shape.viseme_id) for shape in shapes] == [
        (0, 21), (100, 2), (300, 21), (400, 0), (500, 15), (600, 8), (700, 4), (800, 0),
        (1000, 2), (1500, 0),
    ]  # fmt: skip
    assert {(shape.response_id, shape.item_id) for shape in shapes} == {("resp_1", "item_9")}
    ends = [t for t in client.types if t.endswith((".done",))]
    assert ends.index("response.animation_viseme.done") < ends.index("response.audio.done")
    assert ends.index("response.audio_timestamp.done") < ends.index("response.audio.done")
    assert client.of("response.animation_blendshapes.delta") == []


def test_the_face_is_told_ahead_of_its_sound_sixty_times_a_second_without_a_hole():
    client = Client()
    client.updates(animation=sdk.Animation(outputs=["blendshapes"]))
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hello there.", 48_000, samples=48_000)
    for position in range(48_000, 96_000, 960):
        client.position = position
        client.server.moved()
        told = client.of("response.animation_blendshapes.delta")
        frames = sum(len(event["frames"]) for event in told)
        ahead = frames - (position - 48_000) / FRAME_SAMPLES
        assert 0 < ahead <= LEAD_SAMPLES / FRAME_SAMPLES + 1
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hello there.", 1000))

    deltas = [understood(event) for event in client.of("response.animation_blendshapes.delta")]

    count = 0
    for delta in deltas:
        assert delta.frame_index == count
        for i, frame in enumerate(delta.frames):
            jaw = (48_000 + (count + i) * FRAME_SAMPLES) / 96_000
            assert frame[17] == pytest.approx(jaw, abs=1e-3)
        count += len(delta.frames)
    understood(client.of("response.animation_blendshapes.done")[0])


@pytest.mark.parametrize(("name", "rate_hz"), [("pcm16_8000hz", 8_000), ("pcm16_16000hz", 16_000)])
def test_sound_has_the_rates_that_were_asked_for(name, rate_hz):
    client = Client()
    client.updates(output_audio_format=name, input_audio_sampling_rate=16_000)
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi there.", 0)
    client.sounds(50)
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hi there.", 1000))
    second = base64.b64encode(np.ones(16_000, "<i2").tobytes()).decode()
    for _ in range(3):
        client.sends(sdk.ClientEventInputAudioBufferAppend(audio=second))

    heard = [understood(event).delta for event in client.of("response.audio.delta")]
    assert sum(map(len, heard)) == 2 * rate_hz
    assert client.line.microphone_in.position == pytest.approx(48_000, abs=100)
    assert client.of("session.updated")[0]["session"]["output_audio_format"] == name
    assert not client.of("error")


def test_an_opener_is_part_of_the_sound_and_a_silence_for_the_person_is_not():
    client = Client()
    client.updates(output_audio_timestamp_types=["word"])
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    chunk = SpeechChunk("Hm.", AudioFrame(np.zeros(24_000, np.int16), 48_000))
    client.begun = Begun(chunk, 48_000)
    client.server.tell(say.OpenerHeard("resp_1", "Hm.", 500))
    client.hears("Well. ", 96_000)
    client.position = 100_000
    client.server.tell(say.ReplyHeld("resp_1", "item_9"))
    client.position = 148_000
    client.server.tell(say.ReplyResumed("resp_1", "item_9", "backchannel"))
    client.hears("Yes.", 192_000)

    words = client.of("response.audio_timestamp.delta")
    assert [(word["text"], word["audio_offset_ms"]) for word in words] == [
        ("Well.", 1000),
        ("Yes.", 2000),
    ]


def test_what_was_not_asked_for_is_not_told():
    client = Client()
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi.", 0, (PhonemeTiming("h", 0, 4800, starts_word=True),))
    client.position = 48_000
    client.server.moved()
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hi.", 1000))

    assert not [kind for kind in client.types if "animation" in kind or "timestamp" in kind]


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
