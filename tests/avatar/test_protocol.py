import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, Typed
from avatar.protocol import events as wire
from avatar.protocol.version import PROTOCOL_VERSION
from tests.avatar.realtime_kit import Client, spoken_reply, user_message


def test_the_channel_opens_with_the_session():
    client = Client()
    client.server.open()
    assert client.types == ["session.created", "avatar.state"]
    assert client.seen[0]["session"]["id"] == "rtc_1"
    face = {"name": "elena", "url": "/v1/avatar/faces/elena/"}
    shown = {"protocol": PROTOCOL_VERSION, "face": face, "recording": False}
    assert client.seen[0]["session"]["avatar"] == shown


def test_a_recorded_call_says_so_until_the_consent_is_withdrawn():
    client = Client(may_record=True)
    client.server.open()
    client.sends("session.update", session={"avatar": {"recording": True}})
    client.sends("session.update", session={"avatar": {"recording": False}})
    sessions = [event["session"] for event in client.seen if "session" in event]
    assert [session["avatar"]["recording"] for session in sessions] == [True, True, False]
    assert client.withdrawn


def test_a_spoken_turn_comes_in_the_order_that_sdks_expect():
    client = Client()
    client.server.tell(say.UserStarted("item_1", 500))
    client.server.tell(say.UserInterim("item_1", "how"))
    client.server.tell(say.UserStopped("item_1", 1800))
    client.server.tell(say.UserSaid("item_1", "how are you", 1.3))
    spoken_reply(client, "Fine, ", "thanks.")
    assert client.types == [
        "input_audio_buffer.speech_started",
        "avatar.input_transcript.interim",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "output_audio_buffer.started",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.delta",
        "output_audio_buffer.stopped",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert client.seen[-1]["response"]["output"][0]["content"][0]["transcript"] == "Fine, thanks."
    assert client.seen[-2]["previous_item_id"] == "item_1"


def test_every_event_has_an_id_of_its_own():
    client = Client()
    spoken_reply(client, "Fine.")
    assert len({event["event_id"] for event in client.seen}) == len(client.seen)


def test_an_interrupted_reply_says_what_was_heard():
    client = Client()
    spoken_reply(client, "One two ", "three.", status="cancelled", heard_text="One two")
    truncated = next(e for e in client.seen if e["type"] == "conversation.item.truncated")
    assert (truncated["avatar_heard"], truncated["audio_end_ms"]) == ("One two", 1200)
    assert "output_audio_buffer.cleared" in client.types
    done = client.seen[-1]["response"]
    assert done["status"] == "cancelled"
    assert done["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("by_client", "reason"), [(False, "turn_detected"), (True, "client_cancelled")]
)
def test_a_cancelled_reply_says_who_cancelled_it(by_client, reason):
    client = Client()
    spoken_reply(client, "One.", status="cancelled", by_client=by_client)
    assert client.seen[-1]["response"]["status_details"]["reason"] == reason


def test_a_reply_cancelled_before_its_first_sound_has_no_output():
    client = Client()
    spoken_reply(client, status="cancelled")
    assert client.types == ["response.created", "response.done"]
    assert client.seen[-1]["response"]["output"] == []


def test_a_failed_reply_says_why():
    client = Client()
    spoken_reply(client, "Sorry.", status="failed")
    assert "error" in client.types
    assert client.seen[-1]["response"]["status_details"]["error"]["message"] == "Broken."


def test_noise_is_no_message():
    client = Client()
    client.server.tell(say.UserStarted("item_1", 0))
    client.server.tell(say.UserSaid("item_1", "", 0.2))
    assert client.types == [
        "input_audio_buffer.speech_started",
        "conversation.item.input_audio_transcription.completed",
    ]


def test_client_events_become_commands():
    client = Client()
    client.creates(item=user_message(" hello "))
    client.sends("response.create", response={})
    client.sends("output_audio_buffer.clear")
    client.sends("input_audio_buffer.clear")
    client.sends("avatar.ping")
    assert client.commands == [Typed("hello"), Respond(), Stop()]
    assert (client.forgotten, client.pings) == (1, 1)
    assert client.types == ["input_audio_buffer.cleared", "avatar.pong"]


def test_a_client_may_ask_who_draws_the_face():
    client = Client()
    client.sends("avatar.face.update", mode="client")
    client.sends("avatar.face.update", mode="audio", automatic=True, reason="network")
    assert client.asked == [("client", False, "chosen"), ("audio", True, "network")]
    client.server.show("audio", "network", 0)
    updated = {key: client.seen[0][key] for key in ("type", "mode", "reason", "frame_rate")}
    assert updated == {
        "type": "avatar.face.updated",
        "mode": "audio",
        "reason": "network",
        "frame_rate": 0,
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "mode"),
        ({"mode": "hologram"}, "mode"),
        ({"mode": 7}, "mode"),
        ({"mode": "video", "automatic": "perhaps"}, "automatic"),
        ({"mode": "video", "reason": "busy"}, "reason"),
    ],
)
def test_a_malformed_wish_for_the_face_is_refused_by_field(fields, param):
    client = Client()
    client.sends("avatar.face.update", **fields)
    assert client.types == ["error"]
    assert client.seen[0]["error"]["param"] == param
    assert client.asked == []


