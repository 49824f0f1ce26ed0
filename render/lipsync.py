"""Lip sync: speech in, mouth movement out; from phonemes, or from sound alone."""

import numpy as np
from numpy.typing import NDArray

from render.audio_lips import AudioLipSync
from render.coarticulation import Segment, coarticulate, enforce_contacts, frame_times
from render.loudness import Loudness
from render.types import SPEECH_CLOCK_HZ, VisemeTrack
from render.visemes import sides
from speech.phonemes import is_vowel, visemes
from speech.types import SpeechChunk

_LONGEST_VOWEL_S, _LONGEST_CONSONANT_S = 0.40, 0.22  # the rest of longer ones is silence
_STRESSED, _UNSTRESSED = 1.12, 0.88
_REDUCED = {"ə": 0.45, "ɐ": 0.55, "ɚ": 0.80, "ʌ": 0.80, "h": 0.60}  # of their viseme's shape

# Loudness scales what opens the mouth, never what closes it.
_OPENERS = [
    i for name in ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(name)
]
_QUIET_GAIN = 0.7  # of the opening, at the quietest that is still speech


class PhonemeLipSync:
    """Mouth movement from phoneme timings; from the audio, for a chunk that has none."""

    def __init__(self) -> None:
        self._by_ear = AudioLipSync()

    def animate(self, chunk: SpeechChunk) -> VisemeTrack:
        """Mouth movement for a chunk, at any sample rate."""
        if not chunk.phonemes:
            return self._by_ear.animate(chunk)
        rate = chunk.audio.sample_rate
        times = frame_times(chunk.audio.duration_s)
        segments = _segments(chunk)
        weights = coarticulate(segments, times)
        weights[:, _OPENERS] *= _gain(chunk, times)[:, None]
        seal = enforce_contacts(weights, segments, times)
        beats = [
            round((p.start_sample + p.end_sample) / 2 * SPEECH_CLOCK_HZ / rate)
            for p in chunk.phonemes
            if p.stressed and is_vowel(p.phoneme)
        ]
        lead = round(times[0] * SPEECH_CLOCK_HZ)
        return VisemeTrack(np.clip(weights, 0, 1), lead, tuple(beats), seal)


def _segments(chunk: SpeechChunk) -> list[Segment]:
    """Visemes in time: diphthongs in two halves, over-long phonemes cut."""
    out = []
    for timing in chunk.phonemes:
        vowel = is_vowel(timing.phoneme)
        start = timing.start_sample / chunk.audio.sample_rate
        end = timing.end_sample / chunk.audio.sample_rate
        end = min(end, start + (_LONGEST_VOWEL_S if vowel else _LONGEST_CONSONANT_S))
        strength = _REDUCED.get(timing.phoneme, 1.0)
        if vowel:
            strength *= _STRESSED if timing.stressed else _UNSTRESSED
        shapes = visemes(timing.phoneme)
        step = (end - start) / len(shapes)
        out += [
            Segment(shape, start + k * step, start + (k + 1) * step, strength)
            for k, shape in enumerate(shapes)
        ]
    return out


def _gain(chunk: SpeechChunk, times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Factor on the opening from the loudness around each time; 0 in silence."""
    loudness = Loudness.of(chunk.audio)
    level = loudness.around(times)
    gain = loudness.effort * (_QUIET_GAIN + (1 - _QUIET_GAIN) * level)
    return np.where(level > 0, gain, 0).astype(np.float32)
