# ruff: noqa: RUF001  # dashes and signs that people type
"""Numbers in their settings: money, measures, telephone numbers, fractions, years, codes.

Each function takes and gives back a whole text; `say_quantities` runs them in the one order that
works, the particular before the general.
"""

import re

from speech.text import numbers
from speech.text.locale import Currency, Locale
from speech.text.moments import say_dates, say_times
from speech.text.numbers import (
    NUMBER,
    OPEN,
    RANGE,
    SHUT,
    any_of,
    cardinal,
    digits,
    ordinal,
    roman,
    say,
    year,
)  # fmt: skip

_CENTS = 2  # decimals of an amount that are said as cents


def say_quantities(text: str, locale: Locale) -> str:
    """Put words in place of every number in `text`."""
    for rule in (
        _versions, _phones, say_dates, say_times, _arithmetic, _signs, _money, _feet_and_inches,
        _decades, _units, _fractions, _ordinals, _years, _romans, _ranges, _codes, _numbers,
    ):  # fmt: skip
        text = rule(text, locale)
    return text


def _versions(text: str, locale: Locale) -> str:
    """Read v2.1, 10.0.1 and 192.168.0.1 number by number, and 1,2 in English as a list."""
    dot = f" {locale.words['dot' if locale.language == 'es' else 'point']} "

    def dotted(m: re.Match[str]) -> str:
        if not m[1] and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", m[2]):
            return m[0]
        version = f"{locale.words['version']} " if m[1] else ""
        return version + dot.join(say(part, locale.language) for part in m[2].split("."))

    text = re.sub(r"\b([vV])(\d{1,5}(?:\.\d{1,5}){0,4})\b", dotted, text)
    text = re.sub(OPEN + r"()(\d{1,9}(?:\.\d{1,9}){2,5})(?![\w-]|\.\d)", dotted, text)
    if locale.language == "en":
        text = re.sub(r"(?<=\d),(?=\d{1,2}(?!\d))", ", ", text)
    return text


def _phones(text: str, locale: Locale) -> str:
    """Read telephone and other grouped numbers digit by digit, with a comma between groups."""
    text = re.sub(OPEN + r"\d{1,3}(?: 000)+(?![\w-])", lambda m: m[0].replace(" ", ""), text)

    def say_groups(m: re.Match[str]) -> str:
        plus = f"{locale.words['plus']} " if m[0].startswith("+") else ""
        groups = re.findall(r"\d+", m[0])
        return plus + ", ".join(digits(group, locale.language) for group in groups)

    for shape in (
        r"\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){1,6}(?!\w)",
        r"(?<!\w)\(\d{2,4}\) ?\d{3,4}[ .-]?\d{3,4}(?!\w)",
        OPEN + r"(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}(?!\w)",
        OPEN + r"\d{3}-\d{4}(?![\w-])",
        OPEN + r"\d{3}[ -]\d{3}[ -]\d{3}(?![\w-])",
        OPEN + r"\d{2,3}(?:[ -]\d{2}){3,4}(?![\w-])",
        OPEN + r"\d{2} \d{3}(?: \d{2}){2}(?![\w-])",
        OPEN + r"\d{2} \d{4}[ -]\d{4}(?![\w-])",
        OPEN + r"(?!\d{4}-\d{1,2}-\d{1,2}(?!\w)|\d{1,2}-\d{1,2}-\d{2,4}(?!\w))"
        r"\d{1,6}(?:-\d{1,6}){2,6}(?![\w-])",
    ):
        text = re.sub(shape, say_groups, text)
    return text


def _arithmetic(text: str, locale: Locale) -> str:
    words = locale.words
    text = re.sub(r"(?<=[\w)])\s?\^\s?\{?2\}?(?![\d.])", f" {words['squared']}", text)
    text = re.sub(r"(?<=[\w)])\s?\^\s?\{?3\}?(?![\d.])", f" {words['cubed']}", text)
    text = re.sub(r"(?<=[\w)])\s?\^\s?\{?(?=[\w(-])", f" {words['power']} ", text)
    text = re.sub(r"(?<=[\d)])\s?[*×·]\s?(?=[\d(])", f" {words['times']} ", text)
    text = re.sub(r"(?<=\d)x(?= [a-z])", f" {words['times']}", text)
    text = re.sub(r"(?<=\d)\s?x\s?(?=\d)", f" {words['by']} ", text)
    if "=" in text:
        text = re.sub(r"(?<=[\d)])\s?[-–]\s?(?=[\d(])", f" {words['minus']} ", text)
        text = re.sub(r"(?<=[\w)]) [-–] (?=[\w(])", f" {words['minus']} ", text)
        text = re.sub(r"(?<=[\d)])\s?/\s?(?=[\d(])", f" {words['over']} ", text)
    return text


