"""Whether words end amid what people say piece by piece: numbers, letters, addresses.

What recognisers make of it differs: "five five five, one two" is written so, or 555-12, or 55512.
So what counts is how many digits and letters there are and what was announced. What is announced is
dictated only as long as pieces follow: "my number is" and "my number is 555" are, "my number is the
same" is not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from speech.types import Language


@dataclass(frozen=True, slots=True)
class _Dictation:
    digits: frozenset[str]
    tens: re.Pattern[str]  # numbers of two digits, in words
    word_letters: frozenset[str]  # letters that are words, too
    letter_names: frozenset[str]
    plus: str
    number: re.Pattern[str]  # announces digits and letters
    code: re.Pattern[str]  # likewise, without a verb
    amid: frozenset[str]  # said between an announcement and its pieces
    asked: re.Pattern[str]  # before a noun that is not announced, but asked for
    lengths: tuple[tuple[re.Pattern[str], int], ...]  # digits and letters, by what is announced
    whole_number: int  # digits of a telephone number
    whole_code: re.Pattern[str]  # of a national format
    mail: re.Pattern[str]  # announces an e-mail address
    mail_goes_on: re.Pattern[str]
    place: re.Pattern[str]  # announces where somebody lives
    place_goes_on: re.Pattern[str]
    spelling: re.Pattern[str]
    said_of_it: frozenset[str]  # begins what is said of an address that is not told


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IS: Final = r"[^.?!]{0,20}?(?:'s\b|\bis\b|\bwas\b)"
_ES: Final = r"[^.?!]{0,20}?\bes\b"
_MAIL: Final = r"\be-?mail\b|\bcorreo\b"

_DICTATIONS: Final[Mapping[Language, _Dictation]] = {
    "en": _Dictation(
        digits=_words("zero oh one two three four five six seven eight nine double triple"),
        tens=re.compile(
            r"\b(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[ -](?:one|two|three|four|five|six"
            r"|seven|eight|nine))?|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen)\b",
            re.IGNORECASE,
        ),
        word_letters=_words("a i"),
        letter_names=_words("zed"),
        plus="plus",
        number=re.compile(
            r"\b(?:number|phone|mobile|cell|code|pin|passport|iban|account|card|reference|id|zip"
            rf"|postcode|expiry|expiration)\b{_IS}"
            r"|\b(?:call|reach|text) me (?:on|at)(?= \+?\d{3})"
        ),
        code=re.compile(r"\b(?:code|iban|reference|postcode)\b"),
        amid=_words("the it's is was plus area code and um uh er so like"),
        asked=re.compile(r"\b(?:what|which|know|tell)\b"),
        lengths=(
            (re.compile(r"\bcard\b(?!.*(code|pin|expir))"), 16),
            (re.compile(r"\biban\b"), 22),
            (re.compile(r"\bpin\b|\bexpir"), 4),
            (re.compile(r"\bzip\b|\bpostcode\b"), 5),
            (re.compile(r"\bcode\b|\breference\b|\bid\b"), 6),
            (re.compile(r"\baccount\b"), 8),
        ),
        whole_number=10,
        whole_code=re.compile(r"\b[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}$"),  # a British postcode
        mail=re.compile(rf"(?:{_MAIL}){_IS}"),
        mail_goes_on=re.compile(
            r"(?<!the )\bdot$|\bunderscore(?: [\w-]+)?$|@\s?[\w-]*$"
            r"|(?:\w\.\w[\w.-]*|\b(?:dot|underscore|dash|hyphen) [\w-]+) at(?: [\w-]+)?$"
        ),
        place=re.compile(rf"\baddress\b{_IS}|\blive at (?=\d+\W*$)"),
        place_goes_on=re.compile(r"[\d,] ?(?:[\w ]+, )?(?:apartment|apt|flat|unit|suite)$"),
        spelling=re.compile(
            r"\b(?:spelled|spelt)(?: as)?$|\b[a-z] as(?: in\b[\w ]*)?(?:, [a-z])?$"
            r"|(?:^|, |'s |\bis )[a-z] for(?: \w+)?$"
        ),
        said_of_it=_words("not still also too very so already always on in at no"),
    ),
    "es": _Dictation(
        digits=_words("cero uno dos tres cuatro cinco seis siete ocho nueve doble triple"),
        tens=re.compile(
            r"\b(?:(?:tre|cuare|cincue|sese|sete|oche|nove)i?nta(?: y (?:uno|dos|tres|cuatro|cinco"
            r"|seis|siete|ocho|nueve))?|diez|once|doce|trece|catorce|quince|dieci\w+|veint\w+)\b",
            re.IGNORECASE,
        ),
        word_letters=_words("a e o u y"),
        letter_names=_words("ce ge hache jota ka ele eme ene eñe cu erre uve equis zeta"),
        plus="más",
        number=re.compile(
            r"\b(?:n[uú]mero|tel[eé]fono|m[oó]vil|celular|c[oó]digo|pin|pasaporte|iban|cuenta"
            rf"|tarjeta|dni|nie|localizador|referencia|matr[ií]cula)\b{_ES}"
            r"|\bllam\w+ al(?= \+?\d\d)"
        ),
        code=re.compile(r"\b(?:c[oó]digo|iban|dni|nie|localizador|referencia|matr[ií]cula)\b"),
        amid=_words("el la es más y eh em mmm este"),
        asked=re.compile(r"\b(?:cu[aá]l|qu[eé]|saber|sabe|sabes|d[ií]game|dime)\b"),
        lengths=(
            (re.compile(r"\btarjeta\b(?!.*(c[oó]digo|pin))"), 16),
            (re.compile(r"\biban\b"), 24),
            (re.compile(r"\bpin\b"), 4),
            (re.compile(r"\bpostal\b"), 5),
            (re.compile(r"\bmatr"), 7),
            (re.compile(r"\bc[oó]digo\b|\blocalizador\b|\breferencia\b"), 6),
        ),
        whole_number=9,
        whole_code=re.compile(r"\b\d{8}-?[a-z]$"),  # a Spanish identity card
        mail=re.compile(rf"(?:{_MAIL}){_ES}"),
        mail_goes_on=re.compile(
            r"(?<!\ben )\bpunto$|(?<!\b[eu][ln] )\bgui[oó]n(?: bajo(?: [\w-]+)?)?$"
            r"|\barroba(?: [\w-]+)?$|@\s?[\w-]*$"
        ),
        place=re.compile(
            rf"\b(?:direcci[oó]n|domicilio)\b{_ES}|\bviv\w+ en (?:la |el )?"
            r"(?=(?:calle|avenida|plaza|paseo|carretera|camino)\b[^\d]*$)"
        ),
        place_goes_on=re.compile(
            r"\bcalle\b.*, (?:\d+|n[uú]mero)$|[\d,] ?(?:piso|puerta|portal|escalera)$"
        ),
        spelling=re.compile(
            r"\bse (?:escribe|deletrea)(?: as[ií]| con)?$"
            r"|\b(?:[b-df-hj-np-tvwxz]|be|uve) de(?: \w+(?:, \w)?)?$"
        ),
        said_of_it=_words("no ya muy también siempre tan en de"),
    ),
}

_SAID_AT_ONCE: Final = re.compile(r"(?<=\d)[:.,/](?=\d)")  # 1,000 and 2.5 and 3/5/1990
_CLOCK: Final = re.compile(r"\b\d{1,2}:\d\d\b|\b0[.,](?=\d)")
_NO_CODE: Final = re.compile(r"\d+(?:st|nd|rd|th|am|pm|h|k|m|km|kg|g|cm|mm|s|x|[ºª])")  # 3rd, 5pm
_MAIL_DONE: Final = re.compile(
    r"(?:@|\bat |\barroba )\s?[\w-]+(?:(?:\.| (?:dot|punto) )[\w-]+)*"
    r"(?:\.| (?:dot|punto) )(?!co$)[a-z]{2,}$"
)
_SITE_DONE: Final = re.compile(r"\bwww\.\S+\.[a-z]{2,}$")
_PLACE_DONE: Final = re.compile(r"\d.*,\s*[^\d,]+$|\d [^\d,]*, .*[a-z\d]{3,}$")
_AT_END: Final = " .,-"
_CAPITALS: Final = re.compile(r"\b[A-Z]{2,4}\b")  # letters that were written as one word
_TENS: Final = "##"  # stands for a number of two digits
_LEAST_PIECES: Final = 3  # digits or letters in two words or more
_CARD_GROUP, _CARD_DIGITS = 4, 16


@dataclass(slots=True)
class _Run:
    """The pieces that words end in."""

    sizes: list[int]  # digits and letters of each, the last one first
    letters: str = ""
    spoken: int = 0  # pieces that are digits in words
    tens: int = 0
    is_code: bool = False  # one of them is digits and letters
    plus: bool = False
    first: str = ""
    last: str = ""

    @property
    def size(self) -> int:
        return sum(self.sizes)


def has_address(text: str) -> bool:
    """True if the text ends with a whole e-mail or web address.

    Args:
        text: In lower case.
    """
    bare = text.rstrip(" .,!")
    return bool(_MAIL_DONE.search(bare) or _SITE_DONE.search(bare))


def is_dictated(text: str, language: Language) -> bool:
    """Say whether more pieces must come.

    Args:
        text: As recognised; capitals tell letters from words.
        language: Of the words.
    """
    rules = _DICTATIONS[language]
    lower = text.lower()
    bare = lower.rstrip(_AT_END)
    if has_address(lower) or rules.whole_code.search(bare):
        return False
    if (announced := _announced(text, rules)) is not None:
        return announced
    if any(rule.search(bare) for rule in (rules.mail_goes_on, rules.place_goes_on, rules.spelling)):
        return True
    tokens = _tokens(text, rules)
    return _is_amid(_run_of(tokens, rules), tokens, rules)


def _announced(text: str, rules: _Dictation) -> bool | None:
    """Whether what was announced is still to come; None if nothing was, or something is said."""
    lower = text.lower()
    bare = lower.rstrip(_AT_END)
    if mail := _last(rules.mail, lower):
        return _told(lower[mail.end() :], rules)
    if place := _last(rules.place, lower):
        is_whole = _PLACE_DONE.search(bare) and not rules.place_goes_on.search(bare)
        return not is_whole and _told(lower[place.end() :], rules)
    number = _last(rules.number, lower)
    if not (found := number or _last(rules.code, lower)):
        return None
    rest = _tokens(_CAPITALS.sub(_spaced, text[found.end() :]), rules)
    told = [token for token in rest if token.lower() not in rules.amid]
    if not told:
        is_asked = rules.asked.search(lower[: found.start()])
        return None if is_asked or not number else True
    run = _run_of(told, rules)
    if len(run.sizes) < len(told):
        return None
    run.plus |= rules.plus in map(str.lower, rest)
    return run.size < _length(lower[: found.end()], run, rules)


def _last(rule: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(rule.finditer(text), key=re.Match.end, default=None)


def _spaced(word: re.Match[str]) -> str:
    return " ".join(word.group())


def _told(rest: str, rules: _Dictation) -> bool | None:
    """Whether an address is told in the rest of a sentence; None if something is said of it."""
    words = re.findall(r"[\w']+", rest)
    return None if words and words[0] in rules.said_of_it else True


def _length(announced: str, run: _Run, rules: _Dictation) -> int:
    sentence = re.split(r"[.?!]\s", announced)[-1]
    for what, length in rules.lengths:
        if what.search(sentence):
            return length
    return _whole(run, rules)


def _whole(run: _Run, rules: _Dictation) -> int:
    """Digits of a number that begins like this."""
    groups = run.sizes[::-1]
    full = groups[:-1]
    if len(full) > 1 and all(group == _CARD_GROUP for group in full) and groups[-1] <= _CARD_GROUP:
        return _CARD_DIGITS
    return rules.whole_number + run.plus


def _is_amid(run: _Run, tokens: Sequence[str], rules: _Dictation) -> bool:
    """Whether pieces that nothing announced are amid a number, a code, or a word that is spelt."""
    pieces = len(run.sizes)
    if not pieces or run.size >= _whole(run, rules):
        return False
    said = {token.lower() for token in tokens[: len(tokens) - pieces]}
    if run.letters and run.letters in said:  # "Smith, S M I T H"
        return False
    is_alone = pieces == len(tokens)
    if pieces == 1:
        starts_number = run.plus or (run.last.isdecimal() and run.last.startswith("0"))
        return run.size >= _LEAST_PIECES and (run.is_code or starts_number)
    if _is_date(run) or (run.tens and pieces < _LEAST_PIECES):
        return False
    return is_alone or run.size >= _LEAST_PIECES or run.spoken + len(run.letters) > 1


def _is_date(run: _Run) -> bool:
    """Whether it is a day and a year, as in "March 3, 1990"."""
    is_year = re.fullmatch(r"(?:19|20)\d\d", run.last)
    return bool(is_year and len(run.sizes) == 2 and run.first.isdecimal() and int(run.first) <= 31)


def _tokens(text: str, rules: _Dictation) -> list[str]:
    text = _SAID_AT_ONCE.sub("", _CLOCK.sub("9", text))
    text = rules.tens.sub(_TENS, text)
    found = (word.strip(".'") for word in re.findall(r"[\w'.+#]+", text))
    return [word for word in found if word]


def _run_of(tokens: Sequence[str], rules: _Dictation) -> _Run:
    run = _Run([])
    for at in range(len(tokens) - 1, -1, -1):
        if not (size := _size(tokens, at, run, rules)):
            run.plus |= tokens[at].lower() == rules.plus
            break
        run.sizes.append(size)
        run.first, run.last = tokens[at], run.last or tokens[at]
    return run


def _size(tokens: Sequence[str], at: int, run: _Run, rules: _Dictation) -> int:
    """How many digits and letters a word is, as one piece of a run; 0 if it is none."""
    word = tokens[at].lower()
    if word.lstrip("+").isdecimal():
        run.plus |= word.startswith("+")
        return len(word.lstrip("+"))
    if word == _TENS:
        run.tens += 1
        return len(_TENS)
    if word in rules.digits:
        run.spoken += 1
        return 1
    if word in rules.letter_names or (len(word) == 1 and _is_letter(tokens, at, run, rules)):
        run.letters = word[0] + run.letters
        return 1
    if re.search(r"\d", word) and re.fullmatch(r"[a-z\d]+", word) and not _NO_CODE.fullmatch(word):
        run.is_code = True
        return len(word)
    return 0


def _is_letter(tokens: Sequence[str], at: int, run: _Run, rules: _Dictation) -> bool:
    """Whether a word of one letter is a letter; "a" is one beside another, or with a capital."""
    token = tokens[at]
    if not token.isalpha():
        return False
    if token.lower() not in rules.word_letters:
        return True
    if token.isupper() and token != "I" and at > 0:
        return True
    before = tokens[at - 1].lower() if at else ""
    is_beside = before.isalpha() and len(before) == 1 and before not in rules.word_letters
    return bool(run.letters) or is_beside or before in rules.letter_names
