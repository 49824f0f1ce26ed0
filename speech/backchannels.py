"""Tells "mm-hm" from words: what listeners say without wanting the floor.

The lists are of the commonest continuers and assessments of spoken English (Yngve 1970; Ward and
Tsukahara 2000; Switchboard's tag `b`) and Spanish. Those that as often take the floor ("so", "no",
"bueno", "pero") are left out.
"""

import re
from collections.abc import Iterable

from speech.types import Language

LONGEST_S = 1.8
"""Of speech: whoever says them for longer wants something."""

_MOST_PHRASES = 3
_SOUND = re.compile(
    r"[hm]{2,}|m+|u+h*|a+h+|o+h*|e+h+|h?u+m+|u*h*hu+h|aha|ajá|[hj]a|[hjk]?([hj][aeiou]){2,}h?"
)
_PHRASES: dict[Language, tuple[str, ...]] = {
    "en": (
        "yeah", "yep", "yup", "yes", "right", "ok", "okay", "sure", "i see", "got it", "wow",
        "really", "nice", "cool", "great", "good", "true", "exactly", "of course", "all right",
        "alright", "interesting", "makes sense", "that makes sense", "i know", "totally",
    ),
    "es": (
        "sí", "si", "claro", "claro que sí", "vale", "ya", "ok", "okay", "exacto", "eso", "ya veo",
        "entiendo", "de acuerdo", "cierto", "bien", "muy bien", "qué bien", "así es",
        "por supuesto", "perfecto", "genial", "vaya", "anda",
    ),
}  # fmt: skip
_WORDS = {
    language: [tuple(phrase.split()) for phrase in phrases]
    for language, phrases in _PHRASES.items()
}


def is_backchannel(text: str, language: Language) -> bool:
    """Whether these words, all that were said, leave the floor to the one who speaks."""
    return _left_after_phrases(text, language) == ()


def may_become_backchannel(text: str, language: Language) -> bool:
    """Whether these words, and perhaps more to come, do. The last one may be cut."""
    left = _left_after_phrases(text, language)
    return left is not None and (
        not left or any(_begins(phrase, left) for phrase in _WORDS[language])
    )


def _left_after_phrases(text: str, language: Language) -> tuple[str, ...] | None:
    """The words after the backchannels at the beginning; None if these are too many or none."""
    words = _words(text)
    for _ in range(_MOST_PHRASES):
        length = _phrase_length(words, _WORDS[language])
        if not length:
            break
        words = words[length:]
    else:
        return words if not words else None
    return words if words or text.strip() else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower().replace("-", "")))


def _phrase_length(words: tuple[str, ...], phrases: Iterable[tuple[str, ...]]) -> int:
    """Words of the longest backchannel that `words` begin with."""
    sound = 1 if words and _SOUND.fullmatch(words[0]) else 0
    return max(sound, *(len(phrase) for phrase in phrases if words[: len(phrase)] == phrase), 0)


def _begins(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    *whole, last = words
    n = len(whole)
    return len(phrase) > n and phrase[:n] == tuple(whole) and phrase[n].startswith(last)
