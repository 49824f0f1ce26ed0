"""A client of Azure's that reads our events as the official Python SDK does, and more strictly."""

import json
import types
import typing

import numpy as np
from azure.ai.voicelive import models as sdk
from azure.ai.voicelive.models import ServerEvent

from avatar import events as say
from avatar.playout import Begun
from avatar.protocol.dialect import Doors, FaceFiles, Performance
from avatar.protocol.voice_live.dialect import VoiceLive
from avatar.protocol.voice_live.terms import Offered
from avatar.websocket.microphone import LineMicrophone
from render.types import ARKIT, FacePose
from speech.types import AudioFrame, SpeechChunk

HERE = Offered(("en", "es"), "elena", 512, 512, 1_000_000)
STUN = {"urls": "stun:stun.example.org", "username": "u", "credential": "c"}
JAW = ARKIT.index("jawOpen")


def understood(event):
    """The SDK's typed event; fails where that lacks what its model calls required."""
    read = ServerEvent._deserialize(event, [])
    assert type(read) is not ServerEvent, f"the SDK has no event {event['type']}"
    _check(read, event["type"])
    return read


def _check(model, where):
    for name in type(model)._attr_to_rest_field:
        value = getattr(model, name)
        # The SDK reads what a person said with the model of what a client sends: with its sound.
        needed = not isinstance(model, sdk.RequestAudioContentPart) and not _is_optional(
            type(model), name
        )
        assert value is not None or not needed, f"{where}.{name} is required"
        for i, item in enumerate(value if isinstance(value, list) else [value]):
            if hasattr(type(item), "_attr_to_rest_field"):
                _check(item, f"{where}.{name}[{i}]")


def _is_optional(model, name):
    hint = next(c.__annotations__[name] for c in model.__mro__ if name in c.__annotations__)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return is_union and type(None) in typing.get_args(hint)


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
