"""Recorded people who finish, pause to think, or stop in mid-sentence, as a microphone hears them.

A folder's `talks.tsv` has a header and, among others, the columns name, lang, speaker, kind,
finished (yes or no) and pieces. Pieces are files of the folder, whole or in part (`a.wav`,
`a.wav:1.25-3.5`, in seconds), said one after the other; `|` between two is a pause that is put in,
of the recording's own room noise, once for every length of `GAPS_MS`; such a talk is heard until
the person has gone on.
"""

import csv
import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ, read_clip, speech_bounds
from speech.audio import resample
from speech.errors import ConfigError
from speech.stages import LISTENING_RATE_HZ
from speech.types import Language

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "speech"
"""The recordings that come with the repository; its README says whose they are."""

GAPS_MS = (300, 500, 700, 1000)
"""How long people think: each recording with a `|` is heard with each of these."""

Half = Literal["tuning", "held out"]

_LEAD_S = 0.4  # of room noise before the speech, so that the voice detector has settled
_TAIL_S = 2.6  # after it: longer than any patience
_EDGE_S = 0.04  # of a whole file's quiet that stays on either side of its speech
_ROOM_S = 0.08  # of the quietest sound in a recording is its room
_ROOM_UNDER_VOICE_DB = 45.0  # at least
_GOES_ON_S = 0.6  # of speech after the last pause show that the person was not cut off in it
_FADE = LISTENING_RATE_HZ // 200  # 5 ms: no click where a piece is cut


@dataclass(frozen=True, slots=True)
class Talk:
    """One recording as it is heard.

    Attributes:
        name: Unique, with the length of the pause that was put in.
        language: That is spoken.
        speaker: Whose voice it is.
        half: All talks of a speaker are in one half.
        kind: Why there is a pause in it, as the table says.
        gap_ms: Length of the pauses put in; 0 if there are none.
        finished: False if the person would go on where the recording stops.
        pcm: int16 at 16 kHz, shape (samples,).
        end: One past the last sample of speech, by loudness.
    """

    name: str
    language: Language
    speaker: str
    half: Half
    kind: str
    gap_ms: int
    finished: bool
    pcm: NDArray[np.int16]
    end: int


def talks(folders: Sequence[Path]) -> list[Talk]:
    """Every talk of the folders' tables.

    Raises:
        ConfigError: There is no such table, or a row of it is no good.
        ClipError: A recording is no good.
    """
    rows = [(folder, row) for folder in folders for row in _rows(folder)]
    halves = _halves([row for _, row in rows])
    return [talk for folder, row in rows for talk in _read(folder, row, halves)]


def _rows(folder: Path) -> list[dict[str, str]]:
    table = folder / "talks.tsv"
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except OSError as error:
        raise ConfigError(f"Can't read {table}: {error.strerror}.") from None


def _halves(rows: Sequence[Mapping[str, str]]) -> dict[str, Half]:
    """Every speaker's half: alternately, a language's most recorded first."""
    halves: dict[str, Half] = {}
    for language in get_args(Language):
        said = Counter(row["speaker"] for row in rows if row["lang"] == language)
        speakers = sorted(said, key=lambda speaker: (-said[speaker], speaker))
        halves |= dict(zip(speakers, itertools.cycle(get_args(Half)), strict=False))
    return halves


def _read(folder: Path, row: Mapping[str, str], halves: Mapping[str, Half]) -> Iterator[Talk]:
    try:
        name, speaker, kind = row["name"], row["speaker"], row["kind"]
        language = next(lang for lang in get_args(Language) if lang == row["lang"])
        pieces = row["pieces"]
        parts = _parts(folder, pieces)
        room = _room([_recording(folder / name)[0] for name in _files(pieces)])
        finished = {"yes": True, "no": False}[row["finished"]]
    except (KeyError, ValueError, StopIteration) as error:
        raise ConfigError(f"{folder / 'talks.tsv'}, {row}: {error!r} is no good.") from None
    for gap_ms in GAPS_MS if len(parts) > 1 else (0,):
        if gap_ms:
            parts[-1], finished = parts[-1][: round(_GOES_ON_S * LISTENING_RATE_HZ)], False
        pcm, end = _joined(parts, room, gap_ms, finished=finished)
        full = f"{name}+{gap_ms}" if gap_ms else name
        yield Talk(full, language, speaker, halves[speaker], kind, gap_ms, finished, pcm, end)


