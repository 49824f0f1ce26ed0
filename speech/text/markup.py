# ruff: noqa: RUF001  # the look-alikes are what it replaces
"""Takes the writing off a text: markdown, HTML, typography, emoticons, invisible characters.

Replies arrive clause by clause, so marks may be half open ("**Wait"); a parser of whole
documents does not fit, and every rule here works on a fragment.
"""

import html
import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‛": "'", "ʼ": "'", "′": "'", "“": '"', "”": '"', "„": '"',
        "″": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "−": "-", "…": "...", "⁄": "/",
        "—": " — ", "―": " — ", "\t": " ",
    }
)  # fmt: skip
_KEEP_ORDINAL_MARKS = str.maketrans({"º": "\ue000", "ª": "\ue001"})
_ORDINAL_MARKS = str.maketrans({"\ue000": "º", "\ue001": "ª"})

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"[ ]{2,}", " "),  # first, or the rules below take quadratic time on long runs
        (r"^[ ]?(?:```|~~~)[ \w+-]{0,40}$", ""),  # a fence, with its language
        (r"!?\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}(?:\([^()\s]{0,500}\))?[^()]{0,100}\)", r"\1"),
        (r"\[([^\[\]\n]{1,500})\]\[[^\[\]\n]{0,100}\]", r"\1"),  # [text][reference]
        (r"\[\^?\d{1,3}\]", ""),  # a footnote
        (
            r"^[ ]?\|?[ ]?:?-{2,}:?(?:[ ]?\|[ ]?:?-{2,}:?)*[ ]?\|?[ ]?$",
            "",
        ),  # a table's rule, or a line
        (r"^[ ]?(?:[*_-][ ]?){3,}$", ""),
        (r"^[ ]?#{1,6}[ ]+|[ ]#{1,6}[ ]?$", ""),
        (r"^[ ]?(?:>[ ]?)+", ""),
        (r"^[ ]?[-*+•‣▪◦·–—][ ]+(?:\[[ xX]\][ ]+)?", ""),
        (r"^[ ]?(\d{1,3})[.)][ ]+(?=\S)", r"\1, "),
        (r"^[ ]?\|[ ]?|[ ]?\|[ ]?$", ""),
        (r"[ ]?\|[ ]?", ", "),
        (r"</?[A-Za-z][^<>\n]{0,300}>|<!--.{0,1000}?-->", " "),
        (r"\\([\\`*_{}\[\]()#+.!|~-])", r"\1"),
        (r"(?<![\w*])\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}(?![\w*])", ""),
        (r"\*\*|~~|`+", ""),
        (r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)", ""),
        (r"(?<!\w)(?:[:;=8]-?[)(DPpO3|/\\]|<3|\^_\^|[xX]D)(?!\w)", ""),  # emoticons
        (r"(?<=[^\s.,:;!?])[ ]?\n+", ". "),
        (r"\s+", " "),
    )
)


def plain(text: str) -> str:
    """Return the words and numbers of `text` on one line, without its markup.

    Superscript digits become "^2", vulgar fractions "1/2", every digit and full-width or styled
    letter its ASCII or plain form.
    """
    text = html.unescape(text)
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: "^" + m[0].translate(_SUPERSCRIPTS), text)
    text = re.sub(r"(?<=\d)(?=[¼½¾⅐-⅞])", " ", text)
    text = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3})", "", text)  # spaces that group thousands
    text = text.translate(_SUBSCRIPTS).translate(_TYPOGRAPHY)
    text = re.sub(r"[™®©℠\ufe0f\u20e3]", "", text)
    text = text.translate(_KEEP_ORDINAL_MARKS)
    text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).translate(_ORDINAL_MARKS)
    text = "".join(map(_visible, text))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def _visible(character: str) -> str:
    """Keep a character, write a digit in ASCII, drop what is invisible."""
    if character.isascii():
        return character if character.isprintable() or character in "\n\t" else " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category[0] in "ZC" else character
