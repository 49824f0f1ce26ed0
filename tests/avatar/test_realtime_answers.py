"""Answers with their sound in the events, their functions and their words."""

import json

import numpy as np
import pytest

from avatar import events as say
from avatar.commands import Correct, Remove, Respond, Stop, ToolResult
from avatar.websocket.coding import decode
from tests.avatar.realtime_kit import LOUD, Client, Line, ended, heard, spoken_reply, started


def in_events(**fields):
    client = Client(line=Line())
    if fields:
        client.sends("session.update", session=fields)
        client.seen.clear()
    return client


def test_sound_comes_in_deltas_between_the_part_s_first_and_last_event():
    client = in_events()
    started(client)
    client.hears(3)  # nobody speaks yet
    heard(client, "Fine, ")
    client.hears(5)
    heard(client, "thanks.")
    client.hears(5)
    ended(client, "Fine, thanks.")
    client.hears(3)
    kinds = [kind for kind in client.types if kind != "response.output_audio.delta"]
    assert kinds == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert client.types.index("response.output_audio.delta") > client.types.index(
        "response.content_part.added"
    )
    assert len(client.sound()) == 10 * 960  # 20 ms at 24 kHz, 16 bit, ten times


@pytest.mark.parametrize("coding", ["audio/pcmu", "audio/pcma"])
def test_sound_may_be_that_of_a_telephone(coding):
    client = in_events(audio={"output": {"format": {"type": coding}}})
    started(client)
    heard(client, "Fine.")
    client.hears(10)
    ended(client, "Fine.")
    deltas = client.of("response.output_audio.delta")
    pcm = np.concatenate([decode(event["delta"], coding) for event in deltas])
    assert len(pcm) == 10 * 160
    assert abs(np.median(pcm.astype(int)) - int(LOUD[0])) < 40


def test_one_answer_may_be_coded_differently():
    client = in_events()
    audio = {"output": {"format": {"type": "audio/pcmu"}}}
    client.sends("response.create", response={"audio": audio})
    (asked,) = client.commands
    started(client, asked.response_id)
    heard(client, "Fine.", asked.response_id)
    client.hears(10)
    ended(client, "Fine.", ids=(asked.response_id, "item_9"))
    assert len(client.sound()) == 10 * 160


def test_an_answer_that_is_held_is_silent():
    client = in_events()
    started(client)
    heard(client, "One two three.")
    client.hears(4)
    client.server.tell(say.ReplyHeld("resp_1", "item_9"))
    client.hears(10)
    client.server.tell(say.ReplyResumed("resp_1", "item_9", "noise"))
    client.hears(4)
    ended(client, "One two three.")
    assert len(client.sound()) == 8 * 960


def test_an_opener_is_heard_in_the_answer_s_sound_and_not_in_its_words():
    client = in_events()
    started(client)
    client.server.tell(say.OpenerHeard("resp_1", "Let me see.", 100))
    client.hears(5)
    heard(client, "Fine.")
    client.hears(5)
    ended(client, "Fine.")
    assert len(client.sound()) == 10 * 960
    assert client.of("response.output_audio_transcript.done")[0]["transcript"] == "Fine."


def test_words_that_cover_the_wait_for_a_tool_are_heard_as_an_answer_of_their_own():
    client = in_events()
    client.server.tell(say.CoverHeard("One moment.", 100))
    client.sends("response.create")  # the tool was quick: nothing stands in its way
    client.hears(8)
    assert client.errors == []
    assert len(client.sound()) == 5 * 960
    assert client.types[0] == "avatar.cover"
    (done,) = client.of("response.done")
    assert done["response"]["metadata"] == {"avatar": "cover"}
    assert done["response"]["output"][0]["content"][0]["transcript"] == "One moment."