def _signs(text: str, locale: Locale) -> str:
    words = locale.words
    text = re.sub(r"(?:(?<=^)|(?<=[\s(=:,$€£]))-(?=[$€£]?\d)", f"{words['minus']} ", text)
    text = re.sub(r"(?:(?<=^)|(?<=[\s(=:,]))~\s?(?=[$€£]?\d)", f"{words['about']} ", text)
    text = re.sub(r"(?:(?<=^)|(?<=[\s(=:,]))#\s?(?=\d)", f"{words['number']} ", text)
    return re.sub(r"(?<=\d)\s?\+(?=[\s,.;:!?)]|$)", f" {words['plus']}", text)


def _money(text: str, locale: Locale) -> str:
    currency = f"({any_of(locale.currencies)})"
    scale = f"(?:\\s?({any_of(locale.scales)})\\b)?"

    def amount(first: str | None, second: str, scale: str | None, sign: str) -> str:
        words = _amount(second, scale, locale.currencies[sign], locale)
        start = f"{say(first, locale.language)} {locale.words['to']} " if first else ""
        return start + words

    text = re.sub(
        rf"(?<!\w){currency}\s?(?:({NUMBER}){RANGE}(?:{currency})?)?({NUMBER}){scale}(?!\w)",
        lambda m: amount(m[2], m[4], m[5], m[1]),
        text,
    )
    return re.sub(
        rf"{OPEN}(?:({NUMBER}){RANGE})?({NUMBER}){scale}\s?(?:de )?{currency}(?!\w)",
        lambda m: amount(m[1], m[2], m[3], m[4]),
        text,
    )


def _amount(number: str, scale: str | None, currency: Currency, locale: Locale) -> str:
    integer, fraction, _ = numbers.parse(number, locale.language)
    if scale:
        of = locale.words["of"] if locale.scales[scale].endswith(("ón", "ones")) else ""
        return f"{say(number, locale.language)} {locale.scales[scale]} {of}{currency.many}"
    if len(fraction) > _CENTS or (fraction and not currency.cent):
        return f"{say(number, locale.language)} {currency.many}"
    cents = int(fraction.ljust(_CENTS, "0")) if fraction else 0
    name = currency.one if int(integer) == 1 else currency.many
    whole = f"{say(integer, locale.language, name.split()[0])} {name}"
    if locale.language == "es" and re.search(r"(?:ón|ones) ", whole) and int(integer) % 10**6 == 0:
        whole = whole.replace(f" {name}", f" de {name}")
    if not cents:
        return whole
    small = currency.cent if cents == 1 else currency.cents
    part = f"{cardinal(cents, locale.language, small)} {small}"
    return part if int(integer) == 0 else f"{whole} {locale.words['cents']} {part}"


def _feet_and_inches(text: str, locale: Locale) -> str:
    def height(m: re.Match[str]) -> str:
        feet, inches = (cardinal(int(part), locale.language) for part in m.groups())
        return f"{feet} {locale.words['feet']} {inches} {locale.words['inches']}"

    return re.sub(rf"{OPEN}(\d{{1,2}})' ?(\d{{1,2}})(?:\"|'')", height, text)


def _units(text: str, locale: Locale) -> str:
    # `_arithmetic` has already read "m²" as "m squared"
    squared, cubed = f" {locale.words['squared']}", f" {locale.words['cubed']}"
    forms = {unit.replace("²", squared).replace("³", cubed): unit for unit in locale.units}

    def measure(m: re.Match[str]) -> str:
        first, number, unit, per = m.groups()
        integer, fraction, _ = numbers.parse(number, locale.language)
        one, many = locale.units[forms[unit]]
        name = one if integer == "1" and not fraction else many
        text = f"{say(number, locale.language, name.split()[0])} {name}"
        if first:
            start = say(first, locale.language, many.split()[0])
            text = f"{start} {locale.words['to']} {text}"
        return f"{text} {locale.words['per']} {locale.units[forms[per]][0]}" if per else text

    unit = f"({any_of(forms)})"
    lower = rf"(?:({NUMBER})(?:\s?[%°º])?{RANGE})?"
    return re.sub(rf"{OPEN}{lower}({NUMBER})[\s-]?{unit}(?:/{unit})?(?![\w/'’])", measure, text)


def _fractions(text: str, locale: Locale) -> str:
    def fraction(m: re.Match[str]) -> str:
        whole, top, bottom = m[1], int(m[2]), int(m[3])
        if not bottom:
            return f"{m[2]} {locale.words['slash']} {m[3]}"
        words = locale.fraction(top, bottom)
        if not whole:
            return words
        if locale.language == "en" and top == 1 and bottom in (2, 4):
            words = f"a {words.split()[1]}"
        words = words.removeprefix("un ") if bottom == 2 else words
        return f"{cardinal(int(whole), locale.language)} {locale.words['half']} {words}"

    return re.sub(rf"{OPEN}(?:(\d{{1,6}}) )?(\d{{1,4}})/(\d{{1,4}}){SHUT}", fraction, text)


