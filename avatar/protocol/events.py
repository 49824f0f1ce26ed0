"""Events of the data channel, in the shapes of the OpenAI Realtime API (GA).

docs/protocol.md says when each is sent. Source of the shapes: OpenAI's API reference, "Realtime";
what it lacks is ours and named `avatar.*`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from avatar.events import FaceMode, FaceReason, ResumeReason, new_id
from avatar.latency import Action
from avatar.protocol.config import CallConfig
from render.types import FaceState
from speech.types import Language

MAX_TEXT_CHARS = 4000


class _Wire(BaseModel):
    # Clients of the full API send fields that we do not have yet; they are ignored.
    model_config = ConfigDict(extra="ignore", frozen=True)


# --- what a client sends -------------------------------------------------------------------


class Transcription(_Wire):
    """How the person's speech is recognised."""

    language: Language | None = None


class AudioInput(_Wire):
    """The person's audio."""

    transcription: Transcription | None = None


class Audio(_Wire):
    """Audio settings."""

    input: AudioInput | None = None


class AvatarConfig(_Wire):
    """What a client may say about the avatar's call.

    Attributes:
        recording: The person's consent to being recorded. It counts where the call begins; later
            it can only be withdrawn.
        resume_token: Goes on with a call that was lost. Where the call begins only.
        queue: Waits in line if every place is taken. Where the call begins only.
        ticket: From the line. Where the call begins only.
    """

    recording: bool | None = None
    resume_token: str | None = None
    queue: bool | None = None
    ticket: str | None = None


class SessionConfig(_Wire):
    """The part of a session that a client may change."""

    type: Literal["realtime"] = "realtime"
    instructions: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)] | None = None
    audio: Audio | None = None
    avatar: AvatarConfig | None = None

    @property
    def language(self) -> Language | None:
        """The language asked for, if any."""
        if self.audio and self.audio.input and self.audio.input.transcription:
            return self.audio.input.transcription.language
        return None

    @property
    def recording(self) -> bool | None:
        """Whether the person consents to being recorded; None if nothing is said about it."""
        return self.avatar.recording if self.avatar else None

    def call_config(self) -> CallConfig:
        """The same in no protocol's words."""
        return CallConfig(
            language=self.language, instructions=self.instructions, recording=self.recording
        )


class _ClientEvent(_Wire):
    event_id: str | None = None


class SessionUpdate(_ClientEvent):
    """Changes the session."""

    type: Literal["session.update"]
    session: SessionConfig


class InputText(_Wire):
    """Typed words."""

    type: Literal["input_text"]
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS)
    ]


class UserMessage(_Wire):
    """A typed message."""

    type: Literal["message"]
    role: Literal["user"]
    content: Annotated[list[InputText], Field(min_length=1, max_length=16)]


class ItemCreate(_ClientEvent):
    """Adds a typed message to the conversation."""

    type: Literal["conversation.item.create"]
    item: UserMessage


class ResponseCreate(_ClientEvent):
    """Asks for an answer."""

    type: Literal["response.create"]


class ResponseCancel(_ClientEvent):
    """Stops the answer under way."""

    type: Literal["response.cancel"]
    response_id: str | None = None


class OutputClear(_ClientEvent):
    """Stops the answer under way."""

    type: Literal["output_audio_buffer.clear"]


class InputClear(_ClientEvent):
    """Forgets the utterance under way."""

    type: Literal["input_audio_buffer.clear"]


class Ping(_ClientEvent):
    """Tells that the client is alive."""

    type: Literal["avatar.ping"]


class FaceUpdate(_ClientEvent):
    """Asks who draws the face."""

    type: Literal["avatar.face.update"]
    mode: FaceMode
    automatic: bool = False
    reason: Literal["chosen", "network", "drawing", "recovered"] = "chosen"


ClientEvent = (
    SessionUpdate
    | ItemCreate
    | ResponseCreate
    | ResponseCancel
    | OutputClear
    | InputClear
    | Ping
    | FaceUpdate
)

_client_event: TypeAdapter[ClientEvent] = TypeAdapter(
    Annotated[ClientEvent, Field(discriminator="type")]
)


def parse_client_event(message: str) -> ClientEvent:
    """Read one data-channel message.

    Raises:
        ValidationError: It is not JSON, or no event that we know, or malformed.
    """
    return _client_event.validate_json(message)


def explain(error: ValidationError) -> tuple[str, str | None, str]:
    """(code, param, message) of a malformed event, for `ErrorEvent`."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "union_tag_invalid":
        tag = first["ctx"]["tag"]
        return "unknown_event", "type", f"No event {str(tag)[:80]!r}; see docs/protocol.md."
    if first["type"] in ("json_invalid", "union_tag_not_found", "dict_type"):
        return "invalid_json", None, "An event is one JSON object with a field 'type'."
    # loc[0] is the union's tag, which the sender knows
    param = ".".join(str(part) for part in first["loc"][1:]) or None
    return "invalid_value", param, f"{param or 'event'}: {first['msg']}"


def explain_config(error: ValidationError) -> str:
    """One line about a malformed `SessionConfig`."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ".".join(["session", *(str(part) for part in first["loc"])]) + f": {first['msg']}"


