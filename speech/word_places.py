"""Where the words of a spoken chunk are: in its text, and in its sound."""

import re
from dataclasses import dataclass

from speech.types import SpeechChunk


@dataclass(frozen=True, slots=True)
class WordPlace:
    """Where one displayed word begins.

    Attributes:
        character: In the chunk's text.
        sample: In its audio.
    """

    character: int
    sample: int


def word_places(chunk: SpeechChunk) -> tuple[WordPlace, ...]:
    """Where each displayed word of `chunk` begins, in order.

    Spoken words are told by their phonemes. Where they are more or fewer than the displayed ones
    ("10" against "ten", "5 km" against "five kilometres"), each displayed word gets its share of
    them; where a backend has no phonemes, its share of the samples.
    """
    characters = [match.start() for match in re.finditer(r"\S+", chunk.text)]
    spoken = [timing.start_sample for timing in chunk.phonemes if timing.starts_word]
    if not characters:
        return ()
    if not spoken:
        samples = len(chunk.audio.pcm)
        return tuple(
            WordPlace(character, round(samples * character / len(chunk.text)))
            for character in characters
        )
    return tuple(
        WordPlace(character, spoken[i * len(spoken) // len(characters)])
        for i, character in enumerate(characters)
    )


def speech_end(chunk: SpeechChunk) -> int:
    """One past the last sample of sound; what follows is the pause before the next chunk."""
    return chunk.phonemes[-1].end_sample if chunk.phonemes else len(chunk.audio.pcm)
