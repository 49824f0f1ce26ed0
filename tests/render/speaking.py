# ruff: noqa: RUF001, RUF002  # IPA has letters that look like others
"""Speech chunks made by hand: phonemes of a given length over noise."""

import numpy as np

from speech.types import AudioFrame, PhonemeTiming, SpeechChunk

RATE_HZ = 24_000


def chunk(phonemes: str, each_ms: int = 80, lead_in_ms: int = 60, tail_ms: int = 100):
    """A chunk that says the phonemes; "ˈ" before one marks stress, "_" is a silence."""
    timings, at_ms = [], lead_in_ms
    pcm = np.zeros((lead_in_ms + each_ms * len(phonemes.split()) + tail_ms) * 24, np.int16)
    noise = np.random.default_rng(0).normal(0, 3000, len(pcm)).astype(np.int16)
    for symbol in phonemes.split():
        start, end = at_ms * 24, (at_ms + each_ms) * 24
        at_ms += each_ms
        if symbol != "_":
            pcm[start:end] = noise[start:end]
            name = symbol.removeprefix("ˈ")
            timings.append(PhonemeTiming(name, start, end, symbol.startswith("ˈ")))
    return SpeechChunk(phonemes, AudioFrame(pcm, RATE_HZ), tuple(timings))
