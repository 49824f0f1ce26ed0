"""Speaks the wire protocol for one conversation: its events out, a client's events in."""

from dataclasses import dataclass

from pydantic import ValidationError

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, Typed
from avatar.latency import LIMIT_MS, TARGET_MS
from avatar.protocol import events as wire
from avatar.protocol.dialect import Doors
from avatar.resume import ResumeToken

MODEL = "presencia"


@dataclass(slots=True)
class _Reply:
    response_id: str
    item_id: str
    sounded: bool = False
    previous_item_id: str | None = None


class Realtime:
    """One client's protocol state: a `Dialect`. Neither blocks nor waits.

    Args:
        doors: The session's.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._language = doors.language
        self._instructions = doors.instructions
        self._last_item: str | None = None
        self._reply: _Reply | None = None

    def open(self) -> None:
        """Greet the client, once the channel can take events."""
        self._send(wire.SessionCreated(session=self._session()))
        self._send(wire.AvatarState(state="listening"))

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
                self._configure(config)
                self.show_session()
            case wire.ItemCreate(item=item):
                self._doors.command(Typed("\n".join(part.text for part in item.content)))
            case wire.ResponseCreate():
                self._doors.command(Respond())
            case wire.ResponseCancel(response_id=response_id):
                if self._reply is None or response_id not in (None, self._reply.response_id):
                    self._refuse(
                        "response_cancel_not_active",
                        "No such answer is under way.",
                        None,
                        event.event_id,
                    )
                else:
                    self._doors.command(Stop())
            case wire.OutputClear():
                self._doors.command(Stop())
            case wire.InputClear():
                self._doors.forget()
            case wire.Ping():
                self._doors.pinged()
                self._send(wire.Pong())
            case wire.FaceUpdate(mode=mode, automatic=automatic, reason=reason):
                self._doors.show_face(mode, automatic, reason)

    def tell(self, event: say.ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        match event:
            case say.StateChanged(state):
                self._send(wire.AvatarState(state=state))
            case say.UserStarted(item_id, at_ms):
                self._send(wire.SpeechStarted(item_id=item_id, audio_start_ms=at_ms))
            case say.UserInterim(item_id, text):
                self._send(wire.InterimTranscript(item_id=item_id, text=text))
            case say.UserStopped(item_id, at_ms):
                self._send(wire.SpeechStopped(item_id=item_id, audio_end_ms=at_ms))
            case say.UserSaid():
                self._user_said(event)
            case say.UserNotUnderstood(item_id, message):
                error = {"type": "server_error", "code": "recognition_failed", "message": message}
                self._send(wire.TranscriptFailed(item_id=item_id, error=error))
            case say.UserTyped(item_id, text):
                self._add_item(item_id, wire.Part(type="input_text", text=text))
            case say.ReplyTimed():
                self._reply_timed(event)
            case say.OpenerHeard(response_id, text, lasts_ms):
                self._send(
                    wire.AvatarOpener(response_id=response_id, text=text, duration_ms=lasts_ms)
                )
            case say.ReplyStarted():
                self._reply_started(event)
            case say.ReplyHeard():
                self._reply_heard(event)
            case say.ReplyHeld(response_id):
                self._send(wire.AvatarHeld(response_id=response_id))
            case say.ReplyResumed(response_id, reason=reason):
                self._send(wire.AvatarResumed(response_id=response_id, reason=reason))
            case say.ReplyEnded():
                self._reply_ended(event)

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        self._send(
            wire.ErrorEvent(error=wire.ErrorBody(type="server_error", code=code, message=message))
        )

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        self._send(wire.SessionUpdated(session=self._session()))

    def show(self, mode: say.FaceMode, reason: say.FaceReason, frame_rate: int) -> None:
        """Tell the client who draws the face from now on."""
        self._send(wire.FaceUpdated(mode=mode, reason=reason, frame_rate=frame_rate))

    def _configure(self, config: wire.SessionConfig) -> None:
        """Apply what the client asks of the session."""
        self._language = config.language or self._language
        if config.instructions is not None:
            self._instructions = config.instructions
        if config.recording is False:
            self._doors.withdraw()
        self._doors.command(Configure(config.language, config.instructions))

    def _send(self, event: wire.ServerEvent) -> None:
        self._doors.send(event.model_dump_json(exclude_none=True))

    def _session(self) -> wire.Session:
        audio = wire.Audio(
            input=wire.AudioInput(transcription=wire.Transcription(language=self._language))
        )
        face, recorded = self._doors.face, self._doors.recorded()
        return wire.Session(
            id=self._doors.call_id,
            model=MODEL,
            instructions=self._instructions,
            audio=audio,
            avatar=wire.Avatar(
                face=wire.Face(name=face.name, url=face.url),
                recording=recorded,
                resumed=self._doors.resumed or None,
                resume=_resume(self._doors.resume()),
            ),
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
        self._send(wire.ErrorEvent(error=body))

    def _user_said(self, event: say.UserSaid) -> None:
        item_id, text = event.item_id, event.text
        if text and not event.is_backchannel:
            self._send(wire.Committed(item_id=item_id, previous_item_id=self._last_item))
            self._add_item(item_id, wire.Part(type="input_audio", transcript=text))
        self._send(
            wire.TranscriptCompleted(
                item_id=item_id,
                transcript=text,
                usage={"type": "duration", "seconds": round(event.duration_s, 3)},
            )
        )

    def _add_item(self, item_id: str, part: wire.Part) -> None:
        item = wire.Item(id=item_id, role="user", status="completed", content=(part,))
        previous, self._last_item = self._last_item, item_id
        self._send(wire.ItemAdded(previous_item_id=previous, item=item))
        self._send(wire.ItemDone(previous_item_id=previous, item=item))

    def _reply_started(self, event: say.ReplyStarted) -> None:
        self._reply = _Reply(event.response_id, event.item_id)
        self._send(
            wire.ResponseCreated(response=wire.Response(id=event.response_id, status="in_progress"))
        )

    def _reply_timed(self, event: say.ReplyTimed) -> None:
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
            self._send(wire.OutputItemAdded(response_id=reply.response_id, item=item))
            self._send(wire.ItemAdded(previous_item_id=reply.previous_item_id, item=item))
            part = wire.Part(type="output_audio", transcript="")
            self._send(wire.ContentPartAdded(**ids, part=part))
            self._send(wire.PlayoutStarted(response_id=reply.response_id))
        if event.text:
            self._send(wire.TranscriptDelta(**ids, delta=event.text))

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
        self._send(
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
            self._send(
                wire.ItemTruncated(
                    item_id=reply.item_id, audio_end_ms=event.heard_ms, avatar_heard=event.heard
                )
            )
            self._send(wire.PlayoutCleared(response_id=reply.response_id))
        else:
            self._send(wire.PlayoutStopped(response_id=reply.response_id))
        part = wire.Part(type="output_audio", transcript=event.heard)
        item = wire.Item(
            id=reply.item_id,
            role="assistant",
            status="incomplete" if cut else "completed",
            content=(part,),
        )
        self._send(wire.OutputAudioDone(**ids))
        self._send(wire.TranscriptDone(**ids, transcript=event.heard))
        self._send(wire.ContentPartDone(**ids, part=part))
        self._send(wire.OutputItemDone(response_id=reply.response_id, item=item))
        self._send(wire.ItemDone(previous_item_id=reply.previous_item_id, item=item))
        return item


def _resume(made: ResumeToken | None) -> wire.Resume | None:
    return wire.Resume(token=made.token, expires_in_s=made.expires_in_s) if made else None
