"""A voice whose every word is a sample value of its own, and ears that tell by it what was said.

So what a person hears is read from the very samples that left the playout, and from nothing that
the conversation believes about them.
"""

from dataclasses import dataclass, field

import numpy as np

from speech.types import AudioFrame, PhonemeTiming, SpeechChunk
from tests.session.scripted_call import ScriptedVoice

_RATE_HZ = 48_000
_WORD_SAMPLES = round(0.3 * _RATE_HZ)
_RISE_SAMPLES = 300  # a word that is said again begins softly: so many samples have other values
_FIRST_VALUE = 5000  # lower ones are openers and covers, which are no part of an answer


@dataclass
class NumberedVoice(ScriptedVoice):
    """Says each word for 300 ms, in samples of one value that no other word has.

    Attributes:
        words: By value, all that were made, heard or not.
    """

    words: list[str] = field(default_factory=list)

    def chunk(self, text):
        values, phonemes = [], []
        for word in text.split():
            start = len(values) * _WORD_SAMPLES
            values.append(_FIRST_VALUE + len(self.words))
            phonemes.append(PhonemeTiming("a", start, start + _WORD_SAMPLES, starts_word=True))
            self.words.append(word)
        pcm = np.repeat(np.asarray(values, np.int16), _WORD_SAMPLES)
        return SpeechChunk(text, AudioFrame(pcm, _RATE_HZ), tuple(phonemes))


class Ears:
    """Hear what leaves the playout of one call."""

    def __init__(self, voice):
        self._voice = voice
        self._frames = []

    def hear(self, frame):
        self._frames.append(frame)

    @property
    def whole_words(self):
        """The words that were heard from their beginning to their end, in order."""
        return [
            self._voice.words[value - _FIRST_VALUE]
            for value, samples in self._runs()
            if samples >= _WORD_SAMPLES - _RISE_SAMPLES
        ]

    def _runs(self):
        """Stretches of one value, and how long each is."""
        pcm = np.concatenate([*self._frames, np.zeros(1, np.int16)])
        ends = np.flatnonzero(np.diff(pcm)) + 1
        starts = np.concatenate([[0], ends[:-1]])
        return [
            (int(pcm[start]), int(end - start))
            for start, end in zip(starts, ends, strict=False)  # silence has no end
            if pcm[start] >= _FIRST_VALUE
        ]
