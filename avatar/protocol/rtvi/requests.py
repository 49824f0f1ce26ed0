"""The bodies of SmallWebRTC's HTTP requests."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from avatar.protocol.config import CallConfig
from avatar.tools import Tool, checked
from speech.errors import ToolError
from speech.types import Language

MOST_CANDIDATES = 64
_ID = Annotated[str, StringConstraints(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ToolDeclaration(_Body):
    """A tool that the client runs, as OpenAI Realtime declares one."""

    type: Literal["function"] = "function"
    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object"})


class Wishes(BaseModel):
    """How the client wants the call to be: `requestData`, or `body` of `/start`.

    RTVI leaves both to the bot; this is what ours understands.

    Attributes:
        language: Of the conversation.
        instructions: Added to the persona's.
        recording: The person's consent to being recorded.
        tools: That the client runs.
        shows_watchers: Whether the client shows the person how many watch (`avatar.watched`), and
            lets them forbid it. Nobody may watch before.
    """

    # A misspelt wish would be dropped in silence.
    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language | None = None
    instructions: Annotated[str, StringConstraints(max_length=16_000)] | None = None
    recording: bool | None = None
    tools: tuple[ToolDeclaration, ...] = ()
    shows_watchers: bool | None = None

    @field_validator("tools")
    @classmethod
    def _can_be_taken(cls, tools: tuple[ToolDeclaration, ...]) -> tuple[ToolDeclaration, ...]:
        try:
            checked(_tools(tools))
        except ToolError as error:
            raise ValueError(str(error)) from error
        return tools

    @property
    def call_config(self) -> CallConfig:
        """The same in no protocol's words, without the tools."""
        return CallConfig(
            language=self.language, instructions=self.instructions, recording=self.recording
        )

    @property
    def client_tools(self) -> tuple[Tool, ...]:
        """The tools."""
        return _tools(self.tools)


def _tools(declared: tuple[ToolDeclaration, ...]) -> tuple[Tool, ...]:
    return tuple(Tool(tool.name, tool.description, tool.parameters) for tool in declared)


class OfferRequest(_Body):
    """`POST /api/offer`.

    Attributes:
        sdp: The offer.
        pc_id: Of the call that it is for; None begins one.
        restart_pc: Whether the call goes on over a new connection.
        wishes: How the call is to be; only where it begins.
    """

    sdp: str
    type: Literal["offer"] = "offer"
    pc_id: _ID | None = None
    restart_pc: bool = False
    wishes: Wishes | None = Field(None, alias="requestData")


class Candidate(_Body):
    """One ICE candidate, as `RTCIceCandidate` has it."""

    candidate: str


class CandidatesRequest(_Body):
    """`PATCH /api/offer`: the addresses that the client found after its offer."""

    pc_id: _ID
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=MOST_CANDIDATES)]


class StartRequest(_Body):
    """`POST /start`.

    Attributes:
        transport: Must be WebRTC.
        body: How the call is to be.
    """

    transport: Literal["webrtc"] = "webrtc"
    body: Wishes | None = None
