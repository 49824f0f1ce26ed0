"""Recorded speech, and what rooms, microphones and networks do to it."""

import csv
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bench.wer import edits, words
from speech.audio import resample, to_float
from speech.stages import VoiceDetector
from speech.types import Language
from speech.vad import WINDOW

FOLDER = Path(__file__).parents[1] / "data" / "speech"
RATE_HZ = 16_000

Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Recording:
    name: str
    language: Language
    transcript: str
    pcm: Pcm


def recordings(language: Language) -> list[Recording]:
    with (FOLDER / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["lang"] == language]
    return [
        Recording(row["file"], language, row["transcript"], read(FOLDER / row["file"]))
        for row in rows
    ]


def read(path: Path) -> Pcm:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        assert container.streams.audio[0].rate == RATE_HZ
    return np.concatenate(frames).astype(np.int16)


def speech_probabilities(pcm: Pcm, detector: VoiceDetector) -> NDArray[np.float64]:
    whole = pcm[: len(pcm) // WINDOW * WINDOW].reshape(-1, WINDOW)
    return np.array([detector.probability(to_float(window)) for window in whole])


def spoken_span(pcm: Pcm, detector: VoiceDetector) -> tuple[int, int]:
    """First and one past the last sample of speech."""
    speech = np.flatnonzero(speech_probabilities(pcm, detector) >= 0.5)
    return int(speech[0]) * WINDOW, int(speech[-1] + 1) * WINDOW


def pooled_wer(pairs: list[tuple[str, str]], language: Language) -> float:
    """Word error rate over (reference, hypothesis) pairs, all their words together."""
    said = [words(reference, language) for reference, _ in pairs]
    heard = [words(hypothesis, language) for _, hypothesis in pairs]
    return sum(map(edits, said, heard)) / sum(map(len, said))


def _rms(samples: NDArray[np.floating] | Pcm) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _pcm(samples: NDArray[np.floating]) -> Pcm:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def quiet(pcm: Pcm, dbfs: float = -30) -> Pcm:
    return _pcm(pcm * (32768 * 10 ** (dbfs / 20) / _rms(pcm)))


def in_noise(pcm: Pcm, snr_db: float = 10) -> Pcm:
    """With pink noise, as rooms and fans make it."""
    white = np.fft.rfft(np.random.default_rng(1).standard_normal(len(pcm)))
    noise = np.fft.irfft(white / np.sqrt(np.maximum(1, np.arange(len(white)))), len(pcm))
    return _pcm(pcm + noise * (_rms(pcm) / _rms(noise) * 10 ** (-snr_db / 20)))


def clipped(pcm: Pcm) -> Pcm:
    """Recorded 12 dB too loud."""
    return _pcm(np.clip(pcm * (4 * 20000 / np.abs(pcm).max()), -20000, 20000))


def telephone(pcm: Pcm) -> Pcm:
    """Sampled at 8 kHz, 300 to 3400 Hz."""
    spectrum = np.fft.rfft(resample(resample(pcm, RATE_HZ, 8000), 8000, RATE_HZ))
    hz = np.fft.rfftfreq(len(pcm), 1 / RATE_HZ)[: len(spectrum)]
    spectrum[(hz < 300) | (hz > 3400)] = 0
    return _pcm(np.fft.irfft(spectrum))
