"""Speaks Azure Voice Live for one conversation: `Realtime` holds it, here it gets other words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pydantic import ValidationError

from avatar.events import (
    ConversationEvent,
    FaceMode,
    FaceReason,
    OpenerHeard,
    ReplyHeard,
    ReplyHeld,
    ReplyResumed,
    ReplyStarted,
    StateChanged,
    new_id,
)
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime import Realtime
from avatar.protocol.realtime.line import SoundLine
from avatar.protocol.voice_live.agreed import Agreed, placed
from avatar.protocol.voice_live.description import Description, Wanted
from avatar.protocol.voice_live.names import Json, in_realtime, in_voice_live
from avatar.protocol.voice_live.rates import RateChange, from_realtime, to_realtime
from avatar.protocol.voice_live.request import AskedSession, explain
from avatar.protocol.voice_live.signalling import WrappedOffer, unwrap
from avatar.protocol.voice_live.terms import NotOfferedError, Offered, check, video_bitrate_bps
from speech.errors import SignallingError

_AUDIO_DELTA: Json = {"type": "response.audio.delta"}


class AvatarLink(Protocol):
    """The WebRTC connection that shows the avatar."""

    @property
    def is_up(self) -> bool:
        """Whether sound and picture go over it."""
        ...

    def ask(self, offer: WrappedOffer, *, bitrate_bps: int, prefers_h264: bool) -> None:
        """Connect anew, as the client offers; `connecting` or `refuse_offer` follows."""
        ...


class VoiceLive:
    """One client's protocol state: a `Dialect`. Neither blocks nor waits.

    Args:
        doors: The session's.
        offered: What the server has.
        ice_servers: For the client's end of the avatar's connection.
        link: Shows the avatar.
        line: Carries sound in events.
    """

    def __init__(
        self,
        doors: Doors,
        offered: Offered,
        ice_servers: Sequence[Mapping[str, object]],
        link: AvatarLink,
        line: SoundLine,
    ) -> None:
        self._doors = doors
        self._offered = offered
        self._link = link
        self._agreed = Agreed(offered, ice_servers)
        self._proposed: AskedSession | None = None
        self._instructions = doors.instructions
        self._turn_id: str | None = None
        self._heard: RateChange | None = None  # of the microphone
        self._said: RateChange | None = None  # of the answer under way
        self._realtime = Realtime(replace(doors, send=self._translate), line)
        self._description: Description | None = None
        if doors.performance is not None:
            self._description = Description(doors.performance, self._send)

    def open(self) -> None:
        """Greet the client, once the connection can take events."""
        self._doors.forbid_watching()  # there is no word to tell the person of watchers
        self._realtime.open()

    def receive(self, message: str) -> None:
        """Deal with one message of the client; a bad one is answered by `error`."""
        event = _read(message)
        if event is None:
            self._realtime.receive(message)  # which says what an event is
        elif event["type"] == "session.update":
            self._update(event)
        elif event["type"] == "session.avatar.connect":
            self._connect(event)
        elif event["type"] == "input_audio_buffer.append" and self._heard is not None:
            self._realtime.receive(json.dumps(_at_another_rate(event, self._heard)))
        else:
            self._realtime.receive(json.dumps(in_realtime(event, self._instructions)))

    def tell(self, event: ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        self._realtime.tell(event)
        if isinstance(event, ReplyStarted):
            self._turn_id = event.response_id
            rate_hz = self._agreed.output_pcm_rate_hz
            self._said = from_realtime(rate_hz) if rate_hz is not None else None
        elif isinstance(event, StateChanged) and self._link.is_up:
            way = "speaking" if event.state == "speaking" else "idle"
            self._send({"type": f"session.avatar.switch_to_{way}", "turn_id": self._turn_id})
        if self._description is not None:
            _describe(self._description, event)

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        self._realtime.fail(code, message)

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        self._realtime.show_session()

    def show(self, mode: FaceMode, reason: FaceReason, frame_rate: int) -> None:
        """Voice Live has no word for who draws the face: the server always does."""

    def connecting(self, server_sdp: str) -> None:
        """The avatar's connection was answered."""
        self._send({"type": "session.avatar.connecting", "server_sdp": server_sdp})

    def refuse_offer(self, message: str) -> None:
        """The avatar's connection can't be had as the client offers it."""
        self._refuse("invalid_sdp", "client_sdp", message, None)

    def moved(self) -> None:
        """20 ms more of the sound left."""
        if self._description is not None:
            self._description.moved()

    def _update(self, event: Json) -> None:
        event_id = event.get("event_id")
        try:
            asked = AskedSession.model_validate(event.get("session"))
            remarks = check(asked, self._offered)
        except ValidationError as error:
            param, message = explain(error)
            self._refuse("invalid_value", param, message, event_id)
            return
        except NotOfferedError as error:
            self._refuse("not_supported", error.param, error.message, event_id)
            return
        self._proposed = asked
        update: Json = {"type": "session.update", "session": self._agreed.in_realtime(asked)}
        if event_id is not None:
            update["event_id"] = event_id
        self._realtime.receive(json.dumps(update))
        refused, self._proposed = self._proposed is not None, None
        if refused:
            return
        for remark in remarks:
            warning = {"code": remark.code, "param": remark.param, "message": remark.message}
            self._send({"type": "warning", "warning": warning})

    def _connect(self, event: Json) -> None:
        event_id, avatar = event.get("event_id"), self._agreed.asked.avatar
        if avatar is None:
            message = "Ask for the avatar first: session.update with session.avatar."
            self._refuse("avatar_not_configured", "session.avatar", message, event_id)
            return
        client_sdp = event.get("client_sdp")
        try:
            offer = unwrap(client_sdp if isinstance(client_sdp, str) else "")
        except SignallingError as error:
            self._refuse("invalid_sdp", "client_sdp", str(error), event_id)
            return
        self._link.ask(
            offer,
            bitrate_bps=video_bitrate_bps(avatar, self._offered),
            prefers_h264=bool(avatar.video and avatar.video.codec),
        )

    def _translate(self, message: str) -> None:
        """Pass on what `Realtime` says."""
        event: Json = json.loads(message)
        kind = event["type"]
        if kind in ("session.created", "session.updated"):
            self._show_session(event)
        elif kind == "error":
            self._send(placed(event))
        elif kind == "response.output_audio.delta" and self._is_silent:
            pass  # it was coded even so, for what was heard is counted by that
        else:
            if kind == "response.output_audio.done":
                self._end_sound(event)
            told = in_voice_live(event)
            if told is not None:
                self._send(told if kind != "response.output_audio.delta" else self._coded(told))

    def _coded(self, delta: Json) -> Json:
        """A `response.audio.delta` at the rate that the client wants."""
        return delta if self._said is None else _at_another_rate(delta, self._said, "delta")

    def _end_sound(self, done: Json) -> None:
        """The answer's sound is over: what is left of it, and of its description."""
        rest = self._said.flush() if self._said is not None and not self._is_silent else ""
        if rest:
            self._send({**done, "event_id": new_id("event"), "delta": rest} | _AUDIO_DELTA)
        if self._description is not None:
            self._description.end()

    @property
    def _is_silent(self) -> bool:
        """Whether the sound goes with the picture, and not here as well."""
        avatar = self._agreed.asked.avatar
        return self._link.is_up and not (avatar and avatar.output_audit_audio)

    def _show_session(self, event: Json) -> None:
        session = event["session"]
        if isinstance(session, dict):
            self._instructions = str(session.get("instructions", self._instructions))
        if self._proposed is not None:
            self._agreed.update(self._proposed)
            self._proposed = None
            self._do_as_agreed()
        view = self._agreed.view(
            self._doors.call_id, self._instructions, is_recorded=self._doors.recorded()
        )
        self._send({"type": str(event["type"]), "session": view})

    def _do_as_agreed(self) -> None:
        asked, agreed = self._agreed.asked, self._agreed
        self._heard = to_realtime(agreed.input_rate_hz) if agreed.takes_pcm else None
        outputs = asked.animation.outputs if asked.animation else ()
        if self._description is not None:
            self._description.wanted = Wanted(
                visemes="viseme_id" in outputs,
                blendshapes="blendshapes" in outputs,
                words=bool(asked.output_audio_timestamp_types),
            )

    def _refuse(self, code: str, param: str, message: str, event_id: object) -> None:
        error: Json = {"type": "invalid_request_error", "code": code, "message": message}
        error |= {"param": param, "event_id": event_id}
        self._send({"type": "error", "error": error})

    def _send(self, event: Json) -> None:
        self._doors.send(json.dumps({"event_id": new_id("event"), **event}))


def _at_another_rate(event: Json, change: RateChange, field: str = "audio") -> Json:
    """An event whose audio has another rate; as it is, if it has none."""
    audio = event.get(field)
    try:
        return {**event, field: change.convert(audio)} if isinstance(audio, str) else event
    except ValueError:
        return event


def _describe(description: Description, event: ConversationEvent) -> None:
    match event:
        case ReplyStarted():
            description.begin()
        case OpenerHeard():
            description.opener()
        case ReplyHeard(response_id, item_id):
            description.clause(response_id, item_id)
        case ReplyHeld():
            description.hold()
        case ReplyResumed():
            description.resume()


def _read(message: str) -> Json | None:
    """An event, if it is one."""
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        return None
    return event
