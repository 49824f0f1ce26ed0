# ruff: noqa: RUF001, SIM905  # word lists read best as prose
"""Numbers as words, in English and Spanish.

The words come from the rule-based number formats of Unicode CLDR
(https://unicode.org/reports/tr35/tr35-numbers.html#6-rule-based-number-formatting), read by
`unicode-rbnf`. What CLDR leaves to the caller is here: how a written number is to be parsed, and
which gender or short form a Spanish numeral takes before its noun.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from unicode_rbnf import FormatPurpose, RbnfEngine

from speech.types import Language

NUMBER = r"(?:\d{1,3}(?:[.,]\d{3})+(?:[.,]\d+)?(?![\d]|[.,]\d)|\d+(?:[.,]\d+)?)"
"""Pattern of a written number, without sign: 7, 1,200, 3.5, 1.200,50."""

RANGE = r"\s?[-–]\s?"
"""Pattern of what stands between the two ends of a range."""

OPEN = r"(?<![\w.,/:-])"
"""Pattern of a place where a number may start."""

SHUT = r"(?![\w/]|[.,:]\d)"
"""Pattern of a place where a number may end."""

_CARDINAL_DIGITS = 15  # CLDR's rules end at 10**15; nobody says longer numbers but digit by digit
_POINT = {"en": {".": "point", ",": "point"}, "es": {".": "punto", ",": "coma"}}
_MASCULINE_A = frozenset(
    "día mapa problema programa sistema tema idioma clima planeta sofá poema síntoma papá "
    "drama kilogramo gramo".split()
)
_FEMININE = frozenset(
    "noche tarde vez mujer mano clase calle llave parte gente fuente imagen flor luz voz red "
    "ley base serie orden sede foto moto radio".split()
)
_NOT_NOUNS = frozenset(
    "a al ante con contra de del desde durante e el en entre era es está fue ha hasta hay la las "
    "lo los más menos ni no o para pero por porque por punto que se según ser si sin sobre son "
    "su tras u un una y ya coma mil al igual".split()
)


def any_of(keys: Iterable[str]) -> str:
    """Pattern that matches any of the keys, the longest first."""
    return "|".join(re.escape(key) for key in sorted(keys, key=len, reverse=True))


@lru_cache(maxsize=2)
def _engine(language: Language) -> RbnfEngine:
    return RbnfEngine.for_language(language)


@lru_cache(maxsize=4096)
def _words(digits: str, language: Language, purpose: FormatPurpose, ruleset: str) -> str:
    by_ruleset = _engine(language).format_number(digits, purpose).text_by_ruleset
    return by_ruleset[ruleset].replace("\xad", "")


def forget_numbers() -> None:
    """Drop the numbers that were looked up."""
    _words.cache_clear()


def parse(number: str, language: Language) -> tuple[str, str, str]:
    """Split a written number into integer digits, fraction digits and the decimal separator.

    Two different separators: the last is the decimal one. One that repeats, or that is followed
    by exactly three digits, groups thousands: in English the comma only, in Spanish both.
    """
    marks = re.findall(r"[.,]", number)
    if not marks:
        return number, "", ""
    head, tail = re.split(r"[.,](?=\d*$)", number)
    groups = len(tail) == 3 and not head.startswith("0")
    grouping = groups and (len(marks) > 1 or language == "es" or marks[-1] == ",")
    if len(set(marks)) == 1 and grouping:
        return re.sub(r"[.,]", "", number), "", ""
    return re.sub(r"[.,]", "", head), tail, marks[-1]


def say(number: str, language: Language, noun: str = "") -> str:
    """Words of a written number, as "1,200.5".

    Args:
        number: As `NUMBER` matches it.
        language: Of the words.
        noun: What is counted, for the gender of a Spanish numeral.
    """
    integer, fraction, mark = parse(number, language)
    if len(integer) > _CARDINAL_DIGITS or (len(integer) > 1 and integer[0] == "0" and not mark):
        return digits(integer, language)
    words = cardinal(int(integer), language, "" if fraction else noun)
    if fraction:
        words += f" {_POINT[language][mark]} {digits(fraction, language)}"
    return words


def cardinal(value: int, language: Language, noun: str = "") -> str:
    """Words of a whole number below 10**15."""
    ruleset = "spellout-cardinal"
    if language == "es":
        ruleset = "spellout-numbering"
        if noun and noun.lower() not in _NOT_NOUNS:
            ruleset = f"spellout-cardinal-{'feminine' if is_feminine(noun) else 'masculine'}"
    return _words(str(value), language, FormatPurpose.CARDINAL, ruleset)


def ordinal(value: int, language: Language, gender: str = "masculine") -> str:
    """Words of "3rd" or "3.º".

    Args:
        value: From 1.
        language: Of the words.
        gender: "masculine", "feminine" or "masculine-adjective" (primer, tercer), in Spanish.
    """
    ruleset = "spellout-ordinal" if language == "en" else f"spellout-ordinal-{gender}"
    return _words(str(value), language, FormatPurpose.ORDINAL, ruleset)


def year(value: int, language: Language) -> str:
    """Words of a year: "nineteen ninety-nine"."""
    words = _words(str(value), language, FormatPurpose.YEAR, "spellout-numbering-year")
    return words.replace("oh-", "oh ")


def digits(text: str, language: Language) -> str:
    """Digit by digit; what is not a digit is dropped."""
    return " ".join(cardinal(int(digit), language) for digit in text if digit.isdecimal())


def is_feminine(noun: str) -> bool:
    """Guess the gender of a Spanish noun from its ending."""
    singular = noun.lower().removesuffix("s")
    if singular in _MASCULINE_A:
        return False
    if singular in _FEMININE or re.sub(r"c?e$", _final_z, singular) in _FEMININE:
        return True
    return singular.endswith(("a", "ción", "cione", "sión", "sione", "dad", "dade", "tud"))


def _final_z(m: re.Match[str]) -> str:
    return "z" if m[0] == "ce" else ""


def roman(text: str) -> int | None:
    """Value of a well-formed Roman numeral up to 3999, else None."""
    value = 0
    rest = text
    for symbols, worth in _ROMAN:
        while rest.startswith(symbols):
            value += worth
            rest = rest[len(symbols) :]
    return None if rest or _to_roman(value) != text else value


_ROMAN = (
    ("M", 1000), ("CM", 900), ("D", 500), ("CD", 400), ("C", 100), ("XC", 90), ("L", 50),
    ("XL", 40), ("X", 10), ("IX", 9), ("V", 5), ("IV", 4), ("I", 1),
)  # fmt: skip


def _to_roman(value: int) -> str:
    text = ""
    for symbols, worth in _ROMAN:
        count, value = divmod(value, worth)
        text += symbols * count
    return text
