"""Addresses of the network, as one would say them over the telephone."""

import re
from collections.abc import Iterator

from speech.text.locale import Locale
from speech.text.numbers import digits

_LABEL = r"[A-Za-z0-9](?:[\w-]{0,62})"
_TLD = (
    r"(?:com|org|net|edu|gov|mil|int|info|app|dev|blog|shop|store|online|cloud|tech|xyz|local|"
    r"io|ai|co|es|mx|ar|cl|pe|uk|us|ca|de|fr|it|nl|eu|ch|au|jp|br|me|tv|gg|ly|to)"
)
EMAIL = re.compile(rf"\b[\w.+-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}}")
URL = re.compile(
    rf"\b(?:(?:https?|ftp)://|www\.)[^\s<>\"'()\[\]]{{1,2000}}"
    rf"|(?<![\w@.])(?:{_LABEL}\.){{1,6}}{_TLD}(?![\w-])(?!\.\w)(?:/[^\s<>\"'()\[\]]{{0,2000}})?"
)
_HANDLE = re.compile(r"(?<![\w@.])@(\w(?:[\w.]{0,40}\w)?)")
_HASHTAG = re.compile(r"(?<![\w&#])#([^\W\d]\w{0,60})")
_FILE = re.compile(r"(?<=[A-Za-z]{2})\.(?=[a-z]\w{0,9}\b)")
_UPPER = "A-ZÁÉÍÓÚÜÑ"
_PARTS = re.compile(
    rf"\d+|[{_UPPER}]?[^\W\d_{_UPPER}]+|[{_UPPER}]+(?![^\W\d_{_UPPER}])|[{_UPPER}]|[.@/_+-]"
)
_LONGEST_PATH = 40  # characters; nobody listens to a longer one


def say_addresses(text: str, locale: Locale) -> str:
    """Put the spoken form in place of e-mails, URLs, @handles, #hashtags and dotted names."""
    text = EMAIL.sub(lambda m: _say(m[0], locale), text)
    text = URL.sub(lambda m: _say_url(m[0], locale), text)
    text = _HANDLE.sub(lambda m: f"{locale.words['at']} {_say(m[1], locale, bar=' ')}", text)
    text = _HASHTAG.sub(lambda m: f"{locale.words['hashtag']} {_say(m[1], locale, bar=' ')}", text)
    return _FILE.sub(f" {locale.words['dot']} ", text)


def _spell(letters: str, locale: Locale) -> str:
    if not locale.letters:
        return " ".join(letters.upper())
    return " ".join(locale.letters.get(letter, letter) for letter in letters.lower())


def _say_url(url: str, locale: Locale) -> str:
    address = url.rstrip(".,;:!?*_")
    rest = url[len(address) :]
    address = re.sub(r"^(?:\w+://)?(?:www\.)?", "", re.split(r"[?#]", address)[0]).rstrip("/")
    domain, slash, path = address.partition("/")
    if len(path) <= _LONGEST_PATH:
        domain += slash + path
    return _say(re.sub(r"[^\w./+-]", " ", domain), locale) + rest


def _say(address: str, locale: Locale, bar: str = "") -> str:
    return " ".join(_spoken_parts(address, locale, bar))


def _spoken_parts(address: str, locale: Locale, bar: str) -> Iterator[str]:
    words = locale.words
    signs = {".": words["dot"], "@": words["at"], "/": words["slash"], "+": words["plus"]}
    signs |= {"-": words["dash"], "_": bar.strip() if bar else words["underscore"]}
    parts = _PARTS.findall(address)
    for i, part in enumerate(parts):
        if part in signs:
            yield signs[part]
        elif part.isdecimal():
            yield digits(part, locale.language)
        elif i and i == len(parts) - 1 and parts[i - 1] == "." and len(part) == 2:
            yield part if part in locale.domain_words else _spell(part, locale)
        else:
            yield part
