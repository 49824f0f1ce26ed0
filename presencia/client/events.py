"""What happens in a call, in types. Whatever has none here comes as `OtherEvent`, with its body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Joined:
    """A connection is there.

    Attributes:
        resumed: Whether an earlier conversation goes on.
        body: The `session.created`.
    """

    resumed: bool
    body: Body


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone, and dialled again; `Joined` follows, or the call ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class WaitingInLine:
    """Every place is taken; the call begins by itself.

    Attributes:
        place: 1 is next.
        expected_wait_s: By the lengths of other calls.
    """

    place: int
    expected_wait_s: float


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The avatar listens, thinks or speaks."""

    state: Literal["listening", "thinking", "speaking"]


@dataclass(frozen=True, slots=True)
class PersonSaid:
    """Words of the person: those so far, or the final ones, which replace them."""

    item_id: str
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class AvatarSaid:
    """Words of the avatar that begin to be heard; they add up to its answer."""

    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The avatar was cut off: `heard` is what the person heard of its answer."""

    item_id: str
    heard: str


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """An answer starts."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """An answer is over."""

    response_id: str
    status: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """The avatar has called a tool of this program, and was sent what came of it."""

    name: str
    arguments: Mapping[str, Any]
    output: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """Something failed; the call goes on. The message is for a person."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """Any other event of docs/protocol.md."""

    type: str
    body: Body


Event = (
    Joined
    | Lost
    | WaitingInLine
    | StateChanged
    | PersonSaid
    | AvatarSaid
    | Interrupted
    | ResponseStarted
    | ResponseEnded
    | ToolUsed
    | Failed
    | OtherEvent
)


def _joined(body: Body) -> Event:
    return Joined(body["session"].get("avatar", {}).get("resumed") is True, body)


def _failed(body: Body) -> Event:
    error = body["error"]
    return Failed(str(error.get("code")), str(error["message"]))


_READERS: Mapping[str, Callable[[Body], Event]] = MappingProxyType(
    {
        "session.created": _joined,
        "avatar.state": lambda body: StateChanged(body["state"]),
        "avatar.input_transcript.interim": lambda body: PersonSaid(
            body["item_id"], body["text"], is_final=False
        ),
        "conversation.item.input_audio_transcription.completed": lambda body: PersonSaid(
            body["item_id"], body["transcript"], is_final=True
        ),
        "response.output_audio_transcript.delta": lambda body: AvatarSaid(
            body.get("response_id", ""), body["item_id"], body["delta"]
        ),
        "conversation.item.truncated": lambda body: Interrupted(
            body["item_id"], body.get("avatar_heard", "")
        ),
        "response.created": lambda body: ResponseStarted(body["response"]["id"]),
        "response.done": lambda body: ResponseEnded(
            body["response"]["id"], body["response"]["status"]
        ),
        "error": _failed,
    }
)


def read(body: Body) -> Event:
    """A server event in its type; a malformed one comes as `OtherEvent`."""
    kind = str(body["type"])
    reader = _READERS.get(kind)
    if reader is not None:
        try:
            return reader(body)
        except (KeyError, TypeError, AttributeError):
            pass
    return OtherEvent(kind, body)
