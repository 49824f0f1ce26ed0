import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, ToolResult, Typed
from avatar.protocol.dialect import Doors, FaceFiles
from avatar.protocol.rtvi import Rtvi
from speech.types import Tool

WEATHER = Tool("get_weather", "Of a city.", {"type": "object"})


class Client:
    """What a Pipecat client sees and does; what the server makes of it."""

    def __init__(self, tools=(), *, is_recorded=False):
        self.seen, self.commands, self.asked, self.left_word = [], [], [], []
        self.pings, self.hung_up, self.withdrawn, self.watched = 0, False, False, True
        self.server = Rtvi(
            Doors(
                call_id="rtc_1",
                language="en",
                instructions="",
                send=lambda message: self.seen.append(json.loads(message)),
                command=self.commands.append,
                pinged=self._ping,
                show_face=lambda *asked: self.asked.append(asked),
                face=FaceFiles(name="elena", url="/v1/avatar/faces/elena/"),
                recorded=lambda: is_recorded and not self.withdrawn,
                withdraw=self._withdraw,
                hang_up=self._hang_up,
                farewell=self.left_word.append,
                forbid_watching=self._forbid,
            ),
            tools,
        )
        self.server.open()

    def _ping(self):
        self.pings += 1

    def _withdraw(self):
        self.withdrawn = True

    def _hang_up(self):
        self.hung_up = True

    def _forbid(self):
        self.watched = False

    def sends(self, kind, data=None, message_id="m1"):
        message = {"label": "rtvi-ai", "type": kind, "id": message_id, "data": data}
        self.server.receive(json.dumps(message))

    def asks(self, what, data=None):
        self.sends("client-message", {"t": what, "d": data})

    @property
    def types(self):
        return [message["type"] for message in self.seen]

    def data(self, kind):
        return [message["data"] for message in self.seen if message["type"] == kind]


def reply(server, *clauses, status="completed", heard=None):
    server.tell(say.ReplyStarted("resp_1", "item_9"))
    for clause in clauses:
        server.tell(say.ReplyHeard("resp_1", "item_9", clause))
    text = "".join(clauses).rstrip() if heard is None else heard
    server.tell(say.ReplyEnded("resp_1", "item_9", status, text, 1200, False, "Broken."))


def test_a_ready_client_is_told_that_the_bot_is_and_greeted_once():
    client = Client()
    client.sends("client-ready", {"version": "2.1.0", "about": {"library": "x"}}, "hello")
    client.sends("client-ready", {"version": "2.1.0"})
    assert client.types == ["bot-ready", "bot-ready"]
    assert client.seen[0]["id"] == "hello"
    assert client.seen[0]["label"] == "rtvi-ai"
    assert client.seen[0]["data"]["version"] == "2.2.0"
    assert client.seen[0]["data"]["capabilities"]["video_out"] is True
    assert client.commands == [Respond()]


@pytest.mark.parametrize(
    ("version", "answered", "is_warned"),
    [("1.4.0", "1.4.0", False), ("3.0.0", "2.2.0", True), ("", "2.2.0", True)],
)
def test_an_older_client_gets_its_version_and_a_strange_one_a_warning(version, answered, is_warned):
    client = Client()
    client.sends("client-ready", {"version": version})
    assert client.data("bot-ready")[0]["version"] == answered
    assert ("error-response" in client.types) == is_warned


def test_a_spoken_turn_is_told_from_the_first_sound_to_the_last_word():
    client = Client()
    client.server.tell(say.UserStarted("item_1", 500))
    client.server.tell(say.UserInterim("item_1", "how"))
    client.server.tell(say.UserStopped("item_1", 1800))
    client.server.tell(say.UserSaid("item_1", "how are you", 1.3))
    reply(client.server, "Fine, ", "thanks.")
    assert client.types == [
        "user-started-speaking",
        "user-transcription",
        "user-input",
        "user-stopped-speaking",
        "user-transcription",
        "user-input",
        "user-llm-text",
        "bot-llm-started",
        "bot-tts-started",
        "bot-started-speaking",
        "bot-llm-text",
        "bot-transcription",
        "bot-output",
        "bot-tts-text",
        "bot-output",
        "bot-llm-text",
        "bot-transcription",
        "bot-output",
        "bot-tts-text",
        "bot-output",
        "bot-stopped-speaking",
        "bot-tts-stopped",
        "bot-llm-stopped",
    ]
    said = client.data("user-transcription")
    assert [(words["text"], words["final"]) for words in said] == [
        ("how", False),
        ("how are you", True),
    ]
    assert all(words["timestamp"].endswith("+00:00") for words in said)
    assert "".join(part["text"] for part in client.data("bot-llm-text")) == "Fine, thanks."
    output = client.data("bot-output")
    assert [(part["segment_id"], part["text"], part["spoken_status"]) for part in output] == [
        (1, "Fine,", "new"),
        (1, "Fine,", "completed"),
        (2, "thanks.", "new"),
        (2, "thanks.", "completed"),
    ]
    assert [part["spoken"] for part in output] == [False, True, False, True]


