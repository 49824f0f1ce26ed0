"""What a recorded call is: a folder of four files, each only ever appended to.

    call.json         `Header`: what the call was, written before anything else
    microphone.flac   the person's voice, 16 kHz mono, lossless
    arrivals.csv      when each frame of it came, and its place in the microphone's stream
    events.jsonl      `Entry` by `Entry`: what client, server, listener and conversation said

Times are seconds on the event loop's clock since the call began.
"""

import json
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from speech.errors import PresenciaError
from speech.types import Language, Message

FORMAT: Literal["presencia-call"] = "presencia-call"
VERSION = 1

HEADER_FILE = "call.json"
AUDIO_FILE = "microphone.flac"
ARRIVALS_FILE = "arrivals.csv"
EVENTS_FILE = "events.jsonl"

Source = Literal["client", "server", "listener", "conversation", "session"]
"""Who said it: the wire's two ends; the listener, to the conversation; the conversation, to
whatever tells the client; the session, about the recording itself."""
Clock = Literal["real", "virtual"]
SOURCES: tuple[Source, ...] = get_args(Source)

ENDING = "ending"
"""Type of the session's entry where the call begins to end: what follows is its aftermath."""

SOUND = frozenset({"input_audio_buffer.append", "response.output_audio.delta"})
"""Messages that are sound alone: none is an `Entry`. The person's is in `AUDIO_FILE`."""

_STARTED = "%Y%m%dT%H%M%SZ"


class CallRecordingError(PresenciaError):
    """A recording can't be read. Not retryable."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the avatar remembers of the conversation when it ends."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """Where a turn ends that the client, which sends sound in messages, has just said is over.

    Attributes:
        at_sample: In the microphone's stream, at 16 kHz. The listener may not have come so far.
    """

    at_sample: int


class Header(BaseModel):
    """What a call was.

    Attributes:
        format: Always `FORMAT`.
        version: Of the format; readers refuse a newer one.
        source: Whether a person called, or a recording or a recipe was played again.
        clock: `virtual` if time was made up, and with it latency.
        call_id: Its public name.
        started: Wall-clock time, UTC.
        language: To begin with.
        session: What the client asked for, as in its session request.
        takes_video: Whether the client took video.
        settings: Those that shape a conversation, without addresses and secrets.
        versions: Of Presencia, Python, the packages that compute, and the list of models.
        machine: What it ran on.
        seeds: Of whatever was random.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["presencia-call"] = FORMAT
    version: int = Field(VERSION, ge=1)
    source: Literal["call", "replay"] = "call"
    clock: Clock = "real"
    call_id: str
    started: AwareDatetime
    language: Language
    session: dict[str, JsonValue]
    takes_video: bool = True
    settings: dict[str, JsonValue]
    versions: dict[str, str]
    machine: dict[str, JsonValue]
    seeds: dict[str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a call.

    Attributes:
        at_s: When, since the call began.
        source: Who said it.
        type: The wire's event type, or the name of the event's class.
        body: Its fields. Loop times among them (`zero_s`, and names that end in `_at_s`) count
            from the call's beginning too.
        mic_sample: Samples of the microphone that had come, at 16 kHz.
        played_sample: Samples of the avatar's sound that had left, at 48 kHz.
    """

    at_s: float
    source: Source
    type: str
    body: dict[str, Any]
    mic_sample: int
    played_sample: int


def folder_name(header: Header) -> str:
    """The name of a call's folder: when it began, and which call it is."""
    return f"{header.started:{_STARTED}}_{header.call_id}"


def began(name: str) -> datetime | None:
    """When the call began whose folder has this name; None if it is no recording's."""
    started, _, call_id = name.partition("_")
    try:
        return datetime.strptime(started, _STARTED).replace(tzinfo=UTC) if call_id else None
    except ValueError:
        return None


def entry_of(
    event: object, *, source: Source, at_s: float, began_s: float, mic: int, played: int
) -> Entry:
    """Put an event of any kind into an entry.

    Args:
        event: A dataclass, or a wire message as JSON text.
        source: Who said it.
        at_s: When, since the call began.
        began_s: Loop time of the beginning.
        mic: Samples of the microphone that have come.
        played: Samples of the avatar's sound that have left.
    """
    if isinstance(event, str):
        body = _parsed(event)
        type_ = str(body.pop("type", ""))
    elif is_dataclass(event) and not isinstance(event, type):
        type_ = type(event).__name__
        body = {
            name: round(value - began_s, 6)
            if (name == "zero_s" or name.endswith("_at_s")) and isinstance(value, float)
            else value
            for name, value in asdict(event).items()
        }
    else:
        raise TypeError(f"an event is a dataclass or JSON text, not {type(event).__name__}")
    return Entry(round(at_s, 6), source, type_, body, mic, played)


def line_of(entry: Entry) -> str:
    """One line of `EVENTS_FILE`."""
    return json.dumps(asdict(entry), ensure_ascii=False, default=str) + "\n"


def parse_line(line: str) -> Entry:
    """Read one line of `EVENTS_FILE`.

    Raises:
        ValueError: It is no entry.
    """
    try:
        entry = Entry(**json.loads(line))
        numbers = (entry.at_s, entry.mic_sample, entry.played_sample)
        if entry.source not in SOURCES or not isinstance(entry.body, dict):
            raise ValueError("unknown source, or no body")
        if not all(isinstance(number, int | float) for number in numbers):
            raise ValueError("a place in time is no number")
    except TypeError as error:
        raise ValueError(str(error)) from None
    return entry


def _parsed(message: str) -> dict[str, Any]:
    """A wire message's fields; whatever a client sent that is no JSON object is kept as text."""
    try:
        body = json.loads(message)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"type": "malformed", "text": message}
