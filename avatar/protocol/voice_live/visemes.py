# ruff: noqa: RUF001  # IPA has letters that look like others
"""Azure's viseme of every phoneme that our voices speak.

Azure numbers its mouth shapes from 0, silence, to 21. A sound with two shapes has both, in order.
Source: Microsoft, "SSML phonetic alphabets", the tables of en-US, en-GB and es-ES:
https://learn.microsoft.com/azure/ai-services/speech-service/speech-ssml-phonetic-sets
"""

from collections.abc import Iterator

from render.types import SPEECH_CLOCK_HZ
from speech.phonemes import Viseme, visemes
from speech.types import PhonemeTiming

SILENCE = 0

_PAUSE_SAMPLES = SPEECH_CLOCK_HZ // 50  # less between two sounds is no pause

_PHONEMES_OF = {
    1: "æ ə ʌ ɚ ø",
    2: "a ɑ ɒ",
    3: "ɔ",
    4: "ɛ e ʊ œ y ɐ",
    5: "ɝ ɜ",
    6: "i ɪ j ɨ",
    7: "u w ɯ",
    8: "o",
    9: "aʊ",
    10: "ɔɪ",
    11: "aɪ",
    12: "h x ç",
    13: "ɹ r ʁ ɻ",
    14: "l ʎ ɫ",
    15: "s z",
    16: "ʃ ʒ",
    17: "ð",
    18: "f v ʋ",
    19: "d t n θ ɲ ɾ ʔ",
    20: "k ɡ g ŋ ɣ",
    21: "p b m β ɱ",
}

_PAIRS: dict[str, tuple[int, int]] = {
    "eɪ": (4, 6),
    "oʊ": (8, 4),
    "əʊ": (1, 4),
    "tʃ": (19, 16),
    "dʒ": (19, 16),
    "ts": (19, 15),
    "dz": (19, 15),
}

AZURE_VISEMES: dict[str, tuple[int, ...]] = {
    **{phoneme: (number,) for number, row in _PHONEMES_OF.items() for phoneme in row.split()},
    **_PAIRS,
}
"""Azure's visemes of a phoneme, in order."""

_LIKE: dict[Viseme, int] = {
    "sil": SILENCE, "PP": 21, "FF": 18, "TH": 17, "DD": 19, "kk": 20, "CH": 16, "SS": 15,
    "nn": 19, "RR": 13, "aa": 2, "E": 4, "I": 6, "O": 8, "U": 7,
}  # fmt: skip
"""Where Azure's tables lack a phoneme: the shape that comes nearest to ours."""


def azure_visemes(phoneme: str) -> tuple[int, ...]:
    """Azure's mouth shapes of a phoneme, in order: one or two."""
    known = AZURE_VISEMES.get(phoneme)
    return known if known is not None else tuple(_LIKE[viseme] for viseme in visemes(phoneme))


def timed_visemes(phonemes: tuple[PhonemeTiming, ...]) -> Iterator[tuple[int, int]]:
    """When each mouth shape begins, and its number; silence in pauses and at the end.

    A sound with two shapes gives each half of its time.

    Args:
        phonemes: Of a chunk at `SPEECH_CLOCK_HZ`.

    Yields:
        Samples since the chunk began, never decreasing; and the shape.
    """
    last = 0
    for timing in phonemes:
        if timing.start_sample - last >= _PAUSE_SAMPLES:
            yield last, SILENCE
        shapes = azure_visemes(timing.phoneme)
        lasts = timing.end_sample - timing.start_sample
        for i, shape in enumerate(shapes):
            yield timing.start_sample + lasts * i // len(shapes), shape
        last = timing.end_sample
    if phonemes:
        yield last, SILENCE
