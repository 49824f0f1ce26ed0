"""Stage directions in a reply: taken out of what is said, and read for feelings.

A model may write `[happy]`, `[sad 0.4]`, `[/happy]`, `<amused>`, `<emotion name="happy"/>` and the
like, in any case. They are never spoken, shown or remembered; those that name no feeling neither.
Links ("[text](url)"), footnotes ("[1]") and comparisons ("a < b") are left alone.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from render.types import NEUTRAL, Emotion, Feeling

_LONGEST = 64  # characters that a tag may have
_TAG = re.compile(
    r"""\[ /? \s* [^\W\d_] [^\[\]()<>\n]{0,60} \] (?!\()
    |< /? [^\W\d_] [\w\s="'.,;/-]{0,60} >""",
    re.VERBOSE,
)
_MAY_BECOME = re.compile(
    r"""\[ (?: /? \s* (?: [^\W\d_] [^\[\]()<>\n]{0,60} \]? )? )? $
    |< (?: /? (?: [^\W\d_] [\w\s="'.,;/-]{0,60} )? )? $""",
    re.VERBOSE,
)
_MOST_WORDS = 4  # of a tag in square brackets; more are a remark of the writer's

_WORDS: dict[Feeling, str] = {
    "happy": "happy happily joy joyful joyfully smile smiles smiling cheerful cheerfully excited "
    "warm warmly glad delighted friendly feliz alegre alegría contenta contento sonríe sonrisa "
    "sonriendo emocionada emocionado",
    "sad": "sad sadly sadness sorrow sorrowful unhappy triste tristeza apenada apenado",
    "concerned": "concerned concern worried worry empathetic empathy sympathetic sympathy caring "
    "apologetic sorry gentle serious preocupada preocupado preocupación empática empático seria",
    "surprised": "surprised surprise astonished amazed shocked wow sorprendida sorprendido "
    "sorpresa asombrada asombrado",
    "thinking": "thinking thoughtful thoughtfully pensive curious confused hesitant pensando "
    "pensativa pensativo curiosa curioso dudosa",
    "amused": "amused amusement laugh laughs laughing laughter chuckle chuckles chuckling giggle "
    "giggles playful joking wink ríe risa riendo divertida divertido",
}
_FEELING_OF = {word: feeling for feeling, words in _WORDS.items() for word in words.split()}
_NEUTRAL_WORDS = frozenset(("neutral", "calm", "normal", "none", "tranquila", "tranquilo"))


async def without_tags(
    deltas: AsyncGenerator[str, None], on_tag: Callable[[int, Emotion], None]
) -> AsyncGenerator[str, None]:
    """Pass a reply on without its tags, however its deltas are cut.

    What may become a tag is held back until it is one, or can't be.

    Args:
        deltas: The reply as it is written; closed at the end.
        on_tag: Called for each tag that names a feeling, or none: with how many characters were
            passed on before it, and the feeling.
    """
    stripper, held = _Stripper(on_tag), ""
    async with aclosing(deltas):
        async for delta in deltas:
            held += delta
            cut = _held_from(held)
            if out := stripper.cleared(held[:cut]):
                yield out
            held = held[cut:]
        if out := stripper.cleared(held):
            yield out


def untagged(text: str) -> str:
    """A whole reply without its tags."""
    return _Stripper(lambda _place, _emotion: None).cleared(text)


class _Stripper:
    """Takes tags out of consecutive pieces of a text, and one of the spaces around each."""

    def __init__(self, on_tag: Callable[[int, Emotion], None]) -> None:
        self._on_tag = on_tag
        self._given = 0
        self._ends_blank = True
        self._glued = False  # white space that follows would be one too many

    def cleared(self, text: str) -> str:
        """The text without its tags; it holds whole ones only."""
        out, last = "", 0
        for tag in _TAG.finditer(text):
            if tag[0][0] == "[" and len(tag[0].split()) > _MOST_WORDS:
                continue
            out += self._passed(text[last : tag.start()])
            last = tag.end()
            self._glued = self._ends_blank
            if (emotion := felt(tag[0])) is not None:
                self._on_tag(self._given, emotion)
        return out + self._passed(text[last:])

    def _passed(self, piece: str) -> str:
        if self._glued:
            piece = piece.lstrip(" \t")
        if piece:
            self._glued, self._ends_blank = False, piece[-1].isspace()
            self._given += len(piece)
        return piece


def felt(tag: str) -> Emotion | None:
    """What a tag asks for; None if it names no feeling."""
    words = re.findall(r"[^\W\d_]+", tag.lower())
    if tag.lstrip("[<").lstrip().startswith("/"):
        return NEUTRAL
    feelings = [_FEELING_OF[word] for word in words if word in _FEELING_OF]
    if not feelings:
        return NEUTRAL if _NEUTRAL_WORDS.intersection(words) else None
    number = re.search(r"\d+(?:\.\d+)?|\.\d+", tag)
    level = min(1.0, float(number[0])) if number else 0.8
    return Emotion.of(**{feeling: level / len(feelings) for feeling in feelings})


def _held_from(text: str) -> int:
    """Where what may yet become a tag begins; the length of the text if nothing may."""
    place = max(text.rfind("["), text.rfind("<"))
    # "[word]" is held until the next character shows that it is no link.
    if place >= 0 and len(text) - place <= _LONGEST and _MAY_BECOME.match(text, place):
        return place
    return len(text)
