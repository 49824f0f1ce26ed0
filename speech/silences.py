"""How long a silence ends an utterance, by what is known of it: pure logic."""

from dataclasses import dataclass
from typing import Final

from speech.endings import Ending
from speech.odds import between, lowered, together

_MOST_LESS: Final = 2.5
"""Of the log odds that a turn is over, for who was taken for finished too soon again and again."""


@dataclass(slots=True)
class Known:
    """What is known of how an utterance ends, should it end with the present pause.

    Attributes:
        ending: By the rules of the words.
        likely: Probability that it is over, by the turn detector; None if not known yet.
        closes: Likewise, by the judge of the words.
        unjudged: Whether there will be no word of the latter.
    """

    ending: Ending = Ending.OPEN
    likely: float | None = None
    closes: float | None = None
    unjudged: bool = False


@dataclass(frozen=True, slots=True)
class Silences:
    """The silences that end an utterance, in samples, each no shorter than the one before.

    | the words | likely over by the sound | between | unlikely | sound not judged |
    |---|---|---|---|---|
    | a whole question or short answer | quick | quick | patient | half-way |
    | say nothing, or are not known yet | end | between | patient | patient |
    | lack something | patient | dictation | dictation | dictation |
    | dictate | dictation | dictation | dictation | dictation |

    Recognisers put a question mark behind many a fragment: it does not outweigh the sound.

    Where a judge of the words is asked, too, "the sound" is both together, and not judged before
    both are known; but not of questions and short answers, which are whole to the first look.

    Attributes:
        quick: Of what sounds finished and is, by its words.
        end: Of what sounds finished.
        patient: Of what does not, or of which nothing is known yet.
        dictation: Of what is said piece by piece, or lacks something and does not sound finished.
        sound_alone: Probabilities by the sound up to which it is unlikely, and from which likely.
        both: Likewise, by sound and words together.
        weighs_words: Whether there will be word of a judge of the words.
    """

    quick: int
    end: int
    patient: int
    dictation: int
    sound_alone: tuple[float, float]
    both: tuple[float, float]
    weighs_words: bool

    def to_end(self, known: Known, more: float) -> int:
        """Samples of silence that end an utterance.

        Args:
            known: Of it.
            more: Share of the most patience (`speech.patience`) that is added: the log odds that it
                is over are less by 2.5 times this, and `patient` is as far on the way to
                `dictation`. Whole questions and short answers end as ever.
        """
        patient = self.patient + round(more * (self.dictation - self.patient))
        match known.ending:
            case Ending.DICTATED:
                return self.dictation
            case Ending.FINISHED:
                if known.likely is None:
                    return (self.end + patient) // 2
                return self.quick if between(known.likely, self.sound_alone) > 0 else patient
            case Ending.UNFINISHED:
                return patient if self._over(known, more) >= 1 else self.dictation
            case Ending.OPEN:
                return round(patient - self._over(known, more) * (patient - self.end))

    def _over(self, known: Known, more: float) -> float:
        """How surely it is over, by all that is known: from 0 to 1."""
        likely, closes, less = known.likely, known.closes, more * _MOST_LESS
        if likely is None or (closes is None and self.weighs_words and not known.unjudged):
            return 0.0
        if closes is None:
            return between(lowered(likely, less), self.sound_alone)
        return between(lowered(together(likely, closes), less), self.both)
