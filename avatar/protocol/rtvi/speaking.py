"""What the avatar says, in RTVI's words: who is heard, and each clause from new to completed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel

from avatar.events import ReplyEnded, ReplyHeard, ReplyStarted
from avatar.protocol.rtvi import messages as wire

Send = Callable[[wire.OutgoingType, BaseModel | None], None]


@dataclass(slots=True)
class _Reply:
    response_id: str
    clauses: list[str] = field(default_factory=list)


class Speaking:
    """The avatar's side of a conversation.

    A clause becomes a segment of `bot-output` when it begins to be heard, which is also when its
    text is told: what is written and never heard is told to nobody.

    Args:
        send: Puts a message on the wire.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._reply: _Reply | None = None
        self._segment = 0
        self._is_heard = False

    def begin(self, event: ReplyStarted) -> None:
        """An answer is being prepared."""
        self._reply = _Reply(event.response_id)
        self._send("bot-llm-started", None)

    def hear(self, event: ReplyHeard) -> None:
        """A clause begins to be heard."""
        reply = self._reply
        if reply is None or reply.response_id != event.response_id:
            return
        if reply.clauses:
            self._complete(reply)
        else:
            self._send("bot-tts-started", None)
        self.sound()
        reply.clauses.append(event.text)
        self._segment += 1
        text = event.text.strip()
        if not text:
            return
        self._send("bot-llm-text", wire.Text(text=event.text))
        self._send("bot-transcription", wire.Text(text=text))
        self._output("new", text, "")
        self._send("bot-tts-text", wire.Text(text=text))

    def sound(self) -> None:
        """The avatar is heard."""
        if not self._is_heard:
            self._is_heard = True
            self._send("bot-started-speaking", None)

    def hush(self) -> None:
        """The avatar is heard no more."""
        if self._is_heard:
            self._is_heard = False
            self._send("bot-stopped-speaking", None)

    def end(self, event: ReplyEnded) -> None:
        """The answer is over."""
        reply, self._reply = self._reply, None
        if reply is None:
            return
        spoken = bool(reply.clauses)
        if spoken and event.status == "completed":
            self._complete(reply)
        elif spoken:
            before = len("".join(reply.clauses[:-1]))
            self._output("in-progress", reply.clauses[-1].strip(), event.heard[before:].strip())
        if event.status == "cancelled":
            self._send("bot-interrupted", None)
        self.hush()
        if spoken:
            self._send("bot-tts-stopped", None)
        self._send("bot-llm-stopped", None)

    def _complete(self, reply: _Reply) -> None:
        text = reply.clauses[-1].strip()
        if text:
            self._output("completed", text, text)

    def _output(self, status: wire.SpokenStatus, text: str, heard: str) -> None:
        if not text:
            return
        progress = wire.Progress(
            accumulated_text=heard, remaining_text=text.removeprefix(heard).strip()
        )
        self._send(
            "bot-output",
            wire.BotOutput(
                text=text,
                segment_id=self._segment,
                spoken_status=status,
                spoken_progress=progress,
                spoken=status == "completed",
            ),
        )
