# ruff: noqa: RUF001, SIM905  # marks that models write; word lists read best as prose
"""Cuts a reply, while it is being written, into stretches that are spoken at once.

The first is short, for its length is the wait before the first sound, and so is the second after a
first of one word ("Sure,"), which is soon over; the later ones are about as long as a breath, for
a voice sounds better the more it sees at once. While somebody waits for the first, it ends before
the next phrase, if it is long enough to give the model time for the second.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

from speech.text.normalise import normalise
from speech.types import Clause, Language

# Before a comma. Kokoro mispronounces a lone "Hola,", and takes longer to make the next piece.
_FIRST_MIN_WORDS: dict[Language, int] = {"en": 1, "es": 2}
FIRST_WORDS = 7
_LATER_MIN_WORDS = 8  # before a comma
_LATER_MAX_WORDS = 18
_FEWEST_WORDS = 4  # of a piece that is cut between two words
_PATIENCE = 1.5  # times the limit, a piece waits for a place between words that sounds right
_LONGEST = 600  # characters, of a piece that nothing ends

_BREAK = re.compile(
    r"""(?P<line>\n\s*)
    |(?P<sentence>[.!?…。！？]{1,3}["'”’»)\]*_`]{0,4}\s+)
    |(?P<clause>[,;:]["'”’»)*_`]{0,4}\s+|\s[—–-]{1,3}\s+|—\s*)
    |(?P<word>\s+)""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"(?:(?<![^\W_])(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Sr|Sra|Srta|Dra|Gen|Sen|Rev|Capt|Lt|Sgt|Col|Jr|vs|"
    r"etc|No|no|pp|vol|fig|art|cap|núm|págs?|approx|aprox|Inc|Ltd|Corp|dept|est|tel|Avd?a?|Uds?|"
    r"Vds?|Lic|Ing|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|ej|máx|mín|Sta|Sto|EE|JJ|[^\W\d_])"
    r"|(?:^|\n)\W{0,6}\d{1,3})\.\W*$"
)
_LETTERS = re.compile(r"[^\W\d_]+")
# A link, or the beginning of what may become one.
_LINK = re.compile(r"!?\[[^\[\]]{0,300}(?:$|\]$|\]\([^)]{0,600}(?:\)|$))")
_CLINGING = frozenset(
    "a an the to of in on at by for with from and or but as is are was were be been i my your our "
    "his her its their this that these those not no very more than if when which who i'm it's "
    "un una unos unas el la los las lo al del de en con por para y o u e que se me te nos su sus "
    "mi mis tu tus es son está muy más si como".split()
)
"""Words that a voice must not stop after."""
_OPENING = frozenset(
    "a an the in on at by for with from about into over under around through across before after "
    "and or but because that which who what how when where while if than i he she we they my your "
    "our his their to can could will would should may might is are was were "
    "un una el la los las en con por para desde hasta y o pero porque que quien cuando donde como "
    "si mi tu su nuestro nuestra es son está están fue era".split()
)
"""Words that begin a phrase, and end none: people stop before them when they think."""


async def clauses(
    deltas: AsyncIterator[str],
    language: Language,
    first_words: int = FIRST_WORDS,
    is_awaited: Callable[[], bool] = lambda: False,
) -> AsyncGenerator[Clause, None]:
    """Yield clauses as soon as each is complete; their texts, joined, are the whole reply.

    A stretch with nothing to say (an emoji, a rule) comes with what follows it or, at the end of
    the reply, alone and with empty `spoken`.

    Args:
        deltas: The reply, as it is written.
        language: Of the reply.
        first_words: Of the first clause, after which it may end between two words.
        is_awaited: Whether somebody waits for the first clause: then it may end before a phrase.
    """
    buffer = ""
    silent = 0  # characters at the head of the buffer that have nothing to say
    fewest, limit = _FIRST_MIN_WORDS[language], first_words
    short = True  # somebody waits for the next piece
    async for delta in deltas:
        buffer += delta
        while cut := _cut(buffer, silent, fewest, limit) or (
            short and is_awaited() and _before_phrase(buffer, silent)
        ):
            spoken = normalise(buffer[:cut], language)
            if not spoken:
                silent = cut
                continue
            yield Clause(buffer[:cut], spoken)
            buffer, silent = buffer[cut:], 0
            short = short and len(spoken.split()) == 1
            if not short:
                fewest, limit = _LATER_MIN_WORDS, _LATER_MAX_WORDS
    if buffer:
        yield Clause(buffer, normalise(buffer, language))


def _cut(buffer: str, start: int, fewest: int, limit: int) -> int:
    """Length of the piece at the head of `buffer` that can be spoken now, or 0 to wait.

    Args:
        buffer: What is written and not yet given out.
        start: Where to look from; what is before it is not counted.
        fewest: Words before a comma.
        limit: Words after which it may end between two words.
    """
    at_clause = at_word = words = 0
    for place, kind, words in _counted(buffer, start):
        if kind in ("line", "sentence") and words:
            return place
        if kind == "clause" and words >= fewest:
            return place
        if kind == "clause" and words:
            at_clause = place
        if kind == "word" and words >= _FEWEST_WORDS and _may_part(buffer, place):
            at_word = place
        if words >= limit and (at_clause or at_word):
            return at_clause if at_clause and not at_word else at_word
        if words >= limit * _PATIENCE:
            return place
    return start + _LONGEST if len(buffer) - start > _LONGEST and not words else 0


def _before_phrase(buffer: str, start: int) -> int:
    """Length of the piece at the head of `buffer` before its last phrase, or 0 to wait.

    Only where the reply goes on: what has come to its end needs no cut. Models write word by word,
    so the word that begins the phrase is taken for whole as soon as it is there.
    """
    found = 0
    if buffer[-1:].isalpha():
        for place, kind, words in _counted(buffer, start):
            if kind == "word" and words >= _FEWEST_WORDS and _may_part(buffer, place):
                before, opening = buffer[:place].split()[-1], _LETTERS.match(buffer, place)
                begins = opening is not None and opening[0].lower() in _OPENING
                found = place if begins and before.lower() not in _OPENING else found
    return found


def _counted(buffer: str, start: int) -> Iterator[tuple[int, str, int]]:
    """`_places`, with how many words there are from `start` to each."""
    words, last = 0, start
    for place, kind in _places(buffer, start):
        words += len(re.findall(r"[^\s—]*\w[^\s—]*", buffer[last:place]))
        last = place
        yield place, kind, words


def _places(buffer: str, start: int) -> Iterator[tuple[int, str]]:
    """Where a piece may end: after white space, outside links, with the next character in view."""
    links = [link.span() for link in _LINK.finditer(buffer, start)]
    for m in _BREAK.finditer(buffer, start):
        place = m.end()
        kind = "line" if "\n" in m[0] else str(m.lastgroup)
        if any(begin < place < end for begin, end in links):
            continue
        if place == len(buffer) and (kind != "line" or links):
            return
        if kind == "sentence" and _goes_on(buffer, place):
            kind = "inside"
        if kind == "clause" and _joins_numbers(buffer, m):
            kind = "inside"
        yield place, kind


def _goes_on(buffer: str, place: int) -> bool:
    """Whether the full stop before `place` does not end a sentence."""
    before = buffer[:place].rstrip()
    if before[-1:] in "!?" or not before.endswith("."):
        return buffer[place].islower() and not before.endswith(("。", "！", "？"))
    return buffer[place].islower() or _ABBREVIATION.search(before) is not None


def _joins_numbers(buffer: str, m: re.Match[str]) -> bool:
    """Whether a mark stands between numbers: "Nov. 24th, 2026", "3 - 1"."""
    if m.end() == len(buffer) or not buffer[m.end()].isdigit():
        return False
    return re.search(r"\d\w{0,4}$", buffer[: m.start()]) is not None


def _may_part(buffer: str, place: int) -> bool:
    """Whether a voice may pause between the words before and after `place`."""
    before = buffer[:place].split()[-1]
    after = buffer[place]
    if not (before[-1].isalpha() and (after.isalpha() or after in "\"'(¿¡“‘*_")):
        return False
    if before[0].isupper() and after.isupper():
        return False  # a name
    return before.lower() not in _CLINGING and not re.search(r"\d", before)
