"""PCM arithmetic: sample types, rates and places to cut."""

from dataclasses import replace

import av
import numpy as np
from numpy.typing import NDArray

from speech.types import AudioFrame, PhonemeTiming, SpeechChunk


def to_float(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Scale int16 PCM to float32 in [-1, 1)."""
    return pcm.astype(np.float32) / np.float32(32768)


def resample(pcm: NDArray[np.int16], source_hz: int, target_hz: int) -> NDArray[np.int16]:
    """Change the rate of one whole recording, without delay.

    Args:
        pcm: int16, shape (samples,).
        source_hz: Its rate.
        target_hz: The rate wanted.

    Returns:
        int16, shape (round(samples * target_hz / source_hz),).
    """
    if source_hz == target_hz or len(pcm) == 0:
        return pcm
    resampler = av.AudioResampler(format="s16", layout="mono", rate=target_hz)
    padded = np.pad(pcm, (0, source_hz // 100))  # flushing loses what the filter still holds
    frame = av.AudioFrame.from_ndarray(padded[None], format="s16", layout="mono")
    frame.sample_rate = source_hz
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    length = round(len(pcm) * target_hz / source_hz)
    return np.concatenate([f.to_ndarray()[0] for f in frames])[:length]


def resample_chunk(chunk: SpeechChunk, target_hz: int) -> SpeechChunk:
    """Change the rate of a chunk of speech: its audio, and its phonemes' places in it."""
    audio = chunk.audio
    if audio.sample_rate == target_hz:
        return chunk

    def moved(sample: int) -> int:
        return round(sample * target_hz / audio.sample_rate)

    def moved_phoneme(timing: PhonemeTiming) -> PhonemeTiming:
        return replace(
            timing, start_sample=moved(timing.start_sample), end_sample=moved(timing.end_sample)
        )

    return replace(
        chunk,
        audio=AudioFrame(
            resample(audio.pcm, audio.sample_rate, target_hz),
            target_hz,
            moved(audio.start_sample),
        ),
        phonemes=tuple(moved_phoneme(timing) for timing in chunk.phonemes),
    )


def split_at_quiet(
    pcm: NDArray[np.int16], rate_hz: int, longest_s: float
) -> list[NDArray[np.int16]]:
    """Cut a recording where it is quietest into parts that a model can take.

    Args:
        pcm: int16, shape (samples,).
        rate_hz: Its rate.
        longest_s: No part is longer. Each cut is in the last third of what one part may hold.

    Returns:
        The parts, in order; together they are `pcm`. One part if it fits.
    """
    longest = int(longest_s * rate_hz)
    block = rate_hz // 10  # 100 ms: shorter and a stop consonant's closure passes for a pause
    parts = []
    while len(pcm) > longest:
        search = pcm[longest * 2 // 3 : longest]
        blocks = search[: len(search) // block * block].reshape(-1, block).astype(np.float64)
        quietest = int(np.square(blocks).mean(axis=1).argmin())
        cut = longest * 2 // 3 + quietest * block + block // 2
        parts.append(pcm[:cut])
        pcm = pcm[cut:]
    return [*parts, pcm]