def test_an_answer_ends_the_words_that_covered_its_absence():
    client = in_events()
    client.server.tell(say.CoverHeard("One moment.", 1000))
    client.hears(5)
    spoken_reply(client, "Fine.")
    kinds = [kind for kind in client.types if kind in ("response.created", "response.done")]
    assert kinds == ["response.created", "response.done"] * 2


def talked(client, *clauses):
    """An answer under way, each clause a second long."""
    started(client)
    for clause in clauses:
        heard(client, clause)
        client.hears(50)


def cuts(client, audio_end_ms, item_id="item_9", content_index=0):
    client.sends(
        "conversation.item.truncate",
        item_id=item_id,
        content_index=content_index,
        audio_end_ms=audio_end_ms,
    )


def test_a_client_that_played_less_of_an_answer_corrects_what_was_heard():
    client = in_events()
    talked(client, "One two three. ", "Four five six.")
    ended(client, "One two three. Four five six.")
    cuts(client, 1400)
    assert client.seen[-1]["type"] == "conversation.item.truncated"
    assert client.seen[-1]["audio_end_ms"] == 1400
    assert client.commands == [Correct("item_9", "One two three. Four")]
    client.sends("conversation.item.retrieve", item_id="item_9")
    assert client.seen[-1]["item"]["content"][0]["transcript"] == "One two three. Four"


def test_of_an_answer_under_way_it_counts_if_that_is_cut_there():
    client = in_events()
    talked(client, "One two three. ", "Four five six.")
    cuts(client, 1050)
    assert client.commands == []
    ended(client, "One two three. Four", status="cancelled")
    assert client.commands == [Correct("item_9", "One two three.")]


def test_of_an_answer_that_goes_on_it_does_not_count():
    client = in_events()
    talked(client, "One two three. ")
    cuts(client, 500)
    heard(client, "Four five six.")
    client.hears(50)
    ended(client, "One two three. Four five six.", status="cancelled")
    assert client.commands == []


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"audio_end_ms": 5000}, "invalid_value", "audio_end_ms"),
        ({"audio_end_ms": -1}, "invalid_value", "audio_end_ms"),
        ({"audio_end_ms": 10, "content_index": 1}, "invalid_value", "content_index"),
        ({"audio_end_ms": 10, "item_id": "item_0"}, "item_not_found", "item_id"),
    ],
)
def test_what_can_t_be_cut_is_refused(fields, code, param):
    client = in_events()
    talked(client, "One.")
    ended(client, "One.")
    cuts(client, **fields)
    (error,) = client.errors
    assert (error["code"], error["param"]) == (code, param)
    assert client.commands == []


def calls(client, call_id="call_1", item_id="item_c"):
    arguments = json.dumps({"city": "Oslo"})
    client.server.tell(say.ToolCalled("resp_1", item_id, call_id, "get_weather", arguments))


def test_a_function_call_comes_in_the_order_that_sdks_expect():
    client = Client()
    started(client)
    calls(client)
    ended(client, "", ms=0)
    assert client.types == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    (call,) = client.seen[-1]["response"]["output"]
    assert (call["type"], call["status"]) == ("function_call", "completed")
    assert (call["name"], call["call_id"]) == ("get_weather", "call_1")
    assert client.of("response.output_item.added")[0]["item"]["status"] == "in_progress"


def test_words_and_calls_are_outputs_of_one_answer():
    client = Client()
    started(client)
    heard(client, "One moment. ")
    calls(client)
    calls(client, "call_2", "item_d")
    ended(client, "One moment.")
    added = client.of("response.output_item.added")
    assert [event["output_index"] for event in added] == [0, 1, 2]
    kinds = [item["type"] for item in client.seen[-1]["response"]["output"]]
    assert kinds == ["message", "function_call", "function_call"]


def result(call_id="call_1"):
    return {"type": "function_call_output", "call_id": call_id, "output": "Rain."}