def _ordinals(text: str, locale: Locale) -> str:
    if locale.language == "en":
        return re.sub(
            r"(?<![\w.,])(\d{1,3}(?:,\d{3})*)(?:st|nd|rd|th)\b",
            lambda m: (
                ordinal(int(m[1].replace(",", "")), "en") if len(m[1]) <= 12 else digits(m[1], "en")
            ),
            text,
        )
    genders = {"er": "masculine-adjective", "ª": "feminine", "ra": "feminine", "da": "feminine"}
    return re.sub(
        r"(?<![\w.,])(\d{1,4})\.?(er|º|ª|[rv]o|[dt]o|[rd]a)(?!\w)",
        lambda m: ordinal(int(m[1]), "es", genders.get(m[2], "masculine")) if int(m[1]) else m[1],
        text,
    )


def _decades(text: str, locale: Locale) -> str:
    if locale.language != "en":
        return text

    def decade(m: re.Match[str]) -> str:
        words = year(int(m[1] + m[2]), "en") if m[1] else cardinal(int(m[2]), "en")
        return re.sub(r"y$", "ies", words) if words.endswith("y") else f"{words}s"

    return re.sub(r"(?<!\w)'?(1\d|20)?(\d0)'?s\b", decade, text)


def _years(text: str, locale: Locale) -> str:
    """Read English years in pairs. Spanish reads a year as any number."""
    if locale.language != "en":
        return text

    def pair(m: re.Match[str]) -> str:
        return f"{year(int(m[1]), 'en')} {locale.words['to']} {year(int(m[2]), 'en')}"

    counted = r"(?![\w/]|[.,:]\d|-\d| (?:[a-z]+s|people|percent|men|women|children|feet)\b)"
    four = r"(10[1-9]\d|1[1-9]\d\d|20\d\d)"
    text = re.sub(r"(?<=[a-z])-(?=(?:19|20)\d\d\b)", " ", text)  # pre-2020
    text = re.sub(rf"{OPEN}{four}{RANGE}{four}{SHUT}", pair, text)
    before = (
        r"\b([Ii]n|[Ss]ince|[Bb]y|[Uu]ntil|[Bb]efore|[Aa]fter|[Cc]irca|[Dd]uring|[Yy]ear|[Ff]rom)"
    )
    text = re.sub(rf"{before} {four}{counted}", lambda m: f"{m[1]} {year(int(m[2]), 'en')}", text)
    likely = r"(19\d\d|20[0-4]\d)"
    return re.sub(rf"{OPEN}{likely}{counted}", lambda m: year(int(m[1]), "en"), text)


def _romans(text: str, locale: Locale) -> str:
    def numeral(m: re.Match[str]) -> str:
        value = roman(m[2])
        if value is None:
            return m[0]
        return f"{m[1]} {locale.roman(m[1], value)}".lstrip()

    # XL, CD and MIX are words of their own
    several = r"([IVX]{2,6}|L[IVX]{2,6}|XL[IVX]{1,5})"
    text = re.sub(rf"\b([^\W\d_]{{2,20}}) {several}\b(?![-'.]\w)", numeral, text)
    text = re.sub(rf"(?<![\w-])(){several}\b(?![-'.]\w)", numeral, text)
    context = (
        r"[Ss]iglo|[Cc]apítulo|[Pp]arte|[Tt]omo|[Aa]cto|Felipe|Carlos|Alfonso|Isabel|Fernando|Pablo"
        if locale.language == "es"
        else r"[Cc]hapter|[Pp]art|[Vv]olume|[Aa]ct|[Ss]ection|Type|Louis|Henry|Charles|George"
    )
    single = r"[IVXLCDM]{1,7}" if locale.language == "es" else r"[VXLCDM][IVXLCDM]{0,6}"
    return re.sub(rf"\b({context}) ({single})\b(?![-'.]\w)", numeral, text)


def _ranges(text: str, locale: Locale) -> str:
    def both(m: re.Match[str]) -> str:
        return f"{m[1]} {locale.words['to']} {m[2]}"

    text = re.sub(rf"{OPEN}({NUMBER}){RANGE}({NUMBER}){SHUT}(?!-)", both, text)
    return re.sub(rf"{OPEN}(\d{{1,4}}):(\d{{1,4}}){SHUT}", both, text)


def _codes(text: str, locale: Locale) -> str:
    """Set numbers free from the letters they are stuck to: COVID-19, GPT-4, 4K, MP3."""
    text = re.sub(
        rf"{OPEN}({NUMBER}k|\d{{2,3}}K)\b", lambda m: f"{m[1][:-1]} {locale.scales['k']}", text
    )
    text = re.sub(rf"{OPEN}({NUMBER})M\b", rf"\1 {locale.scales['M']}", text)
    text = re.sub(r"(?<=[^\W\d_])[-_]?(?=\d)", " ", text)
    return re.sub(r"(?<=\d)[-_]?(?=[^\W\d_])", " ", text)


def _numbers(text: str, locale: Locale) -> str:
    def number(m: re.Match[str]) -> str:
        return f" {say(m[1], locale.language, m[2] or '')} "

    return re.sub(rf"({NUMBER})(?=(?: ([^\W\d_]+))?)", number, text)
