"""RTVI's messages, as Pipecat's clients send and read them.

Source of the shapes: the RTVI standard (https://docs.pipecat.ai/client/rtvi-standard) and the
types of npm `@pipecat-ai/client-js` 1.13. docs/rtvi.md says when each is sent.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from avatar.events import FaceMode, FaceReason

VERSION = "2.2.0"
"""Of RTVI, that we speak. Clients compare the first number."""

MAX_TEXT_CHARS = 4000

_Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]
_Name = Annotated[str, StringConstraints(max_length=200)]


class _Wire(BaseModel):
    # RTVI grows by fields; a client may send some that we do not know.
    model_config = ConfigDict(extra="ignore", frozen=True)


# --- what a client sends -------------------------------------------------------------------


class Incoming(_Wire):
    """A client's message; `data` is checked when `type` is known."""

    label: Literal["rtvi-ai"]
    type: _Name
    id: _Name
    data: dict[str, Any] | None = None


class ClientReady(_Wire):
    """`client-ready`: the client can take events."""

    version: _Name = ""


class SendTextOptions(_Wire):
    """How a text is to be taken."""

    run_immediately: bool = True
    audio_response: bool = True


class SendText(_Wire):
    """`send-text`: the person typed something."""

    content: _Text
    options: SendTextOptions = SendTextOptions()


class AppendToContext(_Wire):
    """`append-to-context`: the older name of the same."""

    role: Literal["user"]
    content: _Text
    run_immediately: bool = False


class FunctionCallResult(_Wire):
    """`llm-function-call-result`: what came of a tool that the client ran."""

    function_name: _Name
    tool_call_id: _Name
    result: Any = None


class ClientMessage(_Wire):
    """`client-message`: a request of the application's own."""

    t: _Name
    d: Any = None


class FaceWish(_Wire):
    """Data of the `client-message` `avatar.face.update`: who is to draw the face."""

    mode: FaceMode
    automatic: bool = False
    reason: FaceReason = "chosen"


# --- what the server sends -----------------------------------------------------------------


class BotReady(_Wire):
    """Data of `bot-ready`."""

    version: str
    about: dict[str, str]
    capabilities: dict[str, bool]


class Transcript(_Wire):
    """Data of `user-transcription`."""

    text: str
    final: bool
    timestamp: str
    user_id: str = ""


InputKind = Literal["transcription", "chat", "backchannel"]


class UserInput(_Wire):
    """Data of `user-input`: what the person said or typed."""

    text: str
    input_type: InputKind
    final: bool
    timestamp: str


class Text(_Wire):
    """Data of `user-llm-text`, `bot-llm-text`, `bot-tts-text` and `bot-transcription`."""

    text: str


class Progress(_Wire):
    """How far a segment has been spoken."""

    accumulated_text: str
    remaining_text: str


SpokenStatus = Literal["new", "in-progress", "completed"]


class BotOutput(_Wire):
    """Data of `bot-output`: a clause, and how far it has been spoken.

    `spoken` is for clients of RTVI 1, `aggregated_by` and `text_type` for those before 2.2.
    """

    text: str
    segment_id: int
    spoken_status: SpokenStatus
    spoken_progress: Progress
    spoken: bool
    will_be_spoken: Literal[True] = True
    output_type: Literal["sentence"] = "sentence"
    text_type: Literal["sentence"] = "sentence"
    aggregated_by: Literal["sentence"] = "sentence"


class FunctionCallStarted(_Wire):
    """Data of `llm-function-call-started`."""

    function_name: str


class FunctionCallInProgress(_Wire):
    """Data of `llm-function-call-in-progress`: the client runs the tool."""

    function_name: str
    tool_call_id: str
    arguments: dict[str, Any]


class FunctionCallStopped(_Wire):
    """Data of `llm-function-call-stopped`."""

    function_name: str
    tool_call_id: str
    cancelled: bool
    result: Any = None


class Metric(_Wire):
    """One measurement, in seconds."""

    processor: str
    value: float


class Metrics(_Wire):
    """Data of `metrics`: when each stage's first output came after its own beginning."""

    ttfb: tuple[Metric, ...]


class Error(_Wire):
    """Data of `error` and `error-response`; `message` is the older name."""

    error: str
    message: str
    fatal: bool = False


class ServerResponse(_Wire):
    """Data of `server-response`: the answer to a `client-message`."""

    t: str
    d: Any = None


class Result(_Wire):
    """Data of `append-to-context-result`."""

    result: str


class Ours(BaseModel):
    """Data of `server-message`: an event that RTVI has no word for.

    Attributes:
        type: As `avatar.state`; the other fields are those of docs/protocol.md.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str


OutgoingType = Literal[
    "bot-ready",
    "error",
    "error-response",
    "server-message",
    "server-response",
    "metrics",
    "user-started-speaking",
    "user-stopped-speaking",
    "user-transcription",
    "user-input",
    "user-llm-text",
    "bot-llm-started",
    "bot-llm-text",
    "bot-llm-stopped",
    "bot-tts-started",
    "bot-tts-text",
    "bot-tts-stopped",
    "bot-started-speaking",
    "bot-stopped-speaking",
    "bot-interrupted",
    "bot-output",
    "bot-transcription",
    "llm-function-call-started",
    "llm-function-call-in-progress",
    "llm-function-call-stopped",
    "append-to-context-result",
]


class Outgoing(_Wire):
    """A message to the client."""

    type: OutgoingType
    id: str
    data: Any = None
    label: Literal["rtvi-ai"] = "rtvi-ai"


class TrackStatus(_Wire):
    """The client's track was switched on or off; silence says so too."""

    type: Literal["trackStatus"]
    receiver_index: int
    enabled: bool


class Signalling(_Wire):
    """SmallWebRTC's own message beside RTVI's."""

    type: Literal["signalling"]
    message: TrackStatus


PEER_LEFT = '{"type":"signalling","message":{"type":"peerLeft"}}'
"""Tells the client that the bot is gone; without it a client dials again."""


def explain(error: ValidationError) -> str:
    """What is wrong with a message, in one line for a person."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}." if place else f"{first['msg']}."
