"""The avatar's answers: asked for, heard, cut, ended."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avatar import events as say
from avatar.commands import Correct, Respond, Stop
from avatar.events import new_id
from avatar.protocol import events as wire
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime.answer import Answer
from avatar.protocol.realtime.items import Items
from avatar.protocol.realtime.line import SoundLine
from avatar.protocol.realtime.refusal import Refusal
from avatar.protocol.realtime.session import SessionState
from avatar.protocol.realtime.spoken import Spoken
from avatar.websocket.coding import Encoder

_T = TypeVar("_T")
_REMEMBERED = 64
"""Answers whose sound can still be cut, calls that wait for a result, and answers asked for."""


class Answers:
    """At most one is under way.

    Args:
        doors: The session's.
        session: What is in force.
        items: Of the conversation.
        line: Carries their sound in events; None where it has a track of its own.
        send: Sends an event.
    """

    def __init__(
        self,
        doors: Doors,
        session: SessionState,
        items: Items,
        line: SoundLine | None,
        send: Callable[[wire.ServerEvent], None],
    ) -> None:
        self._doors = doors
        self._session = session
        self._items = items
        self._has_sound = line is not None
        self._send = send
        self._current: Answer | None = None
        self._is_stopping = False
        self._covering: Answer | None = None  # words between two answers
        self._cover_ends_ms = 0
        self._asked: dict[str, wire.ResponseConfig] = {}
        self._spoken: dict[str, Spoken] = {}
        self._calls: dict[str, None] = {}  # that wait for a result, oldest first
        self._played: str | None = None  # what the client played of the answer under way
        if line is not None:
            line.on_sound = self._sound

    def ask(self, config: wire.ResponseConfig) -> None:
        """Have the conversation so far answered.

        Raises:
            Refusal: It is being answered, or what is asked for is not to be had.
        """
        may_interrupt = self._is_stopping or (config.avatar and config.avatar.interrupt)
        if self._current is not None and not may_interrupt:
            raise Refusal(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: "
                f"{self._current.response_id}. Wait until the response is finished before "
                "creating a new one.",
            )
        _check(config)
        if config.model_copy(update={"avatar": None}) == wire.ResponseConfig():
            self._doors.command(Respond())
            return
        response_id = new_id("resp")
        _remember(self._asked, response_id, config)
        modalities = config.output_modalities
        self._doors.command(
            Respond(
                response_id=response_id,
                instructions=config.instructions,
                speaks=modalities[0] == "audio" if modalities else None,
            )
        )

    def cancel(self, response_id: str | None) -> None:
        """Stop the answer under way.

        Raises:
            Refusal: None is, or another one.
        """
        current = self._current
        if current is None or response_id not in (None, current.response_id):
            raise Refusal("response_cancel_not_active", "No such answer is under way.")
        self._is_stopping = True
        self._doors.command(Stop())

    def truncate(self, event: wire.ItemTruncate) -> None:
        """Believe the client about how much of an answer was heard.

        Raises:
            Refusal: It is no spoken answer, or was shorter.
        """
        current = self._current
        is_current = current is not None and current.item_id == event.item_id
        spoken = current.spoken if current and is_current else self._spoken.get(event.item_id)
        if spoken is None or event.item_id not in self._items:
            why = f"There is no item {event.item_id!r} whose audio can be cut."
            raise Refusal("item_not_found", why, "item_id")
        if event.content_index != 0:
            raise Refusal("invalid_value", "An answer has one part: 0.", "content_index")
        if event.audio_end_ms > spoken.sent_ms:
            raise Refusal(
                "invalid_value",
                f"Audio content of {spoken.sent_ms}ms is already shorter than "
                f"{event.audio_end_ms}ms.",
                "audio_end_ms",
            )
        text = spoken.until(event.audio_end_ms)
        if is_current:
            self._played = text
        else:
            self._correct(event.item_id, text)
        self._send(wire.ItemTruncated(item_id=event.item_id, audio_end_ms=event.audio_end_ms))

    def awaits(self, call_id: str) -> bool:
        """Take the result of a call; False if none of that name waits for one."""
        if call_id not in self._calls:
            return False
        del self._calls[call_id]
        return True

    def tell(self, event: say.ConversationEvent) -> None:
        """Put an event of the answers on the wire."""
        current = self._current
        match event:
            case say.ReplyStarted():
                self._start(event)
            case say.ReplyHeard(text=text) if current is not None:
                self._played = None  # it goes on
                current.hear(text)
            case say.ReplyWritten(text=text) if current is not None:
                current.write(text)
            case say.ToolCalled(call_id=call_id) if current is not None:
                _remember(self._calls, call_id, None)
                current.call(event)
            case say.OpenerHeard(response_id, text, lasts_ms):
                if current is not None:
                    current.hear_opener()
                self._send(
                    wire.AvatarOpener(response_id=response_id, text=text, duration_ms=lasts_ms)
                )
            case say.CoverHeard(text, lasts_ms):
                self._send(wire.AvatarCover(text=text, duration_ms=lasts_ms))
                if current is not None:
                    current.hear_opener()
                elif self._has_sound:
                    self._cover(text, lasts_ms)
            case say.ReplyHeld(response_id):
                self._hold(is_held=True)
                self._send(wire.AvatarHeld(response_id=response_id))
            case say.ReplyResumed(response_id, reason=reason):
                self._hold(is_held=False)
                self._send(wire.AvatarResumed(response_id=response_id, reason=reason))
            case say.ReplyEnded() if current is not None:
                self._end(current, event)

    def _cover(self, text: str, lasts_ms: int) -> None:
        """Words between two answers: clients know sound only as a response's, so it gets one."""
        self._end_cover()
        started = say.ReplyStarted(new_id("resp"), new_id("item"))
        encoder = Encoder(self._session.output_format.type)
        self._covering = Answer(
            started,
            send=self._send,
            items=self._items,
            metadata={"avatar": "cover"},
            encoder=encoder,
        )
        self._covering.hear(text)
        self._cover_ends_ms = lasts_ms

    def _end_cover(self) -> None:
        cover, self._covering = self._covering, None
        if cover is not None:
            ids = (cover.response_id, cover.item_id)
            cover.end(say.ReplyEnded(*ids, "completed", cover.text, cover.spoken.sent_ms))

    def _start(self, event: say.ReplyStarted) -> None:
        self._end_cover()
        asked = self._asked.pop(event.response_id, wire.ResponseConfig())
        modality = (asked.output_modalities or [self._session.modality])[0]
        wanted = asked.audio and asked.audio.output and asked.audio.output.format
        coding = (wanted or self._session.output_format).type
        is_written = modality == "text"
        self._is_stopping, self._played = False, None
        self._current = Answer(
            event,
            send=self._send,
            items=self._items,
            is_written=is_written,
            metadata=asked.metadata,
            encoder=Encoder(coding) if self._has_sound and not is_written else None,
        )

    def _end(self, current: Answer, event: say.ReplyEnded) -> None:
        self._current, self._is_stopping = None, False
        if event.status == "failed":
            body = wire.ErrorBody(type="server_error", code="stage_failed", message=event.message)
            self._send(wire.ErrorEvent(error=body))
        current.end(event)
        if self._has_sound:
            _remember(self._spoken, current.item_id, current.spoken)
        played, self._played = self._played, None
        if played is not None and event.status == "cancelled" and len(played) < len(event.heard):
            self._correct(current.item_id, played)

    def _hold(self, *, is_held: bool) -> None:
        if self._current is not None:
            self._current.is_held = is_held

    def _sound(self, pcm: NDArray[np.int16]) -> None:
        if self._current is not None:
            self._current.sound(pcm)
        elif self._covering is not None:
            self._covering.sound(pcm)
            if self._covering.spoken.sent_ms >= self._cover_ends_ms:
                self._end_cover()

    def _correct(self, item_id: str, text: str) -> None:
        """The history is to hold what was heard, and the item no more words than that."""
        item = self._items.get(item_id)
        if isinstance(item, wire.Message):
            part = wire.Part(type="output_audio", transcript=text)
            self._items.change(item.model_copy(update={"content": (part,)}))
        self._doors.command(Correct(item_id, text))


def _check(config: wire.ResponseConfig) -> None:
    """Refuse what is known to the API and not to be had here."""
    voice = config.audio and config.audio.output and config.audio.output.voice
    asked = {
        "response.conversation": (
            config.conversation == "none",
            "every answer is part of the conversation",
        ),
        "response.input": (config.input is not None, "every answer is to the conversation"),
        "response.max_output_tokens": (
            isinstance(config.max_output_tokens, int),
            "the server's settings limit answers (llm.max_reply_tokens)",
        ),
        "response.audio.output.voice": (
            isinstance(voice, wire.VoiceId),
            "there is one voice",
        ),
        "response.tools": (
            config.tools is not None,
            "the session's tools are those of all answers",
        ),
        "response.tool_choice": (
            config.tool_choice is not None,
            "the session's choice is that of all answers",
        ),
        "response.prompt": (config.prompt is not None, "no prompts are stored; use instructions"),
        "response.reasoning": (config.reasoning is not None, "the model doesn't reason"),
    }
    for field, (is_asked, why) in asked.items():
        if is_asked:
            raise Refusal("unsupported_value", f"Not available: {why}.", field)


def _remember(known: dict[str, _T], name: str, value: _T) -> None:
    known[name] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
