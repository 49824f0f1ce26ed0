"""Reads recorded calls, and refuses those that can't be trusted."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from avatar.recording.format import (
    ARRIVALS_FILE,
    AUDIO_FILE,
    ENDING,
    EVENTS_FILE,
    FORMAT,
    HEADER_FILE,
    VERSION,
    CallRecordingError,
    Entry,
    Header,
    parse_line,
)
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame of the microphone, and when it came, in seconds since the call began."""

    at_s: float
    frame: AudioFrame


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call as it was.

    Attributes:
        folder: Where it is.
        header: What it was.
        arrivals: The person's voice, in order.
        entries: Everything that was said, in order; without the aftermath of the call's end.
        cut_off: Whether the recording breaks off: the server was killed, or stopped recording.
    """

    folder: Path
    header: Header
    # Not in the repr: asyncio makes one of whatever its main task returns, and of these it takes
    # longer than the call.
    arrivals: tuple[Arrival, ...] = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    cut_off: bool

    @property
    def length_s(self) -> float:
        """From the beginning to the last thing recorded, in seconds."""
        last = [self.arrivals[-1].at_s] if self.arrivals else []
        return max([*last, *(entry.at_s for entry in self.entries)], default=0.0)


def read_call(folder: Path) -> RecordedCall:
    """Read a recording, also one that breaks off.

    Raises:
        CallRecordingError: It is none, or damaged, or of a newer format.
    """
    header = read_header(folder)
    lines, events_broken = _lines(folder / EVENTS_FILE)
    entries = tuple(_entry(folder, number, line) for number, line in enumerate(lines, 1))
    ending = next((i for i, entry in enumerate(entries) if entry.type == ENDING), None)
    arrivals = _arrivals(folder, complete=ending is not None)
    return RecordedCall(
        folder, header, arrivals, entries[:ending], cut_off=ending is None or events_broken
    )


def read_header(folder: Path) -> Header:
    """Read what a recorded call was.

    Raises:
        CallRecordingError: There is no recording, or it is damaged or of a newer format.
    """
    path = folder / HEADER_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise CallRecordingError(
            f"{folder} is no recorded call: it has no {HEADER_FILE}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CallRecordingError(f"Can't read {path}: {error}.") from None
    try:
        header = Header.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CallRecordingError(
            f"{path} does not describe a {FORMAT}: {field}: {first['msg']}."
        ) from None
    if header.version > VERSION:
        raise CallRecordingError(
            f"{folder} was recorded by a newer Presencia (format {header.version}; this one reads "
            f"up to {VERSION}). Update Presencia to replay it."
        )
    return header


def _lines(path: Path) -> tuple[list[str], bool]:
    """A file's whole lines, and whether it breaks off within one."""
    try:
        *whole, rest = path.read_text("utf-8", errors="surrogateescape").split("\n")
    except OSError as error:
        raise CallRecordingError(f"Can't read {path}: {error.strerror}.") from None
    return whole, rest != ""


def _entry(folder: Path, number: int, line: str) -> Entry:
    try:
        return parse_line(line)
    except ValueError as error:
        raise CallRecordingError(
            f"{folder / EVENTS_FILE} is damaged in line {number}: {error}."
        ) from None


def _arrivals(folder: Path, *, complete: bool) -> tuple[Arrival, ...]:
    lines, _ = _lines(folder / ARRIVALS_FILE)
    try:
        rows = [(float(at_s), int(first), int(count)) for at_s, first, count in csv.reader(lines)]
    except ValueError:
        raise CallRecordingError(f"{folder / ARRIVALS_FILE} is damaged.") from None
    expected = sum(count for _, _, count in rows)
    pcm = _decode(folder / AUDIO_FILE) if expected else np.zeros(0, np.int16)
    if complete and len(pcm) < expected:
        raise CallRecordingError(
            f"{folder / AUDIO_FILE} is damaged: it has {len(pcm) / LISTENING_RATE_HZ:.1f} s of "
            f"{expected / LISTENING_RATE_HZ:.1f} s."
        )
    arrivals, used = [], 0
    for at_s, first, count in rows:
        if used + count > len(pcm):
            break  # the recording breaks off before this was packed
        frame = AudioFrame(pcm[used : used + count], LISTENING_RATE_HZ, first)
        arrivals.append(Arrival(at_s, frame))
        used += count
    return tuple(arrivals)


def _decode(path: Path) -> NDArray[np.int16]:
    """The samples of a FLAC file, up to where it breaks off, int16 of shape (samples,)."""
    parts: list[NDArray[np.int16]] = []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            if (stream.rate, stream.layout.name) != (LISTENING_RATE_HZ, "mono"):
                raise CallRecordingError(
                    f"{path} is not {LISTENING_RATE_HZ} Hz mono, as recordings are."
                )
            # Not `extend`: the packet at which a recording breaks off can't be decoded, and what
            # came before it is to be kept.
            for frame in container.decode(stream):
                parts.append(np.asarray(frame.to_ndarray(), np.int16).reshape(-1))  # noqa: PERF401
    except (OSError, IndexError, av.FFmpegError) as error:
        if not parts:
            raise CallRecordingError(f"Can't read {path} as audio ({error}).") from None
    return np.concatenate(parts)
