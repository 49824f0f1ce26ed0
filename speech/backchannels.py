"""Tells "mm-hm" from words: what listeners say without wanting the floor.

The lists are of the commonest continuers and assessments of spoken English (Yngve 1970; Ward and
Tsukahara 2000; Switchboard's tag `b`) and Spanish. Those that as often take the floor ("so", "no",
"bueno", "pero") are left out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from speech.types import Language

LONGEST_S: Final = 1.8
"""Of speech: whoever says them for longer wants something."""

_MOST_PHRASES: Final = 3
_HESITATION: Final = r"u+h*|e+h+|h?u+m+"
_RECEIPT: Final = r"[hm]{2,}|m+|a+h+|o+h*|u*h*hu+h|aha|ajá|[hj]a|[hjk]?([hj][aeiou]){2,}h?"

_Phrases = tuple[tuple[str, ...], ...]


def _phrases(*texts: str) -> _Phrases:
    return tuple(tuple(text.split()) for text in texts)


_ACKNOWLEDGEMENTS: Final[Mapping[Language, _Phrases]] = {
    "en": _phrases("yeah", "yep", "yup", "yes", "ok", "okay", "sure", "all right", "alright"),
    "es": _phrases("sí", "si", "claro", "claro que sí", "vale", "ya", "ok", "okay", "de acuerdo"),
}
"""These end no sentence that somebody may be in the middle of."""

_ASSESSMENTS: Final[Mapping[Language, _Phrases]] = {
    "en": _phrases(
        "right", "i see", "got it", "wow", "really", "nice", "cool", "great", "good", "true",
        "exactly", "of course", "interesting", "makes sense", "that makes sense", "i know",
        "totally",
    ),
    "es": _phrases(
        "exacto", "eso", "ya veo", "entiendo", "cierto", "bien", "muy bien", "qué bien", "así es",
        "por supuesto", "perfecto", "genial", "vaya", "anda",
    ),
}  # fmt: skip

_MISHEARD: Final[Mapping[Language, frozenset[tuple[str, ...]]]] = {
    "en": frozenset({("you",)}),
    "es": frozenset(),
}
"""All that was said, these are what recognisers make of coughs, laughs and cleared throats."""

_WORDS: Final = {
    language: _ACKNOWLEDGEMENTS[language] + _ASSESSMENTS[language] for language in _ASSESSMENTS
}
_SOUND: Final = re.compile(f"{_HESITATION}|{_RECEIPT}")
_ACKNOWLEDGING_SOUND: Final = re.compile(_RECEIPT)


def is_backchannel(text: str, language: Language) -> bool:
    """Whether these words, all that were said, leave the floor to the one who speaks."""
    if _words(text) in _MISHEARD[language]:
        return True
    return _left_after(text, _WORDS[language], _SOUND) == ()


def acknowledges(text: str, language: Language) -> bool:
    """Whether they do, said before anything was heard, by who may not have said all.

    "Um" and "right" don't: who says them goes on with their sentence, or ends it.
    """
    return _left_after(text, _ACKNOWLEDGEMENTS[language], _ACKNOWLEDGING_SOUND) == ()


def may_become_backchannel(text: str, language: Language) -> bool:
    """Whether these words, and perhaps more to come, do. The last one may be cut."""
    if _words(text) in _MISHEARD[language]:
        return True
    left = _left_after(text, _WORDS[language], _SOUND)
    return left is not None and (
        not left or any(_begins(phrase, left) for phrase in _WORDS[language])
    )


def _left_after(text: str, phrases: _Phrases, sound: re.Pattern[str]) -> tuple[str, ...] | None:
    """The words after the backchannels at the beginning; None if these are too many or none."""
    words = _words(text)
    for _ in range(_MOST_PHRASES):
        length = _phrase_length(words, phrases, sound)
        if not length:
            break
        words = words[length:]
    else:
        return words if not words else None
    return words if words or text.strip() else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower().replace("-", "")))


def _phrase_length(
    words: tuple[str, ...], phrases: Iterable[tuple[str, ...]], sound: re.Pattern[str]
) -> int:
    """Words of the longest backchannel that `words` begin with."""
    sounds = 1 if words and sound.fullmatch(words[0]) else 0
    return max(sounds, *(len(phrase) for phrase in phrases if words[: len(phrase)] == phrase), 0)


def _begins(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    *whole, last = words
    n = len(whole)
    return len(phrase) > n and phrase[:n] == tuple(whole) and phrase[n].startswith(last)
