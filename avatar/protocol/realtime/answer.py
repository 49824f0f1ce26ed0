"""One answer on the wire: its events, in the order that SDKs expect."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatar import events as say
from avatar.protocol import events as wire
from avatar.protocol.realtime.items import Items
from avatar.protocol.realtime.spoken import Spoken
from avatar.websocket.coding import Encoder


class Answer:
    """An answer under way.

    Args:
        started: What the conversation said of it.
        send: Sends an event.
        items: Of the conversation.
        is_written: Whether it is written, not spoken.
        metadata: The client's, given back with it.
        encoder: Codes its sound for events; None where sound has a track of its own.

    Attributes:
        response_id: Its name.
        spoken: What was said, and when.
        is_held: Whether it is silent until the person's words are known.
        text: What was heard or written of it so far.
    """

    def __init__(
        self,
        started: say.ReplyStarted,
        *,
        send: Callable[[wire.ServerEvent], None],
        items: Items,
        is_written: bool = False,
        metadata: dict[str, str] | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.response_id = started.response_id
        self.spoken = Spoken()
        self.is_held = False
        self._item_id = started.item_id
        self._send = send
        self._items = items
        self._is_written = is_written
        self._metadata = metadata
        self._encoder = encoder
        self.text = ""
        self._message_index: int | None = None  # where the message is among the outputs
        self._outputs: list[wire.Item | None] = []
        send(wire.ResponseCreated(response=self._shown("in_progress")))

    def hear(self, text: str) -> None:
        """A clause starts to be heard."""
        self._open()
        self.spoken.begin(text)
        if text:
            self.text += text
            self._send(wire.TranscriptDelta(**self._place, delta=text))

    def hear_opener(self) -> None:
        """A few words that are no part of it start to be heard: sound needs a message to be in."""
        if self._encoder is not None:
            self._open()

    def write(self, text: str) -> None:
        """A piece of it is written."""
        self._open()
        self.text += text
        self._send(wire.TextDelta(**self._place, delta=text))

    def sound(self, pcm: NDArray[np.int16]) -> None:
        """20 ms of it leave: int16 at 48 kHz, shape (960,)."""
        if self._encoder is None or self._message_index is None or self.is_held:
            return
        self.spoken.advance(len(pcm))
        self._send_sound(self._encoder.encode(pcm))

    def call(self, called: say.ToolCalled) -> None:
        """The client is to run a function."""
        index = len(self._outputs)
        shown = {"id": called.item_id, "call_id": called.call_id, "name": called.name}
        place = {"response_id": self.response_id, "output_index": index}
        of_call = {**place, "item_id": called.item_id, "call_id": called.call_id}
        item = wire.FunctionCall(**shown, status="in_progress", arguments="")
        self._outputs.append(item)
        previous = self._items.add(item)
        self._send(wire.OutputItemAdded(**place, item=item))
        self._send(wire.ItemAdded(previous_item_id=previous, item=item))
        self._send(wire.ArgumentsDelta(**of_call, delta=called.arguments))
        self._send(wire.ArgumentsDone(**of_call, name=called.name, arguments=called.arguments))
        done = wire.FunctionCall(**shown, status="completed", arguments=called.arguments)
        self._outputs[index] = done
        self._items.change(done)
        self._send(wire.OutputItemDone(**place, item=done))
        self._send(wire.ItemDone(previous_item_id=previous, item=done))

    def end(self, ended: say.ReplyEnded) -> None:
        """It is over."""
        if self._message_index is not None:
            self._close(self._message_index, ended)
        details = None
        if ended.status == "cancelled":
            reason = "client_cancelled" if ended.by_client else "turn_detected"
            details = wire.StatusDetails(type="cancelled", reason=reason)
        elif ended.status == "failed":
            error = {"type": "server_error", "code": "stage_failed", "message": ended.message}
            details = wire.StatusDetails(type="failed", error=error)
        done = self._shown(ended.status, details, _usage(ended, is_written=self._is_written))
        self._send(wire.ResponseDone(response=done))

    @property
    def item_id(self) -> str:
        """Of its message."""
        return self._item_id

    @property
    def _place(self) -> dict[str, str | int]:
        return {
            "response_id": self.response_id,
            "item_id": self._item_id,
            "output_index": self._message_index or 0,
            "content_index": 0,
        }

    def _open(self) -> None:
        """Make its message, once."""
        if self._message_index is not None:
            return
        self._message_index = index = len(self._outputs)
        item = wire.Message(id=self._item_id, role="assistant", status="in_progress")
        self._outputs.append(item)
        self._previous = self._items.add(item)
        self._send(
            wire.OutputItemAdded(response_id=self.response_id, output_index=index, item=item)
        )
        self._send(wire.ItemAdded(previous_item_id=self._previous, item=item))
        self._send(wire.ContentPartAdded(**self._place, part=self._part("")))
        if self._encoder is None and not self._is_written:
            self._send(wire.PlayoutStarted(response_id=self.response_id))

    def _close(self, index: int, ended: say.ReplyEnded) -> None:
        """The events that close its message."""
        is_cut, text = ended.status == "cancelled", ended.heard
        if not self._is_written:
            self._close_sound(ended)
        content = (
            wire.Part(type="output_text", text=text)
            if self._is_written
            else wire.Part(type="output_audio", transcript=text)
        )
        item = wire.Message(
            id=self._item_id,
            role="assistant",
            status="incomplete" if is_cut else "completed",
            content=(content,),
        )
        self._outputs[index] = item
        self._items.change(item)
        if self._is_written:
            self._send(wire.TextDone(**self._place, text=text))
        else:
            self._send(wire.AudioDone(**self._place))
            self._send(wire.TranscriptDone(**self._place, transcript=text))
        self._send(wire.ContentPartDone(**self._place, part=self._part(text)))
        self._send(wire.OutputItemDone(response_id=self.response_id, output_index=index, item=item))
        self._send(wire.ItemDone(previous_item_id=self._previous, item=item))

    def _close_sound(self, ended: say.ReplyEnded) -> None:
        is_cut = ended.status == "cancelled"
        if self._encoder is not None:
            self._send_sound(self._encoder.flush())
        if is_cut:
            heard_ms = ended.heard_ms if self._encoder is None else self.spoken.sent_ms
            self._send(
                wire.ItemTruncated(
                    item_id=self._item_id, audio_end_ms=heard_ms, avatar_heard=ended.heard
                )
            )
        if self._encoder is None:
            over = wire.PlayoutCleared if is_cut else wire.PlayoutStopped
            self._send(over(response_id=self.response_id))

    def _send_sound(self, delta: str) -> None:
        if delta:
            self._send(wire.AudioDelta(**self._place, delta=delta))

    def _part(self, text: str) -> wire.AnswerPart:
        if self._is_written:
            return wire.AnswerPart(type="text", text=text)
        return wire.AnswerPart(type="audio", transcript=text)

    def _shown(
        self,
        status: say.ReplyStatus | str,
        details: wire.StatusDetails | None = None,
        usage: wire.Usage | None = None,
    ) -> wire.Response:
        return wire.Response(
            id=self.response_id,
            status=status,
            status_details=details,
            output=tuple(item for item in self._outputs if item is not None),
            output_modalities=("text",) if self._is_written else ("audio",),
            metadata=self._metadata,
            usage=usage,
        )


def _usage(ended: say.ReplyEnded, *, is_written: bool) -> wire.Usage:
    """What it took: the language model's tokens, and no others, for sound has none here."""
    read, wrote = ended.prompt_tokens, ended.tokens
    return wire.Usage(
        total_tokens=read + wrote,
        input_tokens=read,
        output_tokens=wrote,
        input_token_details={"text_tokens": read, "audio_tokens": 0, "cached_tokens": 0},
        output_token_details={"text_tokens": wrote, "audio_tokens": 0},
    )
