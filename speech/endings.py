"""Whether words so far sound like the end of something: a soft signal for the end of a turn.

A mistake costs the person a second of waiting or one interruption, so the rules are few and only
say what is nearly always true. They read what recognisers write: cased or not, punctuated or not.
"""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from speech.types import Language


class Ending(enum.Enum):
    """How a text ends."""

    OPEN = "says nothing about whether more will come"
    UNFINISHED = "more must come"
    QUESTION = "asks something, whole as it seems"


@dataclass(frozen=True, slots=True)
class _Rules:
    never_last: frozenset[str]  # no sentence ends in them
    seldom_last: frozenset[str]  # only questions do ("Where are you from?")
    digits: frozenset[str]
    dictated: re.Pattern[str]  # announces something that people dictate in pieces
    address_done: re.Pattern[str]  # the end of an e-mail or web address


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RULES: Final[Mapping[Language, _Rules]] = {
    "en": _Rules(
        never_last=_words(
            "and or but because if the a an my your our their every um uh er erm hmm "
            "i'm we're they're i'd i'll we'll"
        ),
        seldom_last=_words("of to at from with for by into than is are was were which whose"),
        digits=_words("zero oh one two three four five six seven eight nine double"),
        dictated=re.compile(
            r"\b(number|phone|code|pin|e-?mail|address|iban|account)\b.{0,20}\bis\b"
        ),
        address_done=re.compile(r"(\bdot \w+|\.[a-z]{2,})\W*$"),
    ),
    "es": _Rules(
        never_last=_words(
            "y e o u pero porque que si el la los las un una unos unas mi mis tu tus su sus del al "
            "eh em mmm"
        ),
        seldom_last=_words("de a en con por para sin sobre como cuando donde entre muy"),
        digits=_words("cero uno dos tres cuatro cinco seis siete ocho nueve doble"),
        dictated=re.compile(
            r"\b(n[uú]mero|tel[eé]fono|c[oó]digo|pin|correo|e-?mail|direcci[oó]n|iban|cuenta)\b"
            r".{0,20}\bes\b"
        ),
        address_done=re.compile(r"(\bpunto \w+|\.[a-z]{2,})\W*$"),
    ),
}

_TRAILING_OFF: Final = re.compile(r"([,;:\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}-]|\.{3})$")
_DICTATED_RUN: Final = 3  # digits or letters in a row, in two words or more: somebody spells


def ending_of(text: str, language: Language) -> Ending:
    """Say how `text` ends.

    Args:
        text: Words so far.
        language: Of the words.
    """
    rules = _RULES[language]
    text = text.strip().lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    words = [word.strip(".'") for word in re.findall(r"[\w'@.]+", text) if word.strip(".'")]
    if not words:
        return Ending.OPEN
    question = text.endswith("?")
    if words[-1] in rules.never_last or (words[-1] in rules.seldom_last and not question):
        return Ending.UNFINISHED
    if question:
        return Ending.QUESTION
    if _TRAILING_OFF.search(text) or _is_dictation(text, words, rules):
        return Ending.UNFINISHED
    return Ending.OPEN


def _is_dictation(text: str, words: Sequence[str], rules: _Rules) -> bool:
    if rules.dictated.search(text):
        return not rules.address_done.search(text)
    pieces = digits = 0
    for word in reversed(words):
        if word.isdecimal():
            digits += len(word)
        elif word in rules.digits or len(word) == 1:
            digits += 1
        else:
            break
        pieces += 1
    return pieces >= 2 and digits >= _DICTATED_RUN
