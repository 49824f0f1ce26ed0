"""What a client may ask of a Voice Live session, as the official SDKs write it.

Source of the shapes: Microsoft, "Voice Live API reference", RealtimeRequestSession, and the models
of the SDK azure-ai-voicelive 1.3.1. What isn't named here is refused by name.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

_Text = Annotated[str, StringConstraints(max_length=4000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Modality = Literal["text", "audio", "animation", "avatar"]
_Point = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Animation(_Asked):
    """Which of the face's numbers are wanted."""

    model_name: str | None = None
    outputs: tuple[Literal["blendshapes", "viseme_id"], ...] = ("blendshapes",)


class Voice(_Asked):
    """A voice; those of Azure's own models are told apart by their type."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: Literal[
        "openai",
        "azure-standard",
        "azure-realtime-native",
        "azure-custom",
        "azure-personal",
        "avatar-voice-sync",
    ]
    name: _Name | None = None


class EndOfUtterance(_Asked):
    """What tells that a sentence is over."""

    model: str
    threshold_level: Literal["low", "medium", "high", "default"] | None = None
    timeout_ms: float | None = None


class TurnDetection(_Asked):
    """What tells that a turn is over."""

    type: Literal[
        "server_vad",
        "azure_semantic_vad",
        "azure_semantic_vad_en",
        "azure_semantic_vad_multilingual",
    ]
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=0)] | None = None
    speech_duration_ms: Annotated[int, Field(ge=0)] | None = None
    end_of_utterance_detection: EndOfUtterance | None = None
    remove_filler_words: bool | None = None
    languages: tuple[str, ...] | None = None
    auto_truncate: bool | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class NoiseReduction(_Asked):
    """What takes noise out of the microphone."""

    type: Literal["azure_deep_noise_suppression", "near_field", "far_field"]


class EchoCancellation(_Asked):
    """What takes the avatar's own voice out of the microphone."""

    type: Literal["server_echo_cancellation"]
    reference_source: Literal["server", "client"] | None = None
    channels: int | None = None


class Transcription(_Asked):
    """How the person's speech is written down."""

    model: str | None = None
    language: str | None = None
    custom_speech: dict[str, str] | None = None
    phrase_list: tuple[str, ...] | None = None
    prompt: str | None = None


class IceServer(_Asked):
    """One STUN or TURN server."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class Crop(_Asked):
    """A part of the picture, in its pixels."""

    top_left: _Point
    bottom_right: _Point


class Resolution(_Asked):
    """A size in pixels."""

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class Video(_Asked):
    """How the picture is to be."""

    bitrate: Annotated[int, Field(gt=0)] | None = None
    codec: Literal["h264"] | None = None
    crop: Crop | None = None
    resolution: Resolution | None = None
    background: dict[str, JsonValue] | None = None
    gop_size: int | None = None


class Avatar(_Asked):
    """Who is to be seen, and how."""

    type: Literal["video-avatar", "photo-avatar"] | None = None
    ice_servers: tuple[IceServer, ...] | None = None
    character: _Name
    style: str | None = None
    model: str | None = None
    customized: bool = False
    video: Video | None = None
    scene: dict[str, JsonValue] | None = None
    output_protocol: Literal["webrtc", "websocket"] | None = None
    output_audit_audio: bool | None = None
    recording: bool | None = None  # not Azure's: the person's consent


class AskedSession(_Asked):
    """The `session` of a `session.update`."""

    model: str | None = None
    modalities: Annotated[tuple[_Modality, ...], Field(min_length=1)] | None = None
    animation: Animation | None = None
    voice: Voice | _Name | None = None
    instructions: _Text | None = None
    input_audio_sampling_rate: int | None = None
    input_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | None = None
    output_audio_format: (
        Literal["pcm16", "pcm16_8000hz", "pcm16_16000hz", "g711_ulaw", "g711_alaw"] | None
    ) = None
    turn_detection: TurnDetection | None = None
    input_audio_noise_reduction: NoiseReduction | None = None
    input_audio_echo_cancellation: EchoCancellation | None = None
    avatar: Avatar | None = None
    input_audio_transcription: Transcription | None = None
    output_audio_timestamp_types: tuple[Literal["word"], ...] | None = None
    tools: tuple[dict[str, JsonValue], ...] | None = None
    tool_choice: str | dict[str, JsonValue] | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    max_response_output_tokens: int | Literal["inf"] | None = None
    reasoning_effort: str | None = None
    interim_response: dict[str, JsonValue] | None = None
    include: tuple[str, ...] | None = None
    metadata: dict[str, str] | None = None

    @property
    def spoken(self) -> Voice | None:
        """The voice; a bare name is one of OpenAI's."""
        if isinstance(self.voice, str):
            return Voice(type="openai", name=self.voice)
        return self.voice


def explain(error: ValidationError) -> tuple[str, str]:
    """(param, message) of a session that is malformed, for an `error`."""
    first = error.errors(include_url=False, include_input=False)[0]
    param = ".".join(["session", *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        return param, f"{param} is not supported; docs/voice-live.md lists what is."
    return param, f"{param}: {first['msg']}"