def test_an_answer_that_is_cut_says_how_far_it_was_heard():
    client = Client()
    reply(
        client.server, "One two. ", "Three four five.", status="cancelled", heard="One two. Three"
    )
    last = client.data("bot-output")[-1]
    assert last["spoken_status"] == "in-progress"
    assert last["spoken_progress"] == {"accumulated_text": "Three", "remaining_text": "four five."}
    assert client.types[-4:] == [
        "bot-interrupted",
        "bot-stopped-speaking",
        "bot-tts-stopped",
        "bot-llm-stopped",
    ]


def test_an_answer_that_is_held_falls_silent_and_goes_on():
    client = Client()
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.server.tell(say.ReplyHeard("resp_1", "item_9", "Well."))
    client.server.tell(say.ReplyHeld("resp_1", "item_9"))
    client.server.tell(say.ReplyResumed("resp_1", "item_9", "noise"))
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Well.", 300))
    heard = [kind for kind in client.types if kind.endswith("-speaking")]
    assert heard == ["bot-started-speaking", "bot-stopped-speaking"] * 2


def test_an_answer_that_was_never_heard_has_no_voice():
    client = Client()
    reply(client.server, status="cancelled")
    assert client.types == ["bot-llm-started", "bot-interrupted", "bot-llm-stopped"]


def test_an_answer_that_fails_says_why():
    client = Client()
    reply(client.server, "Sorry.", status="failed")
    assert client.data("error") == [{"error": "Broken.", "message": "Broken.", "fatal": False}]
    assert client.types[-1] == "bot-llm-stopped"


def test_a_backchannel_is_no_text_for_the_model():
    client = Client()
    client.server.tell(say.UserSaid("item_1", "mm-hm", 0.3, is_backchannel=True))
    assert client.data("user-input")[0]["input_type"] == "backchannel"
    assert "user-llm-text" not in client.types


def test_noise_without_words_has_no_transcript():
    client = Client()
    client.server.tell(say.UserSaid("item_1", "", 0.0))
    assert client.types == []


def test_a_typed_text_interrupts_and_is_answered():
    client = Client()
    client.sends("send-text", {"content": "hi", "options": {}})
    assert client.commands == [Stop(), Typed("hi"), Respond()]
    client.server.tell(say.UserTyped("item_1", "hi"))
    assert client.types == ["user-input", "user-llm-text"]


def test_a_text_can_wait_for_what_is_said_next():
    client = Client()
    client.sends("send-text", {"content": "hi", "options": {"run_immediately": False}})
    client.sends("append-to-context", {"role": "user", "content": "ho"}, "m2")
    assert client.commands == [Typed("hi"), Typed("ho")]
    assert client.seen == [
        {
            "type": "append-to-context-result",
            "id": "m2",
            "data": {"result": "added"},
            "label": "rtvi-ai",
        }
    ]


def test_a_tool_of_the_client_is_offered_called_and_answered():
    client = Client([WEATHER])
    assert client.commands == [Configure(tools=(WEATHER,))]
    client.server.tell(say.ToolCalled("resp_1", "item_2", "call_1", "get_weather", '{"city":"A"}'))
    called = {"function_name": "get_weather", "tool_call_id": "call_1", "arguments": {"city": "A"}}
    assert client.data("llm-function-call-started") == [{"function_name": "get_weather"}]
    assert client.data("llm-function-call-in-progress") == [called]
    client.sends("llm-function-call-result", {**called, "result": {"sky": "clear"}})
    assert client.commands[1:] == [ToolResult("call_1", '{"sky": "clear"}'), Respond()]
    assert client.data("llm-function-call-stopped") == [
        {
            "function_name": "get_weather",
            "tool_call_id": "call_1",
            "cancelled": False,
            "result": {"sky": "clear"},
        }
    ]