def test_a_session_update_is_confirmed_and_obeyed():
    client = Client()
    audio = {"input": {"transcription": {"language": "es", "model": "whatever"}}}
    client.sends("session.update", session={"type": "realtime", "audio": audio})
    assert client.commands == [Configure("es", None)]
    session = client.seen[-1]["session"]
    assert session["audio"]["input"]["transcription"]["language"] == "es"


def test_cancelling_an_answer_that_is_not_under_way_is_an_error():
    client = Client()
    client.sends("response.cancel", event_id="mine")
    assert client.seen[-1]["error"]["code"] == "response_cancel_not_active"
    assert client.seen[-1]["error"]["event_id"] == "mine"
    assert client.commands == []


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("not json", "invalid_json", None),
        ("[]", "invalid_json", None),
        ("{}", "invalid_json", None),
        ('{"type": "nonsense.event"}', "unknown_event", "type"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        (
            '{"type": "session.update", "session": {"audio": {"input": {"transcription": '
            '{"language": "tlh"}}}}}',
            "invalid_value",
            "session.audio.input.transcription.language",
        ),
        (
            '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", '
            '"content": [{"type": "input_text", "text": "  "}]}}',
            "invalid_value",
            "item.content[0].text",
        ),
    ],
)
def test_a_bad_event_gets_an_error_that_names_what_is_wrong(message, code, param):
    client = Client()
    client.server.receive(message)
    (event,) = client.seen
    assert (event["error"]["code"], event["error"].get("param")) == (code, param)
    assert client.commands == []


@given(st.text() | st.recursive(st.none() | st.booleans() | st.text() | st.integers(), lambda v: (
    st.lists(v, max_size=4) | st.dictionaries(st.sampled_from(
        ["type", "session", "item", "content", "role", "text", "event_id", "audio"]), v, max_size=4)
)).map(json.dumps))  # fmt: skip
def test_no_message_breaks_the_protocol(message):
    client = Client()
    client.server.receive(message)
    for event in client.seen:
        assert wire.ErrorEvent.model_validate(event)


def test_an_opener_is_told_and_is_no_part_of_the_answer():
    client = Client()
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.server.tell(say.OpenerHeard("resp_1", "Let me see.", 800))
    assert client.types == ["response.created", "avatar.opener"]
    assert (client.seen[1]["text"], client.seen[1]["duration_ms"]) == ("Let me see.", 800)
    client.seen.clear()
    client.server.tell(say.ReplyHeard("resp_1", "item_9", "Hello."))
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hello.", 1200, False, ""))
    assert "Let me see" not in json.dumps(client.seen)


def test_a_timeline_has_each_row_beside_its_target_and_its_limit():
    client = Client()
    rows, starts = {"turn_ended": 210, "first_sound": 900}, {"turn_ended": 0, "first_sound": 880}
    client.server.tell(
        say.ReplyTimed("resp_1", "en", rows, starts, 5.0, 110, None, ("short_first_clause",))
    )
    (timeline,) = client.seen
    assert timeline["type"] == "avatar.timeline"
    assert (timeline["rows"], timeline["starts"]) == (rows, starts)
    assert rows.keys() <= timeline["targets"].keys() == timeline["limits"].keys()
    assert timeline["targets"]["first_sound"] < timeline["limits"]["first_sound"] < 900
    assert (timeline["head_start"], timeline["actions"]) == (110, ["short_first_clause"])
    assert "excused" not in timeline


def test_a_timeline_says_what_kept_its_answer_waiting():
    client = Client()
    rows = {"turn_ended": 210, "first_sound": 3900}
    client.server.tell(say.ReplyTimed("resp_1", "en", rows, rows, 5.0, excused="tool"))
    (timeline,) = client.seen
    assert (timeline["excused"], timeline["rows"]) == ("tool", rows)
