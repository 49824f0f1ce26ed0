"""Whether a turn is over, as a probability: by the sound, by the words, by both together."""

import math
from typing import Final

# Log odds that a turn is over, by what the turn detector and the judge of the words say: fitted by
# logistic regression to the tuning half of the speakers of docs/turn-taking-measured.md.
_BIAS: Final = 1.63
_PER_SOUND: Final = 0.30  # times the log odds of the sound
_PER_WORDS: Final = 0.82  # times the log probability that the words close
_LEAST: Final = 1e-4  # probability that is told from 0


def together(likely: float, closes: float) -> float:
    """Probability that the turn is over, by the sound and the words."""
    sound, words = _log_odds(likely), math.log(max(closes, _LEAST))
    return _probability(_BIAS + _PER_SOUND * sound + _PER_WORDS * words)


def lowered(probability: float, by: float) -> float:
    """A probability with so much less log odds; by 0 it is the same."""
    return _probability(_log_odds(probability) - by) if by else probability


def between(probability: float, span: tuple[float, float]) -> float:
    """Where in a span a probability lies: 0 up to its beginning, 1 from its end on."""
    unlikely, likely = span
    return min(max((probability - unlikely) / (likely - unlikely), 0.0), 1.0)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
