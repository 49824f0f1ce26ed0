"""What a language brings to reading a text aloud: its words for signs, units, money and dates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from speech.types import Language


@dataclass(frozen=True, slots=True)
class Currency:
    """Names of a currency and of its hundredth ("" where there is none in use)."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


@dataclass(frozen=True, slots=True)
class Locale:
    """Words and rules of one language.

    Attributes:
        language: Code of the language.
        words: The small words that rules need, by the rule's own name for them.
        symbols: Spoken form of a symbol that no rule took.
        units: Symbol -> (singular, plural).
        currencies: Symbol or ISO 4217 code -> names.
        scales: Suffix of an amount ("k", "million") -> spoken form.
        abbreviations: (pattern, replacement) pairs, tried in order.
        months: Month's names and abbreviations in lower case -> its number.
        acronym_words: Capitals that are read as a word ("NASA").
        spelled: Capitals that are always spelled, however they look.
        shouted: Ordinary words that people put in capitals.
        letters: Name of a letter, for a voice that can't read a lone capital.
        domain_words: Two-letter ends of a domain that are read as a word.
        date: (year or None, month, day) -> words.
        time: (hour, minute, second or None, "am" | "pm" | "") -> words.
        fraction: (numerator, denominator) -> words.
        roman: (word before, numeral's value) -> words.
    """

    language: Language
    words: Mapping[str, str]
    symbols: Mapping[str, str]
    units: Mapping[str, tuple[str, str]]
    currencies: Mapping[str, Currency]
    scales: Mapping[str, str]
    abbreviations: tuple[tuple[str, str], ...]
    months: Mapping[str, int]
    acronym_words: frozenset[str]
    spelled: frozenset[str]
    shouted: frozenset[str]
    date: Callable[[int | None, int, int], str]
    time: Callable[[int, int, int | None, str], str]
    fraction: Callable[[int, int], str]
    roman: Callable[[str, int], str]
    letters: Mapping[str, str] = field(default_factory=dict)
    domain_words: frozenset[str] = frozenset()
