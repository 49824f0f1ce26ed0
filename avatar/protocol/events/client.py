"""What a client sends."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from avatar.events import FaceMode
from avatar.protocol.events.base import Asked
from avatar.protocol.events.items import ItemId, NewItem
from avatar.protocol.events.session import (
    AudioOutput,
    FunctionTool,
    Instructions,
    Modality,
    SessionConfig,
    ToolChoice,
)


class _ClientEvent(Asked):
    event_id: Annotated[str, StringConstraints(max_length=512)] | None = None


class SessionUpdate(_ClientEvent):
    """Changes the session."""

    type: Literal["session.update"]
    session: SessionConfig


class AudioAppend(_ClientEvent):
    """The person's audio, in the session's input format, base64."""

    type: Literal["input_audio_buffer.append"]
    audio: str


class AudioCommit(_ClientEvent):
    """What was appended is the person's turn."""

    type: Literal["input_audio_buffer.commit"]


class AudioClear(_ClientEvent):
    """Forgets what was appended, or the utterance under way."""

    type: Literal["input_audio_buffer.clear"]


class ItemCreate(_ClientEvent):
    """Adds an item to the conversation."""

    type: Literal["conversation.item.create"]
    previous_item_id: ItemId | None = None
    item: NewItem


class ItemRetrieve(_ClientEvent):
    """Asks how an item stands."""

    type: Literal["conversation.item.retrieve"]
    item_id: ItemId


class ItemDelete(_ClientEvent):
    """Takes an item out of the conversation."""

    type: Literal["conversation.item.delete"]
    item_id: ItemId


class ItemTruncate(_ClientEvent):
    """Tells how much of an answer was heard."""

    type: Literal["conversation.item.truncate"]
    item_id: ItemId
    content_index: Annotated[int, Field(ge=0)]
    audio_end_ms: Annotated[int, Field(ge=0)]


class ResponseAudio(Asked):
    """Audio settings of one answer."""

    output: AudioOutput | None = None


class ResponseAvatar(Asked):
    """Ours.

    Attributes:
        interrupt: Whether it may take the place of an answer under way, which is an error else.
    """

    interrupt: bool = False


class ResponseConfig(Asked):
    """How one answer is to be."""

    instructions: Instructions | None = None
    output_modalities: Annotated[list[Modality], Field(min_length=1, max_length=1)] | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(max_length=64)],
                Annotated[str, StringConstraints(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = None
    conversation: Literal["auto", "none"] = "auto"
    input: list[Any] | None = None
    audio: ResponseAudio | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] | None = None
    prompt: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    avatar: ResponseAvatar | None = None


class ResponseCreate(_ClientEvent):
    """Asks for an answer."""

    type: Literal["response.create"]
    response: ResponseConfig | None = None


class ResponseCancel(_ClientEvent):
    """Stops the answer under way."""

    type: Literal["response.cancel"]
    response_id: str | None = None


class OutputClear(_ClientEvent):
    """Stops the answer under way."""

    type: Literal["output_audio_buffer.clear"]


class Ping(_ClientEvent):
    """Tells that the client is alive."""

    type: Literal["avatar.ping"]


class WatchingForbid(_ClientEvent):
    """The person does not want to be watched in this call."""

    type: Literal["avatar.watching.forbid"]


class FaceUpdate(_ClientEvent):
    """Asks who draws the face."""

    type: Literal["avatar.face.update"]
    mode: FaceMode
    automatic: bool = False
    reason: Literal["chosen", "network", "drawing", "recovered"] = "chosen"


ClientEvent = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
    | OutputClear
    | Ping
    | FaceUpdate
    | WatchingForbid
)

_client_event: TypeAdapter[ClientEvent] = TypeAdapter(
    Annotated[ClientEvent, Field(discriminator="type")]
)


def parse_client_event(message: str) -> ClientEvent:
    """Read one message of a client.

    Raises:
        ValidationError: It is not JSON, or no event that we know, or malformed.
    """
    return _client_event.validate_json(message)


def event_id_of(message: str) -> str | None:
    """What a malformed message calls itself, if it says so."""
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        return None
    name = event.get("event_id") if isinstance(event, dict) else None
    return name[:512] if isinstance(name, str) else None
