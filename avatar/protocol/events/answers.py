"""What the server sends of its answers, in the shapes of OpenAI's API reference, "Realtime"."""

from typing import Any, Literal

from avatar.protocol.events.base import ServerEvent, Wire
from avatar.protocol.events.items import AnswerPart, Item


class StatusDetails(Wire):
    """Why a response ended as it did."""

    type: Literal["cancelled", "failed"]
    reason: Literal["turn_detected", "client_cancelled"] | None = None
    error: dict[str, str] | None = None


class Usage(Wire):
    """What an answer took, in tokens."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: dict[str, int]
    output_token_details: dict[str, int]


class Response(Wire):
    """One answer."""

    id: str
    object: Literal["realtime.response"] = "realtime.response"
    status: Literal["in_progress", "completed", "cancelled", "failed"]
    status_details: StatusDetails | None = None
    conversation_id: str | None = None
    output: tuple[Item, ...] = ()
    output_modalities: tuple[str, ...] = ("audio",)
    audio: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    max_output_tokens: Literal["inf"] = "inf"
    usage: Usage | None = None


class ResponseCreated(ServerEvent):
    """An answer starts."""

    type: Literal["response.created"] = "response.created"
    response: Response


class ResponseDone(ServerEvent):
    """The answer is over, always its last event."""

    type: Literal["response.done"] = "response.done"
    response: Response


class _OfOutput(ServerEvent):
    response_id: str
    output_index: int = 0


class OutputItemAdded(_OfOutput):
    """The answer's message, or a function call."""

    type: Literal["response.output_item.added"] = "response.output_item.added"
    item: Item


class OutputItemDone(_OfOutput):
    """The answer's message, or a function call, is complete."""

    type: Literal["response.output_item.done"] = "response.output_item.done"
    item: Item


class ArgumentsDelta(_OfOutput):
    """What a function is called with."""

    type: Literal["response.function_call_arguments.delta"] = (
        "response.function_call_arguments.delta"
    )
    item_id: str
    call_id: str
    delta: str


class ArgumentsDone(_OfOutput):
    """What a function is called with, complete."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    item_id: str
    call_id: str
    name: str
    arguments: str


class _OfPart(_OfOutput):
    item_id: str
    content_index: int = 0


class ContentPartAdded(_OfPart):
    """The answer's content."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    part: AnswerPart


class ContentPartDone(_OfPart):
    """The answer's content is complete."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    part: AnswerPart


class TranscriptDelta(_OfPart):
    """A clause starts to be heard."""

    type: Literal["response.output_audio_transcript.delta"] = (
        "response.output_audio_transcript.delta"
    )
    delta: str


class TranscriptDone(_OfPart):
    """All that was heard."""

    type: Literal["response.output_audio_transcript.done"] = "response.output_audio_transcript.done"
    transcript: str


class AudioDelta(_OfPart):
    """Sound of the answer, in the session's output format, base64."""

    type: Literal["response.output_audio.delta"] = "response.output_audio.delta"
    delta: str


class AudioDone(_OfPart):
    """The answer's audio is complete."""

    type: Literal["response.output_audio.done"] = "response.output_audio.done"


class TextDelta(_OfPart):
    """Written words of the answer."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    delta: str


class TextDone(_OfPart):
    """All written words of the answer."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    text: str


class PlayoutStarted(ServerEvent):
    """The answer's first sound leaves."""

    type: Literal["output_audio_buffer.started"] = "output_audio_buffer.started"
    response_id: str


class PlayoutStopped(ServerEvent):
    """The answer was played to its end."""

    type: Literal["output_audio_buffer.stopped"] = "output_audio_buffer.stopped"
    response_id: str


class PlayoutCleared(ServerEvent):
    """The answer was cut."""

    type: Literal["output_audio_buffer.cleared"] = "output_audio_buffer.cleared"
    response_id: str
