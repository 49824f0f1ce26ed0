"""What the server sends, in the shapes of OpenAI's API reference, "Realtime"."""

from typing import Any, Literal

from avatar.protocol.events.avatar import Avatar
from avatar.protocol.events.base import ServerEvent, Wire
from avatar.protocol.events.items import AnswerPart, Item

Json = dict[str, Any]


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
    audio: Json | None = None
    metadata: dict[str, str] | None = None
    max_output_tokens: Literal["inf"] = "inf"
    usage: Usage | None = None


class Session(Wire):
    """The session as it stands."""

    type: Literal["realtime"] = "realtime"
    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str
    instructions: str
    output_modalities: tuple[str, ...]
    audio: Json
    tools: tuple[Json, ...] = ()
    tool_choice: str | Json = "auto"
    max_output_tokens: Literal["inf"] = "inf"
    truncation: Literal["auto"] = "auto"
    avatar: Avatar


class SessionCreated(ServerEvent):
    """The channel is open."""

    type: Literal["session.created"] = "session.created"
    session: Session


class SessionUpdated(ServerEvent):
    """The session has changed."""

    type: Literal["session.updated"] = "session.updated"
    session: Session


class SpeechStarted(ServerEvent):
    """The person started to speak."""

    type: Literal["input_audio_buffer.speech_started"] = "input_audio_buffer.speech_started"
    item_id: str
    audio_start_ms: int


class SpeechStopped(ServerEvent):
    """The person's turn is over."""

    type: Literal["input_audio_buffer.speech_stopped"] = "input_audio_buffer.speech_stopped"
    item_id: str
    audio_end_ms: int


class Committed(ServerEvent):
    """The person's turn becomes a message."""

    type: Literal["input_audio_buffer.committed"] = "input_audio_buffer.committed"
    item_id: str
    previous_item_id: str | None


class Cleared(ServerEvent):
    """What was appended is forgotten."""

    type: Literal["input_audio_buffer.cleared"] = "input_audio_buffer.cleared"


class ItemAdded(ServerEvent):
    """An item joins the conversation."""

    type: Literal["conversation.item.added"] = "conversation.item.added"
    previous_item_id: str | None
    item: Item


class ItemDone(ServerEvent):
    """An item is complete."""

    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None
    item: Item


class ItemRetrieved(ServerEvent):
    """How an item stands."""

    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: Item


class ItemDeleted(ServerEvent):
    """An item is out of the conversation."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str


class ItemTruncated(ServerEvent):
    """The avatar's message was cut to what was heard.

    Attributes:
        avatar_heard: Which words; absent if the client said how much it was.
    """

    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    item_id: str
    content_index: int = 0
    audio_end_ms: int
    avatar_heard: str | None = None


class TranscriptCompleted(ServerEvent):
    """The person's words, final."""

    type: Literal["conversation.item.input_audio_transcription.completed"] = (
        "conversation.item.input_audio_transcription.completed"
    )
    item_id: str
    content_index: int = 0
    transcript: str
    usage: dict[str, str | float]


class TranscriptFailed(ServerEvent):
    """The person's words could not be recognised."""

    type: Literal["conversation.item.input_audio_transcription.failed"] = (
        "conversation.item.input_audio_transcription.failed"
    )
    item_id: str
    content_index: int = 0
    error: dict[str, str]


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


class ErrorBody(Wire):
    """What went wrong."""

    type: Literal["invalid_request_error", "server_error"]
    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


class ErrorEvent(ServerEvent):
    """Something failed; the call goes on unless it says otherwise."""

    type: Literal["error"] = "error"
    error: ErrorBody
