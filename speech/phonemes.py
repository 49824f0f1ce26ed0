# ruff: noqa: RUF001, RUF002  # IPA has letters that look like others
"""The phonemes that voices speak, and the mouth shape of each.

Phonemes are IPA: one symbol, an affricate ("tʃ"), or a diphthong ("aɪ"), without stress or length
marks. Mouth shapes are the 15 visemes of the Oculus set, the one that most talking avatars take:
https://developers.meta.com/horizon/documentation/unity/audio-ovrlipsync-viseme-reference/
"""

from typing import Literal, get_args

Viseme = Literal[
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"
]
VISEMES: tuple[Viseme, ...] = get_args(Viseme)

# The reference names one or two English examples a class. The rest join the class whose lips and
# tongue they share: ŋ, x and h the velars, taps and flaps the stop they sound like, schwas "aa".
_PHONEMES_OF: dict[Viseme, str] = {
    "PP": "p b m β",
    "FF": "f v ɱ ʋ ɸ",
    "TH": "θ ð",
    "DD": "t d ɾ ʈ ɖ",
    "kk": "k ɡ g ŋ ɣ x h χ ɰ ʔ q",
    "CH": "tʃ dʒ ʃ ʒ ʝ ɟ ɕ ʥ ʨ ç",
    "SS": "s z ts dz",
    "nn": "n l ɲ ʎ ɫ",
    "RR": "ɹ r ɻ ʁ ɝ ɚ ɜ",
    "aa": "a ɑ æ ʌ ɐ ə",
    "E": "e ɛ ø œ",
    "I": "i ɪ j ɨ y",
    "O": "o ɔ ɒ ɤ",
    "U": "u ʊ w ɯ ɥ",
}

VISEME_OF: dict[str, Viseme] = {
    phoneme: viseme for viseme, phonemes in _PHONEMES_OF.items() for phoneme in phonemes.split()
}
"""Viseme of every phoneme that is not a diphthong."""

VOWELS = frozenset("aɑæʌɐəeɛøœiɪɨyoɔɒɤuʊɯɝɚɜ")
"""Phonemes that can be the nucleus of a syllable; a diphthong starts with one."""

DIPHTHONGS = frozenset(("eɪ", "aɪ", "ɔɪ", "aʊ", "oʊ", "əʊ"))
"""Two vowels that a voice times as one phoneme."""


def is_vowel(phoneme: str) -> bool:
    """Whether the phoneme is a vowel or a diphthong."""
    return phoneme[:1] in VOWELS


def visemes(phoneme: str) -> tuple[Viseme, ...]:
    """Return the mouth shapes of a phoneme in order: one, or two for a diphthong.

    A phoneme that no table knows is read symbol by symbol; one with no known symbol is "sil".
    """
    known = VISEME_OF.get(phoneme)
    if known is not None:
        return (known,)
    return tuple(VISEME_OF[symbol] for symbol in phoneme if symbol in VISEME_OF) or ("sil",)
