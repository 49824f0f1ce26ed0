"""Speaks the wire protocol for one conversation: its events out, a client's events in."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from avatar import events as say
from avatar.conversation import Command, Configure, Respond, Stop, Typed
from avatar.latency import LIMIT_MS, TARGET_MS
from avatar.protocol import events as wire
from speech.types import Language

MODEL = "presencia"


@dataclass(slots=True)
class _Reply:
    response_id: str
    item_id: str
    sounded: bool = False
    previous_item_id: str | None = None


@dataclass(slots=True)
class Realtime:
    """One client's protocol state. Neither blocks nor waits.

    Attributes:
        call_id: Names the session.
        language: The conversation's language, as the client knows it.
        send: Puts one event on the data channel.
        command: Gives one command to the conversation.
        forget: Drops the utterance under way.
        pinged: Called at every `avatar.ping`.
        show_face: Called with the mode that the client wants, whether less will do while the
            server is busy, and why.
        face: Of the avatar.
        recorded: Whether the call is being recorded.
        withdraw: Called when the person withdraws the consent to that.
    """

    call_id: str
    language: Language
    send: Callable[[wire.ServerEvent], None]
    command: Callable[[Command], None]
    forget: Callable[[], None]
    pinged: Callable[[], None]
    show_face: Callable[[say.FaceMode, bool, say.FaceReason], None]
    face: wire.Face
    recorded: Callable[[], bool] = lambda: False
    withdraw: Callable[[], None] = lambda: None
    instructions: str = ""
    _last_item: str | None = None
    _reply: _Reply | None = field(default=None)

    def open(self) -> None:
        """Greet the client, once the channel can take events."""
        self.send(wire.SessionCreated(session=self._session()))
        self.send(wire.AvatarState(state="listening"))

    def configure(self, config: wire.SessionConfig) -> None:
        """Apply what the client asks of the session."""
        self.language = config.language or self.language
        if config.instructions is not None:
            self.instructions = config.instructions
        if config.recording is False:
            self.withdraw()
        self.command(Configure(config.language, config.instructions))

    def receive(self, message: str) -> None:
        """Deal with one message of the client; a bad one is answered by `error`."""
        try:
            event = wire.parse_client_event(message)
        except ValidationError as error:
            code, param, text = wire.explain(error)
            self._refuse(code, text, param)
            return
        match event:
            case wire.SessionUpdate(session=config):
                self.configure(config)
                self.show_session()
            case wire.ItemCreate(item=item):
                self.command(Typed("\n".join(part.text for part in item.content)))
            case wire.ResponseCreate():
                self.command(Respond())
            case wire.ResponseCancel(response_id=response_id):
                if self._reply is None or response_id not in (None, self._reply.response_id):
                    self._refuse(
                        "response_cancel_not_active",
                        "No such answer is under way.",
                        None,
                        event.event_id,
                    )
                else:
                    self.command(Stop())
            case wire.OutputClear():
                self.command(Stop())
            case wire.InputClear():
                self.forget()
            case wire.Ping():
                self.pinged()
                self.send(wire.Pong())
            case wire.FaceUpdate(mode=mode, automatic=automatic, reason=reason):
                self.show_face(mode, automatic, reason)

    def tell(self, event: say.ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        match event:
            case say.StateChanged(state):
                self.send(wire.AvatarState(state=state))
            case say.UserStarted(item_id, at_ms):
                self.send(wire.SpeechStarted(item_id=item_id, audio_start_ms=at_ms))
            case say.UserInterim(item_id, text):
                self.send(wire.InterimTranscript(item_id=item_id, text=text))
            case say.UserStopped(item_id, at_ms):
                self.send(wire.SpeechStopped(item_id=item_id, audio_end_ms=at_ms))
            case say.UserSaid():
                self._user_said(event)
            case say.UserNotUnderstood(item_id, message):
                error = {"type": "server_error", "code": "recognition_failed", "message": message}
                self.send(wire.TranscriptFailed(item_id=item_id, error=error))
            case say.UserTyped(item_id, text):
                self._add_item(item_id, wire.Part(type="input_text", text=text))
            case say.ReplyTimed():
                self._reply_timed(event)
            case say.OpenerHeard(response_id, text, lasts_ms):
                self.send(
                    wire.AvatarOpener(response_id=response_id, text=text, duration_ms=lasts_ms)
                )
            case say.ReplyStarted():
                self._reply_started(event)
            case say.ReplyHeard():
                self._reply_heard(event)
            case say.ReplyHeld(response_id):
                self.send(wire.AvatarHeld(response_id=response_id))
            case say.ReplyResumed(response_id, reason=reason):
                self.send(wire.AvatarResumed(response_id=response_id, reason=reason))
            case say.ReplyEnded():
                self._reply_ended(event)

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        self.send(
            wire.ErrorEvent(error=wire.ErrorBody(type="server_error", code=code, message=message))
        )

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        self.send(wire.SessionUpdated(session=self._session()))

    def show(self, mode: say.FaceMode, reason: say.FaceReason, frame_rate: int) -> None:
        """Tell the client who draws the face from now on."""
        self.send(wire.FaceUpdated(mode=mode, reason=reason, frame_rate=frame_rate))

    def _session(self) -> wire.Session:
        audio = wire.Audio(
            input=wire.AudioInput(transcription=wire.Transcription(language=self.language))
        )
        return wire.Session(
            id=self.call_id,
            model=MODEL,
            instructions=self.instructions,
            audio=audio,
            avatar=wire.Avatar(face=self.face, recording=self.recorded()),
        )

    def _refuse(
        self, code: str, message: str, param: str | None, event_id: str | None = None
    ) -> None:
        body = wire.ErrorBody(
            type="invalid_request_error",
            code=code,
            message=message,
            param=param,
            event_id=event_id,
        )
        self.send(wire.ErrorEvent(error=body))

    def _user_said(self, event: say.UserSaid) -> None:
        item_id, text = event.item_id, event.text
        if text and not event.is_backchannel:
            self.send(wire.Committed(item_id=item_id, previous_item_id=self._last_item))
            self._add_item(item_id, wire.Part(type="input_audio", transcript=text))
        self.send(
            wire.TranscriptCompleted(
                item_id=item_id,
                transcript=text,
                usage={"type": "duration", "seconds": round(event.duration_s, 3)},
            )
        )

    def _add_item(self, item_id: str, part: wire.Part) -> None:
        item = wire.Item(id=item_id, role="user", status="completed", content=(part,))
        previous, self._last_item = self._last_item, item_id
        self.send(wire.ItemAdded(previous_item_id=previous, item=item))
        self.send(wire.ItemDone(previous_item_id=previous, item=item))

    def _reply_started(self, event: say.ReplyStarted) -> None:
        self._reply = _Reply(event.response_id, event.item_id)
        self.send(
            wire.ResponseCreated(response=wire.Response(id=event.response_id, status="in_progress"))
        )

    def _reply_timed(self, event: say.ReplyTimed) -> None:
        self.send(
            wire.AvatarTimeline(
                response_id=event.response_id,
                rows=event.rows_ms,
                starts=event.starts_ms,
                targets={str(row): target for row, target in TARGET_MS.items()},
                limits={str(row): limit for row, limit in LIMIT_MS.items()},
                head_start=event.head_start_ms,
                opener=event.opener_ms,
                actions=event.actions,
            )
        )

    def _reply_heard(self, event: say.ReplyHeard) -> None:
        reply = self._reply
        if reply is None or reply.response_id != event.response_id:
            return
        ids = {"response_id": reply.response_id, "item_id": reply.item_id}
        if not reply.sounded:
            reply.sounded = True
            item = wire.Item(id=reply.item_id, role="assistant", status="in_progress")
            reply.previous_item_id, self._last_item = self._last_item, reply.item_id
            self.send(wire.OutputItemAdded(response_id=reply.response_id, item=item))
            self.send(wire.ItemAdded(previous_item_id=reply.previous_item_id, item=item))
            part = wire.Part(type="output_audio", transcript="")
            self.send(wire.ContentPartAdded(**ids, part=part))
            self.send(wire.PlayoutStarted(response_id=reply.response_id))
        if event.text:
            self.send(wire.TranscriptDelta(**ids, delta=event.text))

    def _reply_ended(self, event: say.ReplyEnded) -> None:
        reply, self._reply = self._reply, None
        output: tuple[wire.Item, ...] = ()
        if reply is not None and reply.sounded:
            output = (self._close_item(reply, event),)
        details = None
        if event.status == "cancelled":
            reason = "client_cancelled" if event.by_client else "turn_detected"
            details = wire.StatusDetails(type="cancelled", reason=reason)
        elif event.status == "failed":
            error = {"type": "server_error", "code": "stage_failed", "message": event.message}
            details = wire.StatusDetails(type="failed", error=error)
            self.fail("stage_failed", event.message)
        self.send(
            wire.ResponseDone(
                response=wire.Response(
                    id=event.response_id,
                    status=event.status,
                    status_details=details,
                    output=output,
                )
            )
        )

    def _close_item(self, reply: _Reply, event: say.ReplyEnded) -> wire.Item:
        """The events that close a message of which something was heard."""
        ids = {"response_id": reply.response_id, "item_id": reply.item_id}
        cut = event.status == "cancelled"
        if cut:
            self.send(
                wire.ItemTruncated(
                    item_id=reply.item_id, audio_end_ms=event.heard_ms, avatar_heard=event.heard
                )
            )
            self.send(wire.PlayoutCleared(response_id=reply.response_id))
        else:
            self.send(wire.PlayoutStopped(response_id=reply.response_id))
        part = wire.Part(type="output_audio", transcript=event.heard)
        item = wire.Item(
            id=reply.item_id,
            role="assistant",
            status="incomplete" if cut else "completed",
            content=(part,),
        )
        self.send(wire.OutputAudioDone(**ids))
        self.send(wire.TranscriptDone(**ids, transcript=event.heard))
        self.send(wire.ContentPartDone(**ids, part=part))
        self.send(wire.OutputItemDone(response_id=reply.response_id, item=item))
        self.send(wire.ItemDone(previous_item_id=reply.previous_item_id, item=item))
        return item
