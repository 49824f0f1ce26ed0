"""Word error rate, blind to what recognisers write differently and people say alike."""

import re
from collections.abc import Sequence

from speech.text.normalise import normalise
from speech.types import Language


def words(text: str, language: Language) -> list[str]:
    """Split into words as they are said: numbers spelt out, no case, no punctuation.

    A run of five digits or more is read digit by digit, as telephone numbers are.
    """
    text = re.sub(r"\d{5,}", lambda run: " ".join(run[0]), text)
    return re.findall(
        r"[^\W_]+(?:'[^\W_]+)*",
        normalise(text, language).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold(),
    )


def wer(reference: str, hypothesis: str, language: Language) -> float:
    """Compute the word error rate: edits over words of `reference`.

    Args:
        reference: What was said.
        hypothesis: What was understood.
        language: Of both, for the names of numbers.

    Raises:
        ValueError: `reference` has no words.
    """
    said = words(reference, language)
    if not said:
        raise ValueError("a word error rate needs a reference with words")
    return edits(said, words(hypothesis, language)) / len(said)


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """Count the fewest insertions, deletions and substitutions that make `b` of `a`.

    Levenshtein (1966), one row at a time (Wagner and Fischer 1974).
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]
