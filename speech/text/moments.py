# ruff: noqa: RUF001  # dashes that people type
# dashes and signs that people type
"""Dates and times of day."""

import re

from speech.text.locale import Locale
from speech.text.numbers import OPEN, RANGE, any_of, cardinal, ordinal, year


def say_dates(text: str, locale: Locale) -> str:
    """Put words in place of dates, in digits (the language's own order, or ISO 8601) or named."""

    def numeric(y: str, month: int, day: int, otherwise: str) -> str:
        if month > 12 >= day:
            month, day = day, month
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return otherwise
        full = int(y) if len(y) != 2 else int(y) + (2000 if int(y) < 70 else 1900)
        return locale.date(full, month, day)

    def local(m: re.Match[str]) -> str:
        first, second = int(m[1]), int(m[2])
        month, day = (first, second) if locale.language == "en" else (second, first)
        return numeric(m[3], month, day, m[0])

    iso = OPEN + r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:T(?=\d)|(?![\w-]))"
    text = re.sub(iso, lambda m: numeric(m[1], int(m[2]), int(m[3]), m[0]) + " ", text)
    text = re.sub(OPEN + r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?![\w-])", local, text)
    return _english_dates(text, locale) if locale.language == "en" else _spanish_dates(text, locale)


def _english_dates(text: str, locale: Locale) -> str:
    name = "(" + any_of(n.capitalize() for n in locale.months) + r")\.?"
    y = r"(?:,? (\d{4})(?![\w-]|[.,]\d))?"

    def date(y: str | None, month: str, day: str, otherwise: str) -> str:
        if not 1 <= int(day) <= 31:
            return otherwise
        return locale.date(int(y) if y else None, locale.months[month.lower()], int(day))

    def day_first(m: re.Match[str]) -> str:
        if not (m[1] or m[3]) or not 1 <= int(m[2]) <= 31:
            return (m[1] or "") + date(m[5], m[4], m[2], m[0].removeprefix(m[1] or ""))
        text = f"{m[1] or 'the '}{ordinal(int(m[2]), 'en')} of {_month(m[4], locale)}"
        return f"{text}, {year(int(m[5]), 'en')}" if m[5] else text

    text = re.sub(
        rf"\b{name} (\d{{1,2}})(?:st|nd|rd|th)?{y}(?![\w:/]|[.,]\d)",
        lambda m: date(m[3], m[1], m[2], m[0]),
        text,
    )
    text = re.sub(
        rf"(\b[Tt]he )?{OPEN}(\d{{1,2}})(?:st|nd|rd|th)? (of )?{name}{y}(?!\w)",
        day_first,
        text,
    )
    return re.sub(
        rf"\b{name} (\d{{4}})(?![\w-]|[.,]\d)",
        lambda m: f"{_month(m[1], locale)} {year(int(m[2]), 'en')}",
        text,
    )


def _month(name: str, locale: Locale) -> str:
    return locale.date(None, locale.months[name.lower()], 1).split()[0]


def _spanish_dates(text: str, locale: Locale) -> str:
    name = f"({any_of(locale.months)})"

    def date(m: re.Match[str]) -> str:
        if not 1 <= int(m[1]) <= 31:
            return m[0]
        return locale.date(int(m[3]) if m[3] else None, locale.months[m[2].lower()], int(m[1]))

    y = r"(?:,? (?:del? )?(\d{4})(?!\w|[.,]\d))?"
    day = rf"{OPEN}(\d{{1,2}})(?:º|\.º)? (?:de )?{name}\b\.?"
    return re.sub(day + y, date, text, flags=re.IGNORECASE)


def say_times(text: str, locale: Locale) -> str:
    """Put words in place of times of day, of 12 hours or 24."""
    half = r"(?: ?([ap])\.? ?m\b(\.(?= *$| +(?-i:[A-ZÁÉÍÓÚ¿¡])))?\.?)"

    def clock(m: re.Match[str]) -> str:
        hour, minute, second = int(m[1]), int(m[2]), int(m[3]) if m[3] else None
        if hour > 24 or minute > 59 or (second or 0) > 59:
            return m[0]
        meridiem = f"{m[4].lower()}m" if m[4] else ""
        return locale.time(hour, minute, second, meridiem) + (m[5] or "")

    def hour_only(m: re.Match[str]) -> str:
        first = ""
        if m[1]:
            first = f"{cardinal(int(m[1]), locale.language, 'hora')} {locale.words['to']} "
        return first + locale.time(int(m[2]), 0, None, f"{m[3].lower()}m") + (m[4] or "")

    until = r"(?:(?<=:\d\d)|(?<=[ap]m)|(?<=[ap]\.m\.))\s?[-–]\s?(?=\d{1,2}(?::\d\d| ?[ap]\.?m))"
    text = re.sub(until, f" {locale.words['to']} ", text, flags=re.IGNORECASE)
    text = re.sub(
        OPEN
        + rf"(\d{{1,2}}):(\d\d)(?::(\d\d)(?:\.\d+)?)?{half}?(?:Z| ?(?:horas|hs?)\b\.?)?(?![\w:])",
        clock,
        text,
        flags=re.IGNORECASE,
    )
    return re.sub(
        rf"{OPEN}(?:(\d{{1,2}}){RANGE})?(\d{{1,2}}){half}(?!\w)",
        hour_only,
        text,
        flags=re.IGNORECASE,
    )
