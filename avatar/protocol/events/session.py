"""What a client may ask of a session."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from avatar.protocol.config import CallConfig
from avatar.protocol.events.base import Asked
from speech.types import Language

MAX_TEXT_CHARS = 4000

Modality = Literal["audio", "text"]
Instructions = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]


class AudioFormat(Asked):
    """How audio is coded in events; over WebRTC it is Opus in any case.

    Attributes:
        type: PCM is 16 bit, little-endian, mono, 24 kHz; the others are G.711 at 8 kHz.
        rate: Of PCM, in Hz.
    """

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: Literal[24000] | None = None

    @model_validator(mode="after")
    def _rate_is_of_pcm(self) -> "AudioFormat":
        if self.rate is not None and self.type != "audio/pcm":
            raise ValueError("only audio/pcm has a rate")
        return self


class NoiseReduction(Asked):
    """Not available here."""

    type: Literal["near_field", "far_field"]


class Transcription(Asked):
    """How the person's speech is written down.

    Attributes:
        model: Any name is taken for the server's own recogniser.
        language: That the person speaks.
        prompt: Not available here.
    """

    model: str | None = None
    language: Language | None = None
    prompt: str | None = None


class ServerVad(Asked):
    """The server finds the end of a turn.

    Attributes:
        threshold: Probability from which a sound is speech.
        prefix_padding_ms: Sound kept from before the first speech.
        silence_duration_ms: Silence after what sounds like a whole sentence.
        idle_timeout_ms: Not available here.
        create_response: Whether a turn is answered unasked.
        interrupt_response: Whether speech stops the answer.
    """

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0, le=5000)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=100, le=5000)] | None = None
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Asked):
    """The server finds the end of a turn by what is said, too.

    Attributes:
        eagerness: How soon a pause is the end.
        create_response: Whether a turn is answered unasked.
        interrupt_response: Whether speech stops the answer.
    """

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class AudioInput(Asked):
    """The person's audio. None in `turn_detection` leaves the end of a turn to the client."""

    format: AudioFormat | None = None
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class VoiceId(Asked):
    """A voice of the client's own; not available here."""

    id: str


class AudioOutput(Asked):
    """The avatar's audio."""

    format: AudioFormat | None = None
    voice: str | VoiceId | None = None
    speed: Annotated[float, Field(ge=0.25, le=1.5)] | None = None


class Audio(Asked):
    """Audio settings."""

    input: AudioInput | None = None
    output: AudioOutput | None = None


class FunctionTool(Asked):
    """A function that the client runs."""

    type: Literal["function"] = "function"
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class NamedFunction(Asked):
    """The function that must be called."""

    type: Literal["function"]
    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedFunction


class AvatarConfig(Asked):
    """What a client may say about the avatar's call.

    Attributes:
        recording: The person's consent to being recorded. It counts where the call begins, that is
            before anything was said; later it can only be withdrawn.
        resume_token: Goes on with a call that was lost. Where the call begins only.
        queue: Waits in line if every place is taken. Where the call begins only.
        ticket: From the line. Where the call begins only.
        shows_watchers: Whether the client shows the person how many watch (`avatar.watched`), and
            lets them forbid it. Nobody may watch before.
    """

    recording: bool | None = None
    resume_token: str | None = None
    queue: bool | None = None
    ticket: str | None = None
    shows_watchers: bool | None = None


class SessionConfig(Asked):
    """The part of a session that a client may change. What isn't given stays as it is."""

    type: Literal["realtime"] = "realtime"
    model: str | None = None
    instructions: Instructions | None = None
    output_modalities: Annotated[list[Modality], Field(min_length=1, max_length=1)] | None = None
    audio: Audio | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] | None = None
    truncation: Literal["auto", "disabled"] | dict[str, Any] | None = None
    include: list[Literal["item.input_audio_transcription.logprobs"]] | None = None
    prompt: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    tracing: Literal["auto"] | dict[str, Any] | None = None
    avatar: AvatarConfig | None = None

    @property
    def input(self) -> AudioInput:
        """The person's audio, as far as something is said about it."""
        return (self.audio and self.audio.input) or AudioInput()

    @property
    def output(self) -> AudioOutput:
        """The avatar's audio, as far as something is said about it."""
        return (self.audio and self.audio.output) or AudioOutput()

    @property
    def language(self) -> Language | None:
        """The language asked for, if any."""
        transcription = self.input.transcription
        return transcription.language if transcription else None

    @property
    def recording(self) -> bool | None:
        """Whether the person consents to being recorded; None if nothing is said about it."""
        return self.avatar.recording if self.avatar else None

    @property
    def shows_watchers(self) -> bool | None:
        """Whether the client shows who watches; None if nothing is said about it."""
        return self.avatar.shows_watchers if self.avatar else None

    def call_config(self) -> CallConfig:
        """The same in no protocol's words."""
        return CallConfig(
            language=self.language, instructions=self.instructions, recording=self.recording
        )
