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

from speech.dictation import has_address, is_dictated
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
    seldom_last: frozenset[
        str
    ]  # only questions do, asked ("Where from?") or told ("what it's for")
    copulas: frozenset[str]  # only what is told does, or they come after one of these:
    before_copula: frozenset[str]
    asks: frozenset[str]  # begin a question
    shortened: re.Pattern[str]  # a verb that needs another ("I've")
    holds_on: re.Pattern[str]  # asks for time
    leads_in: re.Pattern[str]  # all of a sentence that only leads in to another
    answer: re.Pattern[str]  # all of a text that answers something, without punctuation


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _any(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


_SENTENCE: Final = r"(?:^|[.?!,] )"  # where one begins, or goes on

_EN_PARTICLES: Final = _any(
    "yes|yeah|yep|yup|no|nope|ok|okay|sure|right|exactly|correct|fine|great|good|perfect|thanks",
    "please|bye|goodbye|hello|hi|maybe|perhaps|definitely|absolutely|never|sorry|not really",
    "of course(?: not)?",
    "thank you(?: (?:very|so) much)?",
)
_EN_ANSWERS: Final = _any(
    "(?:i|you|we|they) (?:do|did|can)(?:n't| not)?",
    "(?:he|she|it) (?:did|can)(?:n't| not)?",
    "i am(?: not)?",
    "(?:it|that) is(?:n't| not)?",
    "i(?:'m| am) (?:fine|good|sure|sorry|not sure)",
    "(?:that's|it's|that is|it is) (?:it|all|right|fine|good|great|perfect|correct|okay|ok)",
    "i (?:do not|don't) (?:know|mind|think so|remember)",
    "i (?:think|guess|hope|believe) (?:so|not)",
    "not (?:yet|at all)",
    "nothing(?: else| more)?",
    "never mind",
)
_ES_PARTICLES: Final = _any(
    "sí|no|vale|ok|okay|claro|bueno|bien|perfecto|exacto|correcto|hola|adiós|nada|nunca|quizás",
    "también|tampoco|(?:muchas )?gracias|por favor|de acuerdo|hasta luego|por supuesto|tal vez",
)
_ES_ANSWERS: Final = _any(
    "así es",
    "eso es(?: todo)?",
    "ya está",
    "no (?:lo )?sé",
    "ya lo sé",
    "(?:yo )?(?:creo|espero|supongo|claro) que (?:sí|no)",
    "(?:ahora|todavía|aún|ya) no",
    "no me acuerdo",
    "(?:yo|a mí|él|ella) (?:también|tampoco|no|sí)",
    "soy yo",
    "lo (?:soy|es|sé)",
    "me da igual",
    "nada más",
)

_RULES: Final[Mapping[Language, _Rules]] = {
    "en": _Rules(
        never_last=_words(
            "and or but because if although unless whereas whether until the a an my our your "
            "their every um uh er erm hmm gonna wanna per via"
        ),
        seldom_last=_words(
            "of to at from with for by into onto than which whose between without during against "
            "toward towards among beside except about"
        ),
        copulas=_words("is are was were"),
        before_copula=_words(
            "it he she they we you i this that these those there here what who where how which "
            "so as not it's that's"
        ),
        asks=_words("what who whom where which how"),
        shortened=re.compile(
            r"^(?:\w+'(?:m|re|ve|d|ll)|(?:it|that|he|she|there|here|what|who|where|how|let)'s)$"
        ),
        holds_on=re.compile(
            r"\b(?:hold on|hang on|bear with me|i mean|you know|i was wondering"
            r"|(?<!\bin )(?:one|a|just a) (?:moment|second|sec|minute))$"
            rf"|{_SENTENCE}let me (?:just )?(?:(?:think|see)(?: \w+)?"
            r"|(?:check|look|find|get)(?: [\w']+){0,3})$"
            rf"|{_SENTENCE}(?:hold on|hang on|just a (?:moment|second|sec|minute))\b[^.?!]*$"
        ),
        leads_in=re.compile(
            r"(?:(?:well|so|now|then|um|uh|hmm|and|but|or|okay|yeah|yes|no|right|oh) ?)*"
            r"(?:well|so|actually|basically|anyway|however|first of all|for example|for instance"
            r"|by the way|in fact|the thing|the point)"
        ),
        answer=re.compile(
            rf"(?:{_EN_PARTICLES} )*(?:{_EN_PARTICLES}|{_EN_ANSWERS})(?: {_EN_PARTICLES})*"
        ),
    ),
    "es": _Rules(
        never_last=_words(
            "y e o u ni pero porque aunque que si el la los las un una unos unas mi mis tu tus su "
            "sus nuestro nuestra del al cada eh em mmm pues me te se algún ningún cualquier gran "
            "primer tercer ciento he has ha hemos han según mediante contra"
        ),
        seldom_last=_words(
            "de a en con por para sin sobre como cuando donde entre desde hasta hacia muy tan "
            "durante mientras"
        ),
        copulas=_words("es son está están era eran soy estoy"),
        before_copula=_words(
            "así quién qué cómo cuál cuáles dónde eso esto ese este esa esta lo los las no sí ya "
            "ahí aquí allí él ella ellos ellas yo que quiénes cuántos cuántas usted"
        ),
        asks=_words("quién qué cómo cuál cuáles dónde cuándo cuánto"),
        shortened=re.compile(r"$^"),
        holds_on=re.compile(
            r"\b(?:un (?:momento|segundo|momentito|segundito)|a ver|o sea|es decir|espera|espere)$"
            rf"|{_SENTENCE}d[eé]j[ae]n?me (?:pensar|ver|mirar|que )[\w ]*$"
            rf"|{_SENTENCE}esper[ae],? [^.?!]*$"
        ),
        leads_in=re.compile(
            r"(?:(?:bueno|pues|y|pero|eh|em|mmm|vale|sí|no|claro|ah) ?)*"
            r"(?:pues|entonces|además|digamos|por cierto|por ejemplo|primero de todo|en fin|es que"
            r"|la verdad|la cosa|el caso)"
        ),
        answer=re.compile(
            rf"(?:{_ES_PARTICLES} )*(?:{_ES_PARTICLES}|{_ES_ANSWERS})(?: {_ES_PARTICLES})*"
        ),
    ),
}

_TRAILING_OFF: Final = re.compile(r"([,;:\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}-]|\.{3})$")
_COURTESY: Final = re.compile(r",? (?:please|por favor)$")
_LETTER: Final = re.compile(r"[\w'] [A-HJ-Z]\W*$")  # "an A", "plan B"
_LONGEST_ANSWER: Final = 6  # words
_ASKED_WITHIN: Final = 8  # words: "what" is not far from its preposition
_LOOKED_AT: Final = 500  # last characters


def ending_of(text: str, language: Language) -> Ending:
    """Say how `text` ends.

    Args:
        text: Words so far.
        language: Of the words.
    """
    rules = _RULES[language]
    cased = text.strip()[-_LOOKED_AT:].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = cased.lower()
    words = [word.strip(".'") for word in re.findall(r"[\w'@.]+", text) if word.strip(".'")]
    if not words:
        return Ending.OPEN
    trails_off = bool(_TRAILING_OFF.search(text))
    if has_address(text) and not trails_off:
        return Ending.OPEN
    if _answers(words, rules) and not trails_off:
        return Ending.FINISHED
    question = text.endswith("?")
    if not question and is_dictated(cased, language):
        return Ending.DICTATED
    is_letter = _LETTER.search(cased) and not cased.isupper()
    if not is_letter and _lacks_more(text, words, rules, question=question):
        return Ending.UNFINISHED
    if question:
        return Ending.FINISHED
    return Ending.UNFINISHED if trails_off else Ending.OPEN


def _answers(words: Sequence[str], rules: _Rules) -> bool:
    return len(words) <= _LONGEST_ANSWER and bool(rules.answer.fullmatch(" ".join(words)))


def _lacks_more(text: str, words: Sequence[str], rules: _Rules, *, question: bool) -> bool:
    """True if the last words call for another."""
    last = words[-1]
    if last in rules.never_last or rules.shortened.search(last):
        return True
    if rules.holds_on.search(_COURTESY.sub("", text.rstrip(" .,"))):
        return True
    if question:
        return False
    sentence = re.findall(r"[\w']+", re.split(r"[.?!] ", text.rstrip(" .,?!"))[-1])
    if rules.leads_in.fullmatch(" ".join(sentence)):
        return True
    if last in rules.copulas:
        before = words[-2] if len(words) > 1 else last
        asks = not rules.asks.isdisjoint(sentence[1:])
        return len(words) > 1 and before not in rules.before_copula and not asks
    return last in rules.seldom_last and rules.asks.isdisjoint(sentence[-_ASKED_WITHIN:])
