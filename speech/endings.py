"""Whether words so far sound like the end of something: evidence for the end of a turn.

A mistake costs the person a second of waiting or one interruption, so the rules are few, know only
closed classes of words (articles, conjunctions, fillers), and say what is nearly always true. They
read what recognisers write: cased or not, punctuated or not.
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
    DICTATED = "in the middle of what people say piece by piece, and think or read between"
    FINISHED = "a question or a short answer, whole as it seems"


@dataclass(frozen=True, slots=True)
class _Rules:
    never_last: frozenset[str]  # no sentence ends in them
    seldom_last: frozenset[str]  # only questions do ("Where are you from?")
    copulas: frozenset[str]  # a sentence ends in them only after one of these:
    before_copula: frozenset[str]
    holds_on: re.Pattern[str]  # asks for time
    answers: frozenset[str]  # a text of nothing but these answers something
    digits: frozenset[str]
    dictated: re.Pattern[str]  # announces something that people dictate in pieces
    spelt: re.Pattern[str]  # the middle of an e-mail or web address
    address_done: re.Pattern[str]  # the end of one
    whole_number: int  # a telephone number has so many digits


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RULES: Final[Mapping[Language, _Rules]] = {
    "en": _Rules(
        never_last=_words(
            "and or but because if although unless whereas whether until the a an my our your "
            "their every um uh er erm hmm i'm we're they're you're i'd i'll we'll they'll"
        ),
        seldom_last=_words("of to at from with for by into onto than which whose between without"),
        copulas=_words("is are was were"),
        before_copula=_words(
            "it he she they we you i this that these those there here what who where how which "
            "so as not it's that's"
        ),
        holds_on=re.compile(
            r"\b(let me (think|see|check|look)|hold on|hang on|i mean|you know"
            r"|(one|a|just a) (moment|second|sec|minute))$"
        ),
        answers=_words(
            "yes yeah yep yup no nope ok okay sure right exactly correct fine great good perfect "
            "thanks thank you please bye goodbye hello hi of course not really maybe perhaps "
            "definitely absolutely never i do don't am can can't it is isn't did didn't that's all"
        ),
        digits=_words("zero oh one two three four five six seven eight nine double triple"),
        dictated=re.compile(
            r"\b(number|phone|code|pin|passport|e-?mail|address|iban|account|spelled|spelt"
            r"|postcode|zip)\b.{0,20}\b(is|was)\b"
        ),
        spelt=re.compile(r"@\s?[\w-]+$"),
        address_done=re.compile(r"(\bdot \w+|\.[a-z]{2,})\W*$"),
        whole_number=10,
    ),
    "es": _Rules(
        never_last=_words(
            "y e o u ni pero porque aunque que si el la los las un una unos unas mi mis tu tus su "
            "sus nuestro nuestra del al cada eh em mmm pues me te se lo"
        ),
        seldom_last=_words(
            "de a en con por para sin sobre como cuando donde entre desde hasta hacia muy tan"
        ),
        copulas=_words("es son está están era eran soy"),
        before_copula=_words(
            "así quién qué cómo cuál cuáles dónde eso esto ese este esa esta lo no sí ya ahí aquí "
            "allí él ella ellos ellas yo"
        ),
        holds_on=re.compile(
            r"\b(un (momento|segundo|momentito)|d[eé]jame (pensar|ver)|d[eé]jeme (pensar|ver)"
            r"|a ver|o sea|es decir|espera|espere)$"
        ),
        answers=_words(
            "sí no vale ok okay claro bueno bien gracias muchas por favor de acuerdo perfecto "
            "exacto correcto hola adiós hasta luego supuesto nada nunca quizás tal vez eso es "
            "todo también tampoco"
        ),
        digits=_words("cero uno dos tres cuatro cinco seis siete ocho nueve doble triple"),
        dictated=re.compile(
            r"\b(n[uú]mero|tel[eé]fono|c[oó]digo|pin|pasaporte|correo|e-?mail|direcci[oó]n|iban"
            r"|cuenta|deletrea)\b.{0,20}\bes\b"
        ),
        spelt=re.compile(r"(\barroba|@)\s?[\w-]+$"),
        address_done=re.compile(r"(\bpunto \w+|\.[a-z]{2,})\W*$"),
        whole_number=9,
    ),
}

_TRAILING_OFF: Final = re.compile(r"([,;:\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}-]|\.{3})$")
_IN_A_NUMBER: Final = re.compile(r"(?<=\d)[:.,](?=\d)")  # 5:30, 1,000 and 2.5 are said at once
_DICTATED_RUN: Final = 3  # digits or letters in two words or more; two, if nothing else is said
_LONGEST_ANSWER: Final = 4  # words


def ending_of(text: str, language: Language) -> Ending:
    """Say how `text` ends.

    Args:
        text: Words so far.
        language: Of the words.
    """
    rules = _RULES[language]
    text = text.strip().lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = _IN_A_NUMBER.sub("", text)
    words = [word.strip(".'") for word in re.findall(r"[\w'@.]+", text) if word.strip(".'")]
    if not words:
        return Ending.OPEN
    question = text.endswith("?")
    answer = len(words) <= _LONGEST_ANSWER and rules.answers.issuperset(words)
    if answer and not _TRAILING_OFF.search(text):
        return Ending.FINISHED
    if _lacks_more(text, words, rules, question=question):
        return Ending.UNFINISHED
    if question:
        return Ending.FINISHED
    if _is_dictation(text, words, rules):
        return Ending.DICTATED
    return Ending.UNFINISHED if _TRAILING_OFF.search(text) else Ending.OPEN


def _lacks_more(text: str, words: Sequence[str], rules: _Rules, *, question: bool) -> bool:
    """True if the last words call for another."""
    last = words[-1]
    if last in rules.never_last or rules.holds_on.search(text.rstrip(" .,")):
        return True
    if question:
        return False
    if last in rules.copulas:
        announced = bool(rules.dictated.search(text))
        return not announced and len(words) > 1 and words[-2] not in rules.before_copula
    return last in rules.seldom_last


def _is_dictation(text: str, words: Sequence[str], rules: _Rules) -> bool:
    pieces = digits = 0
    for word in reversed(words):
        if word.isdecimal():
            digits += len(word)
        elif word in rules.digits or len(word) == 1:
            digits += 1
        else:
            break
        pieces += 1
    if digits >= rules.whole_number:
        return False
    if rules.dictated.search(text):
        return not rules.address_done.search(text)
    if rules.spelt.search(text.rstrip(" .")):
        return not rules.address_done.search(text)
    return pieces >= 2 and (digits >= _DICTATED_RUN or pieces == len(words))
