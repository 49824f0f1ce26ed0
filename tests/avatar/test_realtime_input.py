"""Sound that clients send in events, and items that they make."""

import pytest

from avatar import events as say
from avatar.commands import Noted, Remove, Typed
from avatar.protocol.events import Message, Part
from avatar.protocol.events.session import MAX_TEXT_CHARS
from avatar.protocol.realtime.items import MOST, MOST_BYTES, Items
from tests.avatar.realtime_kit import Client, Line, audio, spoken_reply, user_message


def in_events(**fields):
    client = Client(line=Line())
    if fields:
        client.sends("session.update", session=fields)
        client.seen.clear()
        client.commands.clear()
    return client


def by_hand():
    return in_events(audio={"input": {"turn_detection": None}})


@pytest.mark.parametrize(
    ("coding", "rate_hz"), [("audio/pcm", 24_000), ("audio/pcmu", 4_000), ("audio/pcma", 4_000)]
)
def test_sound_reaches_the_microphone_at_16_khz(coding, rate_hz):
    client = in_events(audio={"input": {"format": {"type": coding}}})
    for _ in range(5):
        client.sends("input_audio_buffer.append", audio=audio(100, rate_hz))
    assert client.seen == []
    assert abs(client.line.microphone_in.position - 8000) < 100


@pytest.mark.parametrize("text", ["*", "AAA", "AA=="])
def test_what_is_no_sound_is_refused(text):
    client = in_events()
    client.sends("input_audio_buffer.append", audio=text, event_id="mine")
    (error,) = client.errors
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "audio", "mine")


def test_more_sound_than_there_is_room_for_is_refused():
    client = in_events()
    for _ in range(7):
        client.sends("input_audio_buffer.append", audio=audio(10_000))
    assert [error["code"] for error in client.errors] == ["input_audio_buffer_full"]


def test_over_webrtc_sound_has_a_track():
    client = Client()
    client.sends("input_audio_buffer.append", audio=audio(100))
    assert [error["code"] for error in client.errors] == ["unsupported_event"]


def test_a_turn_that_the_client_ends_is_a_message_without_detected_speech():
    client = by_hand()
    client.sends("input_audio_buffer.append", audio=audio(500))
    client.sends("input_audio_buffer.commit")
    assert client.commits == [client.line.microphone_in.position]
    client.server.tell(say.UserSaid("item_1", "how are you", 0.5))
    assert client.types == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
    ]


def test_silence_that_the_client_calls_a_turn_is_a_message_too():
    client = by_hand()
    client.server.tell(say.UserSaid("item_1", "", 0.5))
    assert client.types[0] == "input_audio_buffer.committed"
    assert client.seen[1]["item"]["content"] == [{"type": "input_audio", "transcript": ""}]


@pytest.mark.parametrize("milliseconds", [0, 90])
def test_hardly_any_sound_is_no_turn(milliseconds):
    client = by_hand()
    client.sends("input_audio_buffer.append", audio=audio(milliseconds))
    client.sends("input_audio_buffer.commit", event_id="mine")
    (error,) = client.errors
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert client.commits == []


def test_what_is_cleared_can_t_be_committed():
    client = by_hand()
    client.sends("input_audio_buffer.append", audio=audio(500))
    client.sends("input_audio_buffer.clear")
    client.sends("input_audio_buffer.commit")
    assert client.types == ["input_audio_buffer.cleared", "error"]
    assert (client.forgotten, client.line.microphone_in.position) == (1, 0)


def test_recorded_speech_is_written_down_as_an_item():
    client = Client()
    content = [{"type": "input_audio", "audio": audio(500)}]
    client.creates(item={"id": "mine", "type": "message", "role": "user", "content": content})
    assert client.submitted == [(8000, "mine")]
    client.server.tell(say.UserSaid("mine", "how are you", 0.5))
    assert client.types[0] == "conversation.item.added"
    assert client.seen[0]["item"]["content"][0]["transcript"] == "how are you"


def test_recorded_speech_whose_words_are_given_is_not_listened_to():
    client = Client()
    content = [{"type": "input_audio", "audio": audio(500), "transcript": "how are you"}]
    client.creates(item={"id": "mine", "type": "message", "role": "user", "content": content})
    assert (client.submitted, client.commands) == ([], [Typed("how are you", "mine")])
    client.server.tell(say.UserTyped("mine", "how are you"))
    assert client.seen[0]["item"]["content"][0]["type"] == "input_audio"


def test_no_more_recorded_speech_waits_to_be_written_down_than_two_minutes():
    client = Client()
    for name in "aabc":
        content = [{"type": "input_audio", "audio": audio(50_000)}]
        client.creates(item={"id": name, "type": "message", "role": "user", "content": content})
    codes = [error["code"] for error in client.errors]
    assert codes == ["invalid_value", "input_audio_buffer_full"]  # a name is taken at once
    assert len(client.submitted) == 2
    client.server.tell(say.UserSaid("a", "how are you", 50.0))
    client.creates(item={"id": "c", "type": "message", "role": "user", "content": content})
    assert len(client.submitted) == 3


def test_a_transcript_is_no_longer_than_other_text():
    client = Client()
    content = [{"type": "input_audio", "transcript": "a" * (MAX_TEXT_CHARS + 1)}]
    client.creates(item={"type": "message", "role": "user", "content": content})
    assert ([error["code"] for error in client.errors], client.commands) == (["invalid_value"], [])


