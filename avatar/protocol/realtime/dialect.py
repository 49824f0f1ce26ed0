"""Speaks the wire protocol for one conversation: its events out, a client's events in."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from avatar import events as say
from avatar.access.fixing import without_fixed
from avatar.commands import Stop
from avatar.latency import LIMIT_MS, TARGET_MS
from avatar.protocol import events as wire
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime.answers import Answers
from avatar.protocol.realtime.creation import Creation
from avatar.protocol.realtime.input import Input
from avatar.protocol.realtime.items import Items
from avatar.protocol.realtime.line import SoundLine
from avatar.protocol.realtime.refusal import Refusal
from avatar.protocol.realtime.session import SessionState, unavailable

Body = wire.ErrorBody

_FIXED = "This can't be changed: the client secret that began the call says what it is."


class Realtime:
    """One client's protocol state: a `Dialect`. Neither blocks nor waits.

    Args:
        doors: The session's.
        line: Carries its sound in events; None where sound has tracks of its own.
        wanted: What it asked of the session when it called.
        fixed: What its client secret says of the session, as JSON, and nobody changes.
    """

    def __init__(
        self,
        doors: Doors,
        line: SoundLine | None = None,
        wanted: wire.SessionConfig | None = None,
        fixed: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._fixed = fixed
        self._doors = doors
        self._wanted = wanted
        self._session = session = SessionState(doors.language, doors.instructions)
        self._items = items = Items()
        self._input = Input(doors, session, items, line, self._send)
        self._answers = Answers(doors, session, items, line, self._send)
        self._creation = Creation(doors, session, items, self._answers, self._input, self._send)

    def open(self) -> None:
        """Greet the client, once the channel can take events."""
        refused = None
        try:
            if self._wanted is not None:
                self._begin_as(self._wanted)
        except Refusal as refusal:
            refused = refusal
        self._send(wire.SessionCreated(session=self._session.shown(self._doors)))
        self._send(wire.AvatarState(state="listening"))
        if refused is not None:
            self._refuse(refused, None)
        if self._wanted is not None:
            self._tell_unavailable(self._wanted, None)

    def receive(self, message: str) -> None:
        """Deal with one message of the client; a bad one is answered by `error`."""
        self._doors.note("client", message)
        try:
            event = wire.parse_client_event(message)
        except ValidationError as error:
            code, param, text = wire.explain(error, message)
            self._refuse(Refusal(code, text, param), wire.event_id_of(message))
            return
        try:
            self._obey(event)
        except Refusal as refusal:
            self._refuse(refusal, event.event_id)

    def tell(self, event: say.ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        match event:
            case say.StateChanged(state):
                self._send(wire.AvatarState(state=state))
            case (
                say.UserStarted()
                | say.UserInterim()
                | say.UserStopped()
                | say.UserSaid()
                | say.UserNotUnderstood()
            ):
                self._input.tell(event)
            case say.UserTyped():
                self._creation.typed(event)
            case say.ReplyTimed():
                self._tell_timing(event)
            case say.CallEnding(in_s):
                self._send(wire.AvatarEnding(ends_in_s=round(in_s, 1)))
            case say.Watched(watchers):
                self._send(wire.AvatarWatched(watchers=watchers))
            case _:
                self._answers.tell(event)

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        self._send(wire.ErrorEvent(error=Body(type="server_error", code=code, message=message)))

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        self._send(wire.SessionUpdated(session=self._session.shown(self._doors)))

    def show(self, mode: say.FaceMode, reason: say.FaceReason, frame_rate: int) -> None:
        """Tell the client who draws the face from now on."""
        self._send(wire.FaceUpdated(mode=mode, reason=reason, frame_rate=frame_rate))

    def _obey(self, event: wire.ClientEvent) -> None:
        match event:
            case wire.SessionUpdate(session=config):
                self._update(config, event.event_id)
            case wire.AudioAppend(audio=audio):
                self._input.append(audio)
            case wire.AudioCommit():
                self._input.commit()
            case wire.AudioClear():
                self._input.clear()
            case wire.ItemCreate():
                self._creation.create(event)
            case wire.ItemRetrieve(item_id=item_id):
                self._send(wire.ItemRetrieved(item=self._creation.item(item_id)))
            case wire.ItemDelete(item_id=item_id):
                self._creation.delete(item_id)
            case wire.ItemTruncate():
                self._answers.truncate(event)
            case wire.ResponseCreate(response=response):
                self._answers.ask(response or wire.ResponseConfig())
            case wire.ResponseCancel(response_id=response_id):
                self._answers.cancel(response_id)
            case wire.OutputClear():
                self._doors.command(Stop())
            case wire.Ping():
                self._doors.pinged()
                self._send(wire.Pong())
            case wire.WatchingForbid():
                self._doors.forbid_watching()
            case wire.FaceUpdate(mode=mode, automatic=automatic, reason=reason):
                self._doors.show_face(mode, automatic, reason)

    def _begin_as(self, wanted: wire.SessionConfig) -> None:
        """Apply what the call was begun with; its language and words were settled before."""
        self._note_watching(wanted)
        configure = self._session.apply(wanted)
        self._session.language = self._doors.language
        self._session.instructions = self._doors.instructions
        self._doors.command(replace(configure, language=None, instructions=None))

    def _update(self, config: wire.SessionConfig, event_id: str | None) -> None:
        """Apply what the client asks of the session."""
        open_, refused = without_fixed(config.model_dump(exclude_unset=True), self._fixed)
        for param in refused:
            self._refuse(Refusal("session_fixed", _FIXED, param), event_id)
        if refused:
            config = wire.SessionConfig.model_validate(open_)
        configure = self._session.apply(config)
        if config.recording is False:
            self._doors.withdraw()
        self._note_watching(config)
        self._doors.command(configure)
        if config.recording:
            self._doors.agree()
        self.show_session()
        self._tell_unavailable(config, event_id)

    def _note_watching(self, config: wire.SessionConfig) -> None:
        if config.shows_watchers is not None:
            self._doors.shows_watchers(config.shows_watchers)

    def _tell_unavailable(self, config: wire.SessionConfig, event_id: str | None) -> None:
        """The rest was done; of this, the client is told that it was not."""
        for param, why in unavailable(config):
            self._refuse(Refusal("unsupported_value", f"Not available: {why}.", param), event_id)

    def _send(self, event: wire.ServerEvent) -> None:
        message = event.model_dump_json(exclude_none=True)
        self._doors.note("server", message)
        self._doors.send(message)

    def _refuse(self, refusal: Refusal, event_id: str | None) -> None:
        body = Body(
            type="invalid_request_error",
            code=refusal.code,
            message=refusal.message,
            param=refusal.param,
            event_id=event_id,
        )
        self._send(wire.ErrorEvent(error=body))

    def _tell_timing(self, event: say.ReplyTimed) -> None:
        self._send(
            wire.AvatarTimeline(
                response_id=event.response_id,
                rows=event.rows_ms,
                starts=event.starts_ms,
                targets={str(row): target for row, target in TARGET_MS.items()},
                limits={str(row): limit for row, limit in LIMIT_MS.items()},
                head_start=event.head_start_ms,
                opener=event.opener_ms,
                actions=event.actions,
                excused=event.excused,
            )
        )
