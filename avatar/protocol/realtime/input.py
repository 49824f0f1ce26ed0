"""What the person says: audio in, turns and words out."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar import events as say
from avatar.protocol import events as wire
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime.items import Items
from avatar.protocol.realtime.line import SoundLine
from avatar.protocol.realtime.refusal import Refusal
from avatar.protocol.realtime.session import SessionState
from avatar.websocket.coding import decode, rate_of
from speech.audio import resample
from speech.stages import LISTENING_RATE_HZ

LEAST_COMMIT_MS = 100

MOST_SUBMITTED_S = 120.0
"""Of recorded speech that waits to be written down: all calls wait for one recogniser."""


class _Recorded(NamedTuple):
    """Recorded speech: after which item it is to stand, and how long it is."""

    after: str | None
    seconds: float


class Input:
    """The client's audio, and the person's turns in it.

    Args:
        doors: The session's.
        session: What is in force.
        items: Of the conversation.
        line: Takes audio in events; None where it has a track of its own.
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
        self._line = line
        self._send = send
        self._appended_ms = 0.0  # since the last commit
        self._detected: set[str] = set()  # turns under way that the server found itself
        self._submitted: dict[str, _Recorded] = {}  # not written down yet

    def append(self, audio: str) -> None:
        """Hear what an event holds.

        Raises:
            Refusal: It holds no audio, or comes where there is no room for it.
        """
        if self._line is None:
            raise Refusal("unsupported_event", "Over WebRTC, audio comes on its track.", "type")
        pcm, rate_hz = self._decoded(audio, "audio")
        if not self._line.microphone_in.hear(pcm, rate_hz):
            raise Refusal(
                "input_audio_buffer_full",
                "More than a minute of audio is waiting: send it no faster than it is heard.",
                "audio",
            )
        self._appended_ms += len(pcm) * 1000 / rate_hz

    def commit(self) -> None:
        """Make what was appended the person's turn.

        Raises:
            Refusal: Hardly anything was.
        """
        if self._line is not None and self._appended_ms < LEAST_COMMIT_MS:
            raise Refusal(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{LEAST_COMMIT_MS}ms of audio, but buffer only has {self._appended_ms:.2f}ms.",
            )
        self._appended_ms = 0.0
        self._doors.commit(None if self._line is None else self._line.microphone_in.keep())

    def clear(self) -> None:
        """Forget what was appended, and the utterance under way."""
        if self._line is not None:
            self._line.microphone_in.clear()
        self._appended_ms = 0.0
        self._doors.forget()
        self._send(wire.Cleared())

    def submit(self, audio: str, param: str, item_id: str, after: str | None) -> None:
        """Have recorded speech written down, as an item of the conversation.

        Raises:
            Refusal: It is no audio, hardly any, or more than can wait.
        """
        pcm, rate_hz = self._decoded(audio, param)
        if len(pcm) * 1000 < LEAST_COMMIT_MS * rate_hz:
            raise Refusal("invalid_value", f"At least {LEAST_COMMIT_MS} ms of audio.", param)
        seconds = len(pcm) / rate_hz
        if sum(other.seconds for other in self._submitted.values()) + seconds > MOST_SUBMITTED_S:
            raise Refusal(
                "input_audio_buffer_full",
                f"Recorded speech of more than {MOST_SUBMITTED_S:.0f} s can't wait: send shorter "
                "pieces, and the next when conversation.item.done comes.",
                param,
            )
        self._submitted[item_id] = _Recorded(after, seconds)
        self._doors.submit(resample(pcm, rate_hz, LISTENING_RATE_HZ), item_id)

    def writes_down(self, item_id: str) -> bool:
        """Whether recorded speech of that name waits to be written down."""
        return item_id in self._submitted

    def tell(self, event: say.ConversationEvent) -> None:
        """Put an event of the person's turns on the wire."""
        match event:
            case say.UserStarted(item_id, at_ms):
                self._detected.add(item_id)
                self._send(wire.SpeechStarted(item_id=item_id, audio_start_ms=at_ms))
            case say.UserInterim(item_id, text):
                if self._session.transcribes:
                    self._send(wire.InterimTranscript(item_id=item_id, text=text))
            case say.UserStopped(item_id, at_ms):
                if item_id in self._detected:
                    self._send(wire.SpeechStopped(item_id=item_id, audio_end_ms=at_ms))
            case say.UserSaid():
                self._said(event)
            case say.UserNotUnderstood(item_id, message):
                self._forget(item_id)
                error = {"type": "server_error", "code": "recognition_failed", "message": message}
                self._send(wire.TranscriptFailed(item_id=item_id, error=error))

    def _said(self, event: say.UserSaid) -> None:
        item_id, text = event.item_id, event.text
        was_detected, was_submitted = item_id in self._detected, item_id in self._submitted
        after = self._forget(item_id)
        if (text or not was_detected) and not event.is_backchannel:
            part = wire.Part(type="input_audio", transcript=text)
            item = wire.Message(id=item_id, role="user", status="completed", content=(part,))
            if after is not None and after not in self._items:
                after = None  # deleted meanwhile
            previous = self._items.add(item, after)
            if not was_submitted:
                self._send(wire.Committed(item_id=item_id, previous_item_id=previous))
            self._send(wire.ItemAdded(previous_item_id=previous, item=item))
            self._send(wire.ItemDone(previous_item_id=previous, item=item))
        if self._session.transcribes:
            usage: dict[str, str | float] = {
                "type": "duration",
                "seconds": round(event.duration_s, 3),
            }
            self._send(wire.TranscriptCompleted(item_id=item_id, transcript=text, usage=usage))

    def _forget(self, item_id: str) -> str | None:
        """A turn is over; after which item it was to be put."""
        self._detected.discard(item_id)
        recorded = self._submitted.pop(item_id, None)
        return recorded.after if recorded is not None else None

    def _decoded(self, audio: str, param: str) -> tuple[NDArray[np.int16], int]:
        coding = self._session.input_format.type
        try:
            return decode(audio, coding), rate_of(coding)
        except ValueError as error:
            raise Refusal("invalid_value", f"Invalid '{param}': {error}.", param) from error
