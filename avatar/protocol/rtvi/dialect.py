"""Speaks RTVI for one conversation: its events out, a client's messages in."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, TypeAdapter, ValidationError

from avatar import events as say
from avatar.commands import Configure, Respond, Stop, ToolResult, Typed
from avatar.protocol.dialect import Doors
from avatar.protocol.rtvi import messages as wire
from avatar.protocol.rtvi.requests import Wishes
from avatar.protocol.rtvi.speaking import Speaking
from speech.types import Tool

_INCOMING: TypeAdapter[wire.Incoming | wire.Signalling] = TypeAdapter(
    wire.Incoming | wire.Signalling
)
_OURS = ("avatar.stop", "avatar.update", "avatar.face.update", "avatar.watching.forbid")


class Rtvi:
    """One Pipecat client's protocol state: a `Dialect`. Neither blocks nor waits.

    Args:
        doors: The session's.
        tools: That the client runs.
    """

    def __init__(self, doors: Doors, tools: Sequence[Tool] = ()) -> None:
        self._doors = doors
        self._language = doors.language
        self._tools = tuple(tools)
        self._speaking = Speaking(self._send)
        self._called: dict[str, str] = {}  # the client's tools that have no result yet
        self._is_greeted = doors.resumed

    def open(self) -> None:
        """Offer the client's tools, and leave word for when the call ends."""
        self._doors.farewell(wire.PEER_LEFT)
        if self._tools:
            self._doors.command(Configure(tools=self._tools))

    def receive(self, message: str) -> None:
        """Deal with one message of the client; a bad one is answered by `error`."""
        self._doors.note("client", message)
        if message.startswith("ping"):
            self._doors.pinged()
            return
        try:
            incoming = _INCOMING.validate_json(message)
        except ValidationError as error:
            self.fail("invalid_message", f"That is no RTVI message. {wire.explain(error)}")
            return
        if isinstance(incoming, wire.Incoming):
            try:
                self._obey(incoming.id, incoming.type, incoming.data or {})
            except ValidationError as error:
                self._refuse(incoming.id, f"{incoming.type}: {wire.explain(error)}")

    def tell(self, event: say.ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        match event:
            case say.StateChanged(state):
                self._tell_ours("avatar.state", state=state)
            case say.Watched(watchers):
                self._tell_ours("avatar.watched", watchers=watchers)
            case say.CallEnding(in_s):
                self._tell_ours("avatar.ending", ends_in_s=round(in_s, 1))
            case say.UserStarted():
                self._send("user-started-speaking")
            case say.UserInterim(text=text):
                self._transcribe(text, "transcription", final=False)
            case say.UserStopped():
                self._send("user-stopped-speaking")
            case say.UserSaid(text=text) if text:
                self._transcribe(
                    text, "backchannel" if event.is_backchannel else "transcription", final=True
                )
            case say.UserNotUnderstood(message=message):
                self.fail("recognition_failed", message)
            case say.UserTyped(text=text):
                self._input(text, "chat", final=True)
            case say.ReplyStarted():
                self._speaking.begin(event)
            case say.ReplyHeard():
                self._speaking.hear(event)
            case say.ReplyHeld():
                self._speaking.hush()
            case say.ReplyResumed():
                self._speaking.sound()
            case say.ReplyEnded(status=status, message=message):
                if status == "failed":
                    self.fail("stage_failed", message)
                self._speaking.end(event)
            case say.ReplyTimed():
                self._measure(event)
            case say.OpenerHeard(text=text, lasts_ms=lasts_ms):
                self._speaking.sound()
                self._tell_ours("avatar.opener", text=text, duration_ms=lasts_ms)
            case say.CoverHeard(text=text, lasts_ms=lasts_ms):
                self._tell_ours("avatar.cover", text=text, duration_ms=lasts_ms)
            case say.ToolCalled():
                self._call(event)

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        del code  # RTVI's errors have none
        self._send("error", wire.Error(error=message, message=message))

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        self._tell_ours(
            "avatar.session",
            id=self._doors.call_id,
            language=self._language,
            recording=self._doors.recorded(),
        )

    def show(self, mode: say.FaceMode, reason: say.FaceReason, frame_rate: int) -> None:
        """Tell the client who draws the face from now on."""
        self._tell_ours("avatar.face.updated", mode=mode, reason=reason, frame_rate=frame_rate)

    def _obey(self, message_id: str, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "client-ready":
                self._greet(message_id, wire.ClientReady.model_validate(data).version)
            case "send-text":
                self._take_text(message_id, wire.SendText.model_validate(data))
            case "append-to-context":
                added = wire.AppendToContext.model_validate(data)
                self._type(added.content, answer=added.run_immediately)
                self._send("append-to-context-result", wire.Result(result="added"), message_id)
            case "llm-function-call-result":
                self._take_result(message_id, wire.FunctionCallResult.model_validate(data))
            case "client-message":
                self._take_request(message_id, wire.ClientMessage.model_validate(data))
            case "disconnect-bot":
                self._doors.hang_up()
            case _:
                self._refuse(
                    message_id, f"{kind} is not supported here; docs/rtvi.md lists what is."
                )

    def _greet(self, message_id: str, version: str) -> None:
        major = version.partition(".")[0]
        if major not in ("1", "2"):
            self._refuse(
                message_id, f"RTVI {version or 'without a version'} may not fit {wire.VERSION}."
            )
        ready = wire.BotReady(
            version=version if major == "1" else wire.VERSION,
            about={"library": "presencia"},
            capabilities={
                "audio_in": True,
                "audio_out": True,
                "video_in": False,
                "screen_in": False,
                "video_out": True,
                "metrics": True,
            },
        )
        self._send("bot-ready", ready, message_id)
        if not self._is_greeted:
            self._is_greeted = True
            self._doors.command(Respond())

    def _take_text(self, message_id: str, text: wire.SendText) -> None:
        if not text.options.audio_response:
            self._refuse(message_id, "send-text: audio_response can't be false: a face speaks.")
            return
        self._type(text.content, answer=text.options.run_immediately)

    def _type(self, text: str, *, answer: bool) -> None:
        if answer:
            self._doors.command(Stop())  # first, so that what was heard comes before the text
        self._doors.command(Typed(text))
        if answer:
            self._doors.command(Respond())

    def _take_result(self, message_id: str, came: wire.FunctionCallResult) -> None:
        name = self._called.pop(came.tool_call_id, None)
        if name is None:
            self._refuse(message_id, f"No call '{came.tool_call_id}' waits for a result.")
            return
        output = came.result if isinstance(came.result, str) else json.dumps(came.result)
        self._send(
            "llm-function-call-stopped",
            wire.FunctionCallStopped(
                function_name=name,
                tool_call_id=came.tool_call_id,
                cancelled=False,
                result=came.result,
            ),
        )
        self._doors.command(ToolResult(came.tool_call_id, output))
        if not self._called:
            self._doors.command(Respond())

    def _take_request(self, message_id: str, request: wire.ClientMessage) -> None:
        match request.t:
            case "avatar.stop":
                self._doors.command(Stop())
            case "avatar.watching.forbid":
                self._doors.forbid_watching()
            case "avatar.update":
                self._change(Wishes.model_validate(request.d or {}))
            case "avatar.face.update":
                face = wire.FaceWish.model_validate(request.d)
                self._doors.show_face(face.mode, face.automatic, face.reason)
            case _:
                self._refuse(
                    message_id, f"'{request.t}' is not known; there are {', '.join(_OURS)}."
                )
                return
        self._send("server-response", wire.ServerResponse(t=request.t), message_id)

    def _change(self, wishes: Wishes) -> None:
        self._language = wishes.language or self._language
        if wishes.recording is False:
            self._doors.withdraw()
        if wishes.shows_watchers is not None:
            self._doors.shows_watchers(wishes.shows_watchers)
        tools = wishes.client_tools if "tools" in wishes.model_fields_set else None
        self._doors.command(Configure(wishes.language, wishes.instructions, tools))
        self.show_session()

    def _transcribe(self, text: str, kind: wire.InputKind, *, final: bool) -> None:
        self._send("user-transcription", wire.Transcript(text=text, final=final, timestamp=_now()))
        self._input(text, kind, final=final)

    def _input(self, text: str, kind: wire.InputKind, *, final: bool) -> None:
        self._send(
            "user-input", wire.UserInput(text=text, input_type=kind, final=final, timestamp=_now())
        )
        if final and kind != "backchannel":
            self._send("user-llm-text", wire.Text(text=text))

    def _call(self, event: say.ToolCalled) -> None:
        self._called[event.call_id] = event.name
        self._send("llm-function-call-started", wire.FunctionCallStarted(function_name=event.name))
        self._send(
            "llm-function-call-in-progress",
            wire.FunctionCallInProgress(
                function_name=event.name,
                tool_call_id=event.call_id,
                arguments=json.loads(event.arguments),
            ),
        )

    def _measure(self, event: say.ReplyTimed) -> None:
        rows = (
            wire.Metric(processor=row, value=(at_ms - event.starts_ms.get(row, 0)) / 1000)
            for row, at_ms in event.rows_ms.items()
        )
        self._send("metrics", wire.Metrics(ttfb=tuple(rows)))

    def _tell_ours(self, kind: str, **fields: object) -> None:
        """What RTVI has no word for."""
        self._send("server-message", wire.Ours.model_validate({"type": kind, **fields}))

    def _refuse(self, message_id: str, message: str) -> None:
        self._send("error-response", wire.Error(error=message, message=message), message_id)

    def _send(
        self, kind: wire.OutgoingType, data: BaseModel | None = None, message_id: str | None = None
    ) -> None:
        outgoing = wire.Outgoing(type=kind, id=message_id or uuid4().hex[:8], data=data)
        message = outgoing.model_dump_json(exclude_none=True)
        self._doors.note("server", message)
        self._doors.send(message)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