def test_the_result_of_a_call_reaches_the_conversation_once():
    client = Client()
    started(client)
    calls(client)
    ended(client, "", ms=0)
    client.seen.clear()
    client.creates(item=result())
    client.sends("response.create")
    assert client.types == ["conversation.item.added", "conversation.item.done"]
    assert client.seen[0]["previous_item_id"] == "item_c"
    assert client.commands == [ToolResult("call_1", "Rain."), Respond()]
    client.creates(item=result(), event_id="again")
    (error,) = client.errors
    assert (error["code"], error["event_id"]) == ("call_not_found", "again")


@pytest.mark.parametrize("item_id", ["item_c", "item_r"])
def test_a_call_and_its_result_are_taken_away_together(item_id):
    client = Client()
    started(client)
    calls(client)
    ended(client, "", ms=0)
    client.creates(item={"id": "item_r", **result()})
    client.sends("conversation.item.delete", item_id=item_id)
    assert client.types[-1] == "conversation.item.deleted"
    assert client.commands[-1] == Remove(item_id, "call_1")


def test_an_answer_carries_what_the_client_attached_to_it():
    client = Client()
    client.sends(
        "response.create", response={"metadata": {"topic": "tea"}, "instructions": "Rhyme."}
    )
    (asked,) = client.commands
    assert asked.instructions == "Rhyme."
    started(client, asked.response_id)
    ended(client, "", ids=(asked.response_id, "item_9"))
    responses = [event["response"] for event in client.seen]
    assert [response["metadata"] for response in responses] == [{"topic": "tea"}] * 2


def test_an_answer_says_what_it_took():
    client = Client()
    spoken_reply(client, "Fine.")
    usage = client.seen[-1]["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (40, 5, 45)


def test_a_written_answer_has_text_and_no_sound():
    client = in_events(output_modalities=["text"])
    started(client)
    for word in ("Fine, ", "thanks."):
        client.server.tell(say.ReplyWritten("resp_1", "item_9", word))
    client.hears(5)
    ended(client, "Fine, thanks.", ms=0)
    assert client.types == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    response = client.seen[-1]["response"]
    assert response["output_modalities"] == ["text"]
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Fine, thanks."}]


def test_only_one_answer_is_under_way_at_a_time():
    client = Client()
    started(client)
    client.sends("response.create", event_id="mine")
    (error,) = client.errors
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == "mine"
    assert client.commands == []


def test_an_answer_that_is_being_stopped_makes_room_for_the_next():
    client = Client()
    started(client)
    client.sends("response.cancel")
    client.sends("response.create")
    assert client.commands == [Stop(), Respond()]


def test_an_answer_may_take_the_place_of_another_where_the_client_says_so():
    client = Client()
    started(client)
    client.sends("response.create", response={"avatar": {"interrupt": True}})
    assert (client.errors, client.commands) == ([], [Respond()])


@pytest.mark.parametrize(
    ("response", "code", "param"),
    [
        ({"conversation": "none"}, "unsupported_value", "response.conversation"),
        ({"conversation": "other"}, "invalid_value", "response.conversation"),
        ({"input": []}, "unsupported_value", "response.input"),
        ({"max_output_tokens": 10}, "unsupported_value", "response.max_output_tokens"),
        ({"tools": []}, "unsupported_value", "response.tools"),
        ({"tool_choice": "none"}, "unsupported_value", "response.tool_choice"),
        ({"prompt": {"id": "x"}}, "unsupported_value", "response.prompt"),
        ({"reasoning": {}}, "unsupported_value", "response.reasoning"),
        ({"modalities": ["audio"]}, "unknown_parameter", "response.modalities"),
        ({"metadata": {"a": 1}}, "invalid_value", "response.metadata.a"),
        (
            {"metadata": {str(n): "" for n in range(17)}},
            "invalid_value",
            "response.metadata",
        ),
    ],
)
def test_an_answer_that_is_not_to_be_had_is_refused(response, code, param):
    client = Client()
    client.sends("response.create", response=response, event_id="mine")
    (error,) = client.errors
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert client.commands == []
