"""A client of the Realtime protocol whose every event is judged by OpenAI's own types."""

import base64
import json
from typing import get_args

import numpy as np
from openai.types.realtime import realtime_server_event as theirs

from avatar import events as say
from avatar.protocol.dialect import Doors, FaceFiles
from avatar.protocol.realtime import Realtime
from avatar.websocket.microphone import LineMicrophone

_UNION = get_args(get_args(theirs.RealtimeServerEvent)[0])
MODELS = {get_args(model.model_fields["type"].annotation)[0]: model for model in _UNION}
# They lack these two, which the API reference and their JavaScript client have.
LOUD = np.full(960, 1000, np.int16)


def judge(message):
    """The event, if OpenAI's Python types know it, or it is one of ours."""
    event = json.loads(message)
    if not event["type"].startswith("avatar."):
        MODELS[event["type"]].model_validate_json(message)
    return event


class Line:
    """A WebSocket's sound."""

    def __init__(self):
        self.microphone_in = LineMicrophone()
        self.on_sound = None


class Client:
    """What a client sees and does; what the server makes of it."""

    def __init__(self, *, may_record=False, line=None, wanted=None):
        self.seen, self.commands, self.pings, self.forgotten = [], [], 0, 0
        self.asked, self.commits, self.submitted = [], [], []
        self.withdrawn = False
        self.line = line
        self.server = Realtime(
            Doors(
                call_id="rtc_1",
                language="en",
                instructions="",
                send=lambda message: self.seen.append(judge(message)),
                command=self.commands.append,
                forget=self._forget,
                commit=self.commits.append,
                submit=lambda pcm, item_id: self.submitted.append((len(pcm), item_id)),
                pinged=self._ping,
                show_face=lambda *asked: self.asked.append(asked),
                face=FaceFiles(name="elena", url="/v1/avatar/faces/elena/"),
                recorded=lambda: may_record and not self.withdrawn,
                withdraw=self._withdraw,
            ),
            line,
            wanted,
        )

    def _forget(self):
        self.forgotten += 1

    def _withdraw(self):
        self.withdrawn = True

    def _ping(self):
        self.pings += 1

    def sends(self, kind, **event):
        self.server.receive(json.dumps({"type": kind, **event}))

    def creates(self, **fields):
        self.sends("conversation.item.create", **fields)

    def hears(self, frames):
        """So many times 20 ms of the avatar's sound leave."""
        for _ in range(frames):
            self.line.on_sound(LOUD)

    @property
    def types(self):
        return [event["type"] for event in self.seen]

    @property
    def errors(self):
        return [event["error"] for event in self.seen if event["type"] == "error"]

    def of(self, kind):
        return [event for event in self.seen if event["type"] == kind]

    def sound(self):
        """Bytes of the avatar's sound in all deltas."""
        deltas = self.of("response.output_audio.delta")
        return b"".join(base64.b64decode(event["delta"]) for event in deltas)


def started(client, response_id="resp_1", item_id="item_9"):
    client.server.tell(say.ReplyStarted(response_id, item_id))


def heard(client, text, response_id="resp_1", item_id="item_9"):
    client.server.tell(say.ReplyHeard(response_id, item_id, text))


def ended(client, text, status="completed", *, by_client=False, ms=1200, ids=("resp_1", "item_9")):
    client.server.tell(
        say.ReplyEnded(*ids, status, text, ms, by_client, "Broken.", tokens=5, prompt_tokens=40)
    )


def spoken_reply(client, *clauses, status="completed", heard_text=None, by_client=False):
    started(client)
    for clause in clauses:
        heard(client, clause)
    text = "".join(clauses) if heard_text is None else heard_text
    ended(client, text, status, by_client=by_client)


def audio(milliseconds, rate_hz=24_000):
    """So much of it, as an event holds it."""
    return base64.b64encode(bytes(2 * rate_hz * milliseconds // 1000)).decode()


def user_message(text, **fields):
    return {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": text}],
        **fields,
    }


def everything():
    """A client that has been sent every kind of event that there is, and each event as sent."""
    client = Client(line=Line())
    client.server.open()
    client.sends(
        "session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.2}}}
    )
    for item_id, said in (("item_1", "how are you"), ("item_2", "")):
        client.server.tell(say.UserStarted(item_id, 500))
        client.server.tell(say.UserInterim(item_id, "how"))
        client.server.tell(say.UserStopped(item_id, 1800))
        client.server.tell(say.UserSaid(item_id, said, 1.3))
    client.server.tell(say.UserNotUnderstood("item_3", "The recogniser is gone."))
    started(client)
    client.server.tell(say.OpenerHeard("resp_1", "Let me see.", 100))
    client.server.tell(say.Watched(1))
    heard(client, "Fine, ")
    client.hears(50)
    client.server.tell(say.ReplyHeld("resp_1", "item_9"))
    client.server.tell(say.ReplyResumed("resp_1", "item_9", "noise"))
    client.server.tell(
        say.ToolCalled("resp_1", "item_c", "call_1", "get_weather", '{"city": "Oslo"}')
    )
    client.server.tell(
        say.ReplyTimed("resp_1", "en", {"first_sound": 900}, {"first_sound": 880}, 5.0)
    )
    ended(client, "Fine,", "cancelled")
    client.server.tell(say.CoverHeard("One moment.", 600))
    client.server.tell(say.CallEnding(30.0))
    result = {"type": "function_call_output", "call_id": "call_1", "output": "Rain."}
    client.creates(item=result)
    client.sends("conversation.item.truncate", item_id="item_9", content_index=0, audio_end_ms=100)
    client.sends("conversation.item.retrieve", item_id="item_9")
    client.sends("conversation.item.delete", item_id="item_9")
    client.sends("input_audio_buffer.clear")
    client.sends("avatar.ping")
    client.server.show("audio", "network", 0)
    client.sends("session.update", session={"type": "realtime", "output_modalities": ["text"]})
    started(client, "resp_2", "item_10")
    client.server.tell(say.ReplyWritten("resp_2", "item_10", "Well."))
    ended(client, "Well.", ids=("resp_2", "item_10"))
    started(client, "resp_3", "item_11")
    ended(client, "", "failed", ids=("resp_3", "item_11"))
    over_webrtc = Client()
    spoken_reply(over_webrtc, "Hello.")
    spoken_reply(over_webrtc, "One two.", status="cancelled", heard_text="One")
    return [*client.seen, *over_webrtc.seen]