def test_the_answer_waits_for_the_last_of_several_results():
    client = Client()
    for n in ("1", "2"):
        client.server.tell(say.ToolCalled("resp_1", f"item_{n}", f"call_{n}", "look", "{}"))
    for n in ("2", "1"):
        result = {"function_name": "look", "tool_call_id": f"call_{n}", "result": n}
        client.sends("llm-function-call-result", result)
    assert client.commands == [ToolResult("call_2", "2"), ToolResult("call_1", "1"), Respond()]


def test_a_result_that_nobody_waits_for_is_refused():
    client = Client()
    client.sends("llm-function-call-result", {"function_name": "f", "tool_call_id": "call_9"})
    assert client.types == ["error-response"]
    assert client.commands == []


def test_a_ping_keeps_the_call_and_the_state_of_a_track_is_taken():
    client = Client()
    client.server.receive("ping: 1764345600000")
    status = {"type": "trackStatus", "receiver_index": 0, "enabled": True}
    client.server.receive(json.dumps({"type": "signalling", "message": status}))
    assert client.pings == 1
    assert client.seen == []


def test_a_client_that_is_done_ends_the_call_and_hears_goodbye_however_it_ends():
    client = Client()
    assert [json.loads(word)["message"]["type"] for word in client.left_word] == ["peerLeft"]
    client.sends("disconnect-bot", {})
    assert client.hung_up


def test_latency_is_told_as_the_time_that_each_stage_took():
    client = Client()
    client.server.tell(
        say.ReplyTimed("resp_1", "en", {"llm_first_token": 300}, {"llm_first_token": 250}, 0)
    )
    assert client.data("metrics") == [{"ttfb": [{"processor": "llm_first_token", "value": 0.05}]}]


def test_what_rtvi_has_no_word_for_is_a_server_message():
    client = Client(is_recorded=True)
    client.server.tell(say.StateChanged("thinking"))
    client.server.tell(say.CoverHeard("One moment.", 700))
    client.server.show("audio", "network", 0)
    client.server.show_session()
    client.server.tell(say.Watched(2))
    assert client.data("server-message") == [
        {"type": "avatar.state", "state": "thinking"},
        {"type": "avatar.cover", "text": "One moment.", "duration_ms": 700},
        {"type": "avatar.face.updated", "mode": "audio", "reason": "network", "frame_rate": 0},
        {"type": "avatar.session", "id": "rtc_1", "language": "en", "recording": True},
        {"type": "avatar.watched", "watchers": 2},
    ]


def test_a_request_of_ours_is_obeyed_and_answered():
    client = Client(is_recorded=True)
    client.asks("avatar.stop")
    client.asks("avatar.face.update", {"mode": "audio", "reason": "network"})
    client.asks("avatar.update", {"language": "es", "recording": False, "tools": []})
    client.asks("avatar.watching.forbid")
    assert client.commands == [Stop(), Configure("es", None, ())]
    assert client.asked == [("audio", False, "network")]
    assert client.withdrawn
    assert [answer["t"] for answer in client.data("server-response")] == [
        "avatar.stop",
        "avatar.face.update",
        "avatar.update",
        "avatar.watching.forbid",
    ]
    assert not client.watched


REFUSED = {
    "of no known type": ("ui-event", {"event": "click"}),
    "an unknown request": ("client-message", {"t": "dance"}),
    "a wish that is misspelt": ("client-message", {"t": "avatar.update", "d": {"langage": "es"}}),
    "a request without a face": ("client-message", {"t": "avatar.face.update"}),
    "an answer without a voice": (
        "send-text",
        {"content": "x", "options": {"audio_response": False}},
    ),
    "a text that is too long": ("send-text", {"content": "x" * 5000}),
    "the assistant's own words": ("append-to-context", {"role": "assistant", "content": "x"}),
    "no text at all": ("send-text", None),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_message_that_cannot_be_obeyed_is_refused_in_one_line(what):
    client = Client()
    client.sends(*REFUSED[what], message_id="m7")
    assert client.types == ["error-response"]
    assert client.seen[0]["id"] == "m7"
    assert "\n" not in client.seen[0]["data"]["error"]
    assert client.commands == []


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_answered_and_nothing_breaks(text):
    client = Client()
    client.server.receive(text)
    assert client.types == ([] if text.startswith("ping") else ["error"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)


@given(
    st.sampled_from(
        ["send-text", "client-ready", "client-message", "llm-function-call-result", "x"]
    ),
    JSON,
)
def test_any_data_is_taken_or_refused(kind, data):
    client = Client()
    client.sends(kind, data)
    assert client.seen or client.commands