def _parts(folder: Path, pieces: str) -> list[NDArray[np.int16]]:
    """What is said between the pauses that are put in."""
    groups = [group.split() for group in pieces.split("|")]
    return [np.concatenate([_piece(folder, piece) for piece in group]) for group in groups]


def _files(pieces: str) -> list[str]:
    names = [piece.partition(":")[0] for piece in pieces.replace("|", " ").split()]
    return list(dict.fromkeys(names))


def _piece(folder: Path, piece: str) -> NDArray[np.int16]:
    name, _, span = piece.partition(":")
    pcm, start, end = _recording(folder / name)
    if span:
        start_s, end_s = span.split("-")
        start = round(float(start_s) * LISTENING_RATE_HZ)
        end = round(float(end_s) * LISTENING_RATE_HZ)
    else:
        edge = round(_EDGE_S * LISTENING_RATE_HZ)
        start, end = max(start - edge, 0), end + edge
    return pcm[start:end]


@functools.cache
def _recording(path: Path) -> tuple[NDArray[np.int16], int, int]:
    """A file at 16 kHz, and where the speech in it begins and ends."""
    clip = read_clip(path)
    pcm = resample(clip.pcm, RATE_HZ, LISTENING_RATE_HZ)
    ratio = RATE_HZ // LISTENING_RATE_HZ
    return pcm, clip.speech_start // ratio, clip.speech_end // ratio


def _joined(
    parts: Sequence[NDArray[np.int16]], room: NDArray[np.float64], gap_ms: int, *, finished: bool
) -> tuple[NDArray[np.int16], int]:
    """The talk, and where its speech ends."""
    lead = _noise(room, _LEAD_S)
    heard = [lead]
    ramp = np.linspace(0, 1, _FADE)
    for part in parts:
        faded = part.copy()
        faded[:_FADE] = faded[:_FADE] * ramp
        faded[-_FADE:] = faded[-_FADE:] * ramp[::-1]
        heard += [faded, _noise(room, gap_ms / 1000)]
    heard.pop()
    said = np.concatenate(heard)
    tail = _noise(room, _TAIL_S) if finished else lead[:0]
    return np.concatenate([said, tail]), _speech_end(said)


def _speech_end(pcm: NDArray[np.int16]) -> int:
    _, end = speech_bounds(resample(pcm, LISTENING_RATE_HZ, RATE_HZ))
    return end * LISTENING_RATE_HZ // RATE_HZ


def _room(recordings: Sequence[NDArray[np.int16]]) -> NDArray[np.float64]:
    """The room of some recordings: the amplitude spectrum of their quietest stretch.

    Recordings that are cut close hold no quiet: their room is put far under their voice.
    """
    pcm = np.concatenate(recordings).astype(np.float64)
    length = round(_ROOM_S * LISTENING_RATE_HZ)
    energy = np.concatenate([[0.0], np.cumsum(np.square(pcm))])
    power = (energy[length:] - energy[:-length]) / length
    start = int(power.argmin())
    most = np.quantile(power, 0.95) * 10 ** (-_ROOM_UNDER_VOICE_DB / 10)
    scale = min(1.0, np.sqrt(most / max(power[start], 1e-9)))
    return np.abs(np.fft.rfft(pcm[start : start + length] * scale))


def _noise(room: NDArray[np.float64], seconds: float) -> NDArray[np.int16]:
    """So much of the room: noise of its spectrum and loudness, always the same."""
    length = round(seconds * LISTENING_RATE_HZ)
    size = length + 2 * len(room)
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(size))
    bins = np.interp(np.linspace(0, 1, len(white)), np.linspace(0, 1, len(room)), room)
    shaped = np.fft.irfft(white * bins / np.sqrt(2 * (len(room) - 1)), size)
    return np.round(shaped[:length]).astype(np.int16)