def note(role, text, kind="input_text"):
    key = "transcript" if kind == "output_audio" else "text"
    return {"type": "message", "role": role, "content": [{"type": kind, key: text}]}


@pytest.mark.parametrize(
    ("role", "kind"),
    [("system", "input_text"), ("assistant", "output_text"), ("assistant", "output_audio")],
)
def test_a_client_may_say_what_nobody_said(role, kind):
    client = Client()
    client.creates(item={"id": "mine", **note(role, "Hello.", kind)})
    assert client.types == ["conversation.item.added", "conversation.item.done"]
    assert client.commands == [Noted(role, "Hello.", "mine")]


def test_items_stand_where_the_client_puts_them():
    client = Client()
    client.creates(item={"id": "b", **note("system", "B")})
    client.creates(item={"id": "d", **note("system", "D")})
    client.creates(item={"id": "a", **note("system", "A")}, previous_item_id="root")
    client.creates(item={"id": "c", **note("system", "C")}, previous_item_id="b")
    placed = {
        e["item"]["id"]: e.get("previous_item_id") for e in client.of("conversation.item.done")
    }
    assert placed == {"b": None, "d": "b", "a": None, "c": "b"}
    assert [command.after for command in client.commands] == [None, None, "root", "b"]


def test_an_item_can_be_asked_for_and_taken_away():
    client = Client()
    client.creates(item={"id": "a", **note("system", "A")})
    client.sends("conversation.item.retrieve", item_id="a")
    client.sends("conversation.item.delete", item_id="a")
    assert client.types[2:] == ["conversation.item.retrieved", "conversation.item.deleted"]
    assert client.commands[1:] == [Remove("a")]
    client.sends("conversation.item.retrieve", item_id="a", event_id="mine")
    (error,) = client.errors
    assert (error["code"], error["param"]) == ("item_not_found", "item_id")


def test_what_is_being_said_can_t_be_taken_away():
    client = Client()
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.server.tell(say.ReplyHeard("resp_1", "item_9", "Fine."))
    client.sends("conversation.item.delete", item_id="item_9")
    assert [error["code"] for error in client.errors] == ["item_in_progress"]


def test_a_message_of_a_spoken_turn_can_be_asked_for_as_agents_do():
    client = Client()
    client.server.tell(say.UserStarted("item_1", 0))
    client.server.tell(say.UserSaid("item_1", "hello", 0.5))
    spoken_reply(client, "Hi.")
    for item_id, words in (("item_1", "hello"), ("item_9", "Hi.")):
        client.sends("conversation.item.retrieve", item_id=item_id)
        assert client.seen[-1]["item"]["content"][0]["transcript"] == words


def test_the_oldest_items_go_when_all_together_are_too_large():
    client = Client()
    words, count = "w" * 4000, 3 * MOST_BYTES // (16 * 4000)
    for number in range(count):
        item = {"type": "message", "role": "system", "id": f"note_{number}"}
        content = [{"type": "input_text", "text": words}] * 16
        client.creates(item=item | {"content": content})
        client.seen.clear()
    left = [n for n in range(count) if f"note_{n}" in client.server._items]
    assert left == list(range(left[0], count)), "the newest stay"
    assert 0.9 * MOST_BYTES < len(left) * 16 * 4000 <= MOST_BYTES
    client.sends("conversation.item.retrieve", item_id="note_0")
    assert client.errors[-1]["code"] == "item_not_found"
    client.creates(item={"id": "last", **note("system", "A")}, previous_item_id=f"note_{left[-1]}")
    assert client.types[-1] == "conversation.item.done"


def test_an_item_that_was_taken_away_or_grew_is_counted_as_it_is():
    items = Items()
    for number in range(2 * MOST):
        items.add(Message(id=f"m{number}", role="user", status="completed"))
        if number % 2:
            items.remove(f"m{number}")
    assert len(items._order) == MOST - 1, "the oldest made room for one that went"
    part = Part(type="input_text", text="w" * MOST_BYTES)
    items.change(Message(id="m8", role="user", status="completed", content=(part,)))
    assert items._order == ["m8"], "it stays itself"
    items.remove("m8")
    assert (items._all_bytes, items._bytes) == (0, {})


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        (
            {"item": user_message("x"), "previous_item_id": "no"},
            "item_not_found",
            "previous_item_id",
        ),
        ({"item": user_message("x", id="taken")}, "invalid_value", "item.id"),
        ({"item": user_message("x", role="narrator")}, "invalid_value", "item.role"),
        (
            {"item": {"type": "message", "role": "user"}},
            "missing_required_parameter",
            "item.content",
        ),
        ({"item": {"type": "poem"}}, "invalid_value", "item.type"),
        ({"item": {}}, "missing_required_parameter", "item.type"),
        (
            {"item": {"type": "message", "role": "user", "content": [
                {"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"item": {"type": "message", "role": "user", "content": [{"type": "input_audio"}]}},
            "invalid_value",
            "item.content[0].audio",
        ),
        (
            {"item": {"type": "function_call_output", "call_id": "c", "output": "x"}},
            "call_not_found",
            "item.call_id",
        ),
        (
            {"item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}},
            "invalid_value",
            "item.type",
        ),
    ],
)  # fmt: skip
def test_an_item_that_can_t_be_is_refused(fields, code, param):
    client = Client()
    client.creates(item={"id": "taken", **note("system", "A")})
    client.commands.clear()
    client.creates(**fields, event_id="mine")
    (error,) = client.errors
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert client.commands == []
