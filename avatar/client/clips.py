"""Recorded voices: read from any audio file, with the place of the speech in them."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from speech.errors import PresenciaError

RATE_HZ = 48_000
"""WebRTC's own rate for Opus: the microphone sends at it, whatever the file's rate."""

_STEP = RATE_HZ // 100
_SMOOTH_STEPS = 3  # 30 ms: shorter bursts are clicks, not speech
_BELOW_LOUD_DB = (25.0, 12.0)  # soft consonants are so far below loud vowels; at most, at least
_ABOVE_FLOOR_DB = 10.0


class ClipError(PresenciaError):
    """A file can't be played as a microphone."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One recorded utterance.

    Attributes:
        name: For people: the file's name.
        pcm: int16 mono at `RATE_HZ`, shape (samples,).
        speech_start: Index of the first sample of speech.
        speech_end: One past the last sample of speech; what follows is silence.
    """

    name: str
    pcm: NDArray[np.int16]
    speech_start: int
    speech_end: int


def read_clip(path: Path) -> Clip:
    """Read a recording of any format, sample rate and channel count that FFmpeg knows.

    Raises:
        ClipError: There is no such file, no audio in it, or nothing but silence.
    """
    try:
        pcm = _decode(path)
    except FileNotFoundError:
        raise ClipError(f"There is no file {path}.") from None
    except (OSError, av.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"Can't read {path} as audio ({reason}). Give a WAV file.") from None
    return clip_of(path.name, pcm)


def clip_of(name: str, pcm: NDArray[np.int16]) -> Clip:
    """Make a clip of samples.

    Args:
        name: For people.
        pcm: int16 mono at `RATE_HZ`, shape (samples,).

    Raises:
        ClipError: It is too short or nothing but silence.
    """
    start, end = speech_bounds(pcm)
    if start == end:
        raise ClipError(f"There is no speech in {name}: it is silent.")
    return Clip(name, pcm, start, end)


def speech_bounds(pcm: NDArray[np.int16]) -> tuple[int, int]:
    """Find where speech begins and ends, by loudness.

    A recording's own noise floor (its 5th percentile) and its loud parts (its 95th) set the
    threshold, so that it holds for quiet and for noisy recordings.

    Args:
        pcm: int16 mono at `RATE_HZ`, shape (samples,).

    Returns:
        First sample and one past the last, to 10 ms; (0, 0) when nothing stands out.
    """
    steps = len(pcm) // _STEP
    if steps < _SMOOTH_STEPS:
        return 0, 0
    power = (pcm[: steps * _STEP].astype(np.float64).reshape(steps, _STEP) ** 2).mean(axis=1)
    power = np.convolve(power, np.full(_SMOOTH_STEPS, 1 / _SMOOTH_STEPS), mode="same")
    level_db = 10 * np.log10(power + 1.0)
    floor_db, loud_db = np.percentile(level_db, [5, 95])
    threshold_db = min(
        max(loud_db - _BELOW_LOUD_DB[0], floor_db + _ABOVE_FLOOR_DB), loud_db - _BELOW_LOUD_DB[1]
    )
    speech = np.flatnonzero(level_db > max(threshold_db, 10.0))  # 10 dB: about 3 LSB
    if not len(speech):
        return 0, 0
    return int(speech[0]) * _STEP, (int(speech[-1]) + 1) * _STEP


def _decode(path: Path) -> NDArray[np.int16]:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise ClipError(f"There is no audio in {path}. Give a WAV file.")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        parts = [
            part.to_ndarray()[0]
            for frame in (*container.decode(audio=0), None)
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
