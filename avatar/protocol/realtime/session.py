"""The session as a client sees it: what it asked for, and what it gets."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from avatar.commands import Configure
from avatar.protocol import events as wire
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime.refusal import Refusal
from avatar.tools import checked
from avatar.turn_taking import TurnTaking
from speech.errors import ToolError
from speech.types import Language, NamedTool, Tool, ToolChoice

MODEL = "presencia"
VOICE = "presencia"

_OPENAI_VOICES = frozenset(
    ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
)
"""Taken for the voice that there is: clients name one by habit."""

# Silence after a whole sentence, at least, and else. What is no question or short answer is whole
# only once its words are judged: about 280 ms after it in English, 680 in Spanish.
_PATIENCE_MS = {"high": (200, 700), "low": (500, 2200)}
_DEFAULT_VAD = wire.SemanticVad()


@dataclass(slots=True)
class SessionState:
    """What is in force.

    Attributes:
        language: Of the conversation.
        instructions: Of the client.
        modality: Whether answers are spoken or written.
        input_format: Of the client's audio, in events.
        output_format: Of ours.
        turn_detection: None leaves the end of a turn to the client.
        transcribes: Whether the client wants the person's words.
        tools: The client's.
        tool_choice: Whether they are to be called.
    """

    language: Language
    instructions: str
    modality: wire.Modality = "audio"
    input_format: wire.AudioFormat = field(default_factory=wire.AudioFormat)
    output_format: wire.AudioFormat = field(default_factory=wire.AudioFormat)
    turn_detection: wire.ServerVad | wire.SemanticVad | None = _DEFAULT_VAD
    transcribes: bool = True
    tools: tuple[wire.FunctionTool, ...] = ()
    tool_choice: wire.ToolChoice = "auto"

    def apply(self, config: wire.SessionConfig) -> Configure:
        """Take what a client asks for; what the conversation has to be told of it.

        Raises:
            Refusal: A tool is none; nothing was taken.
        """
        given, heard, said = config.model_fields_set, config.input, config.output
        tools = offered(config.tools or ()) if "tools" in given else None
        if config.language is not None:
            self.language = config.language
        if config.instructions is not None:
            self.instructions = config.instructions
        if config.output_modalities is not None:
            self.modality = config.output_modalities[0]
        self.input_format = heard.format or self.input_format
        self.output_format = said.format or self.output_format
        if "transcription" in heard.model_fields_set:
            self.transcribes = heard.transcription is not None
        turns = None
        if "turn_detection" in heard.model_fields_set:
            self.turn_detection = heard.turn_detection
            turns = turn_taking(heard.turn_detection)
        if "tools" in given:
            self.tools = tuple(config.tools or ())
        if config.tool_choice is not None:
            self.tool_choice = config.tool_choice
        return Configure(
            language=config.language,
            instructions=config.instructions,
            tools=tools,
            tool_choice=chosen(config.tool_choice) if config.tool_choice is not None else None,
            turn_taking=turns,
            speaks=None if config.output_modalities is None else self.modality == "audio",
        )

    def shown(self, doors: Doors) -> wire.Session:
        """All that is in force, as the client is told."""
        transcription = {"model": MODEL, "language": self.language} if self.transcribes else None
        detection = self.turn_detection
        audio = {
            "input": {
                "format": _format(self.input_format),
                "noise_reduction": None,
                "transcription": transcription,
                "turn_detection": detection and detection.model_dump(exclude_none=True),
            },
            "output": {"format": _format(self.output_format), "voice": VOICE, "speed": 1.0},
        }
        choice = self.tool_choice
        return wire.Session(
            id=doors.call_id,
            model=MODEL,
            instructions=self.instructions,
            output_modalities=(self.modality,),
            audio=audio,
            tools=tuple(tool.model_dump(exclude_none=True) for tool in self.tools),
            tool_choice=choice if isinstance(choice, str) else choice.model_dump(),
            avatar=_avatar(doors),
        )


def call_config(config: wire.SessionConfig) -> CallConfig:
    """What a client asks for, tools and turns included, in no protocol's words."""
    told = SessionState("en", "").apply(config)
    return CallConfig(
        language=told.language,
        instructions=told.instructions,
        recording=config.recording,
        tools=told.tools,
        tool_choice=told.tool_choice,
        turn_taking=told.turn_taking,
        speaks=told.speaks,
    )


