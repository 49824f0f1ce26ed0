# ruff: noqa: RUF001  # dashes that people type
"""What a voice should say for what a model wrote."""

import re
import unicodedata

from speech.text.english import ENGLISH
from speech.text.locale import Locale
from speech.text.markup import plain
from speech.text.quantities import say_quantities
from speech.text.spanish import SPANISH
from speech.text.web import say_addresses
from speech.types import Language

LOCALES: dict[Language, Locale] = {"en": ENGLISH, "es": SPANISH}

_CAPITALS = re.compile(r"\b[A-ZÁÉÍÓÚÜÑ]{2,}s?\b(?:[ ,]+[A-ZÁÉÍÓÚÜÑ]{2,}s?\b)*")
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}(?=(\s*$|\s+[A-Z])?)")
_LONG_WORD = 5  # letters; capitals this long are read as a word where they have a vowel
_SPANISH_WORD = re.compile(r"(?:[BCDFGLMNPRSTV]?[AEIOU]){2,}[NSLRDMX]?")


def normalise(text: str, language: Language) -> str:
    """Return the words that read `text` aloud.

    The result holds letters, single spaces, apostrophes and hyphens inside words, and the
    punctuation , . ? ! ; : ¿ ¡ but never a digit, symbol, emoji or markup. It is empty when
    there is nothing to say.
    """
    locale = LOCALES[language]
    text = plain(text)
    for pattern, replacement in locale.abbreviations:
        text = re.sub(pattern, replacement, text)
    text = say_addresses(text, locale)
    text = say_quantities(text, locale)
    text = _DOTTED.sub(lambda m: m[0].replace(".", "") + ("." if m[1] else ""), text)
    text = _CAPITALS.sub(lambda m: _say_capitals(m[0], locale), text)
    return _tidy(_say_symbols(text, locale))


def _say_capitals(run: str, locale: Locale) -> str:
    """Tell shouting from acronyms, and acronyms that are words from those that are spelled."""
    words = re.findall(r"[^\W\d_]+", run)
    shouting = len(words) > 1 and any(
        word in locale.shouted or _is_long_word(word)
        for word in words
        if word not in locale.spelled
    )
    return re.sub(r"[^\W\d_]+", lambda m: _say_capital_word(m[0], shouting, locale), run)


def _say_capital_word(word: str, shouting: bool, locale: Locale) -> str:
    stem = word.removesuffix("s")
    if stem in locale.acronym_words:
        return stem.capitalize() + word[len(stem) :]
    if stem not in locale.spelled:
        if stem in locale.shouted or _is_long_word(stem):
            return word.lower()
        if shouting and len(stem) > 2 and re.search("[AEIOUY]", _bare(stem)):
            return word.lower()
        if locale.language == "es" and len(stem) > 2 and _SPANISH_WORD.fullmatch(_bare(stem)):
            return word.lower()
    if locale.letters:
        return " ".join(locale.letters.get(letter, letter) for letter in stem.lower())
    return " ".join(stem) + word[len(stem) :]


def _is_long_word(word: str) -> bool:
    return len(word) >= _LONG_WORD and re.search("[AEIOUÁÉÍÓÚ]", word) is not None


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _say_symbols(text: str, locale: Locale) -> str:
    letter = r"[^\W\d_]"
    text = re.sub(rf"(?<={letter})/(?={letter})", f" {locale.words['or']} ", text)
    either = re.escape(f"{locale.words['and']} {locale.words['or']} {locale.words['or']}")
    text = re.sub(rf"\b{either}\b", f"{locale.words['and']} {locale.words['or']}", text)
    text = re.sub(r"[)\]}]\s*$", "", text)
    text = re.sub(r"\s[-–]+\s|\s?—\s?|\s?[→←⇒()\[\]{}]\s?", ", ", text)
    text = re.sub(r"\.{2,}(?=\s*\S)", ", ", text)
    for symbol, words in locale.symbols.items():
        if symbol in text:
            text = text.replace(symbol, f" {words} ")
    return text


def _tidy(text: str) -> str:
    """Keep what can be said, with punctuation as a voice expects it."""
    text = "".join(c if _speakable(c) else "" if c in '"*`' else " " for c in text)
    text = re.sub(r"(?<![^\W\d_])['-]+|['-]+(?![^\W\d_])", " ", text)
    text = re.sub(r"['-]{2,}", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"([¿¡])(?:\s?[¿¡])*\s?", r" \1", text)
    text = re.sub(r"[¿¡](?![^\W\d_])", "", text)
    text = re.sub(r"\s*([.,;:!?])(?:\s*[.,;:!?])*", _strongest, text)
    text = re.sub(r"^[\s.,;:!?]+", "", re.sub(r"\s+", " ", text)).strip()
    return text if any(map(str.isalpha, text)) else ""


def _strongest(m: re.Match[str]) -> str:
    return next(mark for mark in "?!.;:," if mark in m[0]) + " "


def _speakable(character: str) -> bool:
    if character in " ,.?!;:¿¡'-":
        return True
    return unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo"} and character not in "ºª"