# --- what the server sends -----------------------------------------------------------------


class ServerEvent(_Wire):
    """Base of all that the server sends."""

    event_id: str = Field(default_factory=lambda: new_id("event"))


class Part(_Wire):
    """Content of a message: what was said or typed."""

    type: Literal["input_audio", "input_text", "output_audio"]
    transcript: str | None = None
    text: str | None = None


class Item(_Wire):
    """One message of the conversation."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: Literal["message"] = "message"
    role: Literal["user", "assistant"]
    status: Literal["in_progress", "completed", "incomplete"]
    content: tuple[Part, ...] = ()


class StatusDetails(_Wire):
    """Why a response ended as it did."""

    type: Literal["cancelled", "failed"]
    reason: Literal["turn_detected", "client_cancelled"] | None = None
    error: dict[str, str] | None = None


class Response(_Wire):
    """One answer."""

    id: str
    object: Literal["realtime.response"] = "realtime.response"
    status: Literal["in_progress", "completed", "cancelled", "failed"]
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    usage: dict[str, int] | None = None


class Face(_Wire):
    """The face that a client may draw itself."""

    name: str
    url: str


class Resume(_Wire):
    """What to go on with this call by, should its connection be lost."""

    token: str
    expires_in_s: float


class Avatar(_Wire):
    """Whom the client talks to, whether the call is recorded, and whether it goes on with one."""

    face: Face
    recording: bool = False
    resumed: bool | None = None
    resume: Resume | None = None


class Session(_Wire):
    """The session as it stands."""

    type: Literal["realtime"] = "realtime"
    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str
    instructions: str
    output_modalities: tuple[str, ...] = ("audio",)
    audio: Audio
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


class ItemAdded(ServerEvent):
    """A message joins the conversation."""

    type: Literal["conversation.item.added"] = "conversation.item.added"
    previous_item_id: str | None
    item: Item


class ItemDone(ServerEvent):
    """A message is complete."""

    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None
    item: Item


class ItemTruncated(ServerEvent):
    """A barge-in cut the avatar's message to what was heard."""

    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    item_id: str
    content_index: int = 0
    audio_end_ms: int
    avatar_heard: str


class InterimTranscript(ServerEvent):
    """The person's words so far; replaces the last one."""

    type: Literal["avatar.input_transcript.interim"] = "avatar.input_transcript.interim"
    item_id: str
    text: str


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


class OutputItemAdded(ServerEvent):
    """The answer's message."""

    type: Literal["response.output_item.added"] = "response.output_item.added"
    response_id: str
    output_index: int = 0
    item: Item


class OutputItemDone(ServerEvent):
    """The answer's message is complete."""

    type: Literal["response.output_item.done"] = "response.output_item.done"
    response_id: str
    output_index: int = 0
    item: Item


class _OfPart(ServerEvent):
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


class ContentPartAdded(_OfPart):
    """The answer's spoken content."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    part: Part


class ContentPartDone(_OfPart):
    """The answer's spoken content is complete."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    part: Part


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


class OutputAudioDone(_OfPart):
    """The answer's audio is complete."""

    type: Literal["response.output_audio.done"] = "response.output_audio.done"


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


class ResponseDone(ServerEvent):
    """The answer is over, always its last event."""

    type: Literal["response.done"] = "response.done"
    response: Response


class AvatarState(ServerEvent):
    """What the avatar does now."""

    type: Literal["avatar.state"] = "avatar.state"
    state: FaceState


class AvatarOpener(ServerEvent):
    """A few words begin to be heard because the answer is late. They are no part of it."""

    type: Literal["avatar.opener"] = "avatar.opener"
    response_id: str
    text: str
    duration_ms: int


class AvatarHeld(ServerEvent):
    """The avatar fell silent for a sound of the person; `avatar.resumed` or `response.done`."""

    type: Literal["avatar.held"] = "avatar.held"
    response_id: str


class AvatarResumed(ServerEvent):
    """It goes on, from the beginning of the word where it was held."""

    type: Literal["avatar.resumed"] = "avatar.resumed"
    response_id: str
    reason: ResumeReason


class AvatarTimeline(ServerEvent):
    """How long the answer took, in ms after the last speech sample.

    Attributes:
        rows: When each stage delivered.
        starts: When its own time began.
        targets: What `rows` may be in the median.
        limits: And in 95 turns of 100.
        head_start: By how much the answer was begun before the turn was over.
        opener: When an opener was heard; absent if none was.
        actions: What was done because a row was going to be late.
    """

    type: Literal["avatar.timeline"] = "avatar.timeline"
    response_id: str
    rows: dict[str, int]
    starts: dict[str, int]
    targets: dict[str, int]
    limits: dict[str, int]
    head_start: int = 0
    opener: int | None = None
    actions: tuple[Action, ...] = ()


class FaceUpdated(ServerEvent):
    """Who draws the face from now on."""

    type: Literal["avatar.face.updated"] = "avatar.face.updated"
    mode: FaceMode
    reason: FaceReason
    frame_rate: int


class Pong(ServerEvent):
    """Answers `avatar.ping`."""

    type: Literal["avatar.pong"] = "avatar.pong"


class ErrorBody(_Wire):
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