def offered(tools: Iterable[wire.FunctionTool]) -> tuple[Tool, ...]:
    """The client's functions in no protocol's words.

    Raises:
        Refusal: One is no function that can be called.
    """
    try:
        return checked(
            [
                Tool(tool.name, tool.description or "", tool.parameters or {"type": "object"})
                for tool in tools
            ]
        )
    except ToolError as error:
        raise Refusal("invalid_value", str(error), "session.tools") from error


def chosen(choice: wire.ToolChoice) -> ToolChoice:
    """The same of their choice."""
    return choice if isinstance(choice, str) else NamedTool(choice.name)


def turn_taking(detection: wire.ServerVad | wire.SemanticVad | None) -> TurnTaking:
    """The same of who says that a turn is over."""
    if detection is None:
        return TurnTaking(by_client=True, answers=False)
    rules = {"answers": detection.create_response, "interrupts": detection.interrupt_response}
    if isinstance(detection, wire.SemanticVad):
        end_ms, patient_ms = _PATIENCE_MS.get(detection.eagerness, (None, None))
        return TurnTaking(**rules, end_silence_ms=end_ms, patient_silence_ms=patient_ms)
    silence_ms = detection.silence_duration_ms  # silence alone is asked for: it ends every turn
    return TurnTaking(
        **rules,
        end_silence_ms=silence_ms,
        patient_silence_ms=silence_ms,
        threshold=detection.threshold,
        pre_roll_ms=detection.prefix_padding_ms,
    )


def unavailable(config: wire.SessionConfig) -> list[tuple[str, str]]:
    """What is asked for, known to the API, and not to be had here: the field, and why."""
    heard, said = config.input, config.output
    transcription, detection = heard.transcription, heard.turn_detection
    voice = said.voice
    asked = {
        "session.audio.input.noise_reduction": (
            heard.noise_reduction is not None,
            "there is no noise reduction; leave that to the client",
        ),
        "session.audio.input.transcription.prompt": (
            transcription is not None and transcription.prompt,
            "the recogniser takes no prompt",
        ),
        "session.audio.input.turn_detection.idle_timeout_ms": (
            isinstance(detection, wire.ServerVad) and detection.idle_timeout_ms is not None,
            "the avatar doesn't speak up by itself",
        ),
        "session.audio.output.voice": (
            voice is not None and voice not in (VOICE, *_OPENAI_VOICES),
            f"there is one voice, {VOICE!r}; OpenAI's names are taken for it",
        ),
        "session.audio.output.speed": (
            said.speed not in (None, 1),
            "the voice has one speed, 1.0",
        ),
        "session.max_output_tokens": (
            isinstance(config.max_output_tokens, int),
            "the server's settings limit answers (llm.max_reply_tokens)",
        ),
        "session.truncation": (
            config.truncation not in (None, "auto"),
            "the oldest turns are left out when they no longer fit: 'auto'",
        ),
        "session.include": (bool(config.include), "the recogniser gives no log probabilities"),
        "session.prompt": (config.prompt is not None, "no prompts are stored; use instructions"),
        "session.reasoning": (config.reasoning is not None, "the model doesn't reason"),
    }
    return [(field, why) for field, (is_asked, why) in asked.items() if is_asked]


def _avatar(doors: Doors) -> wire.Avatar:
    made = doors.resume()
    return wire.Avatar(
        face=wire.Face(name=doors.face.name, url=doors.face.url),
        recording=doors.recorded(),
        resumed=doors.resumed or None,
        resume=wire.Resume(token=made.token, expires_in_s=made.expires_in_s) if made else None,
    )


def _format(audio: wire.AudioFormat) -> dict[str, str | int]:
    return (
        {"type": audio.type, "rate": 24_000} if audio.type == "audio/pcm" else {"type": audio.type}
    )
