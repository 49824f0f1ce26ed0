"""How much longer than others one person is waited for, learnt from their own pauses in a call."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from speech.stages import LISTENING_RATE_HZ

GOING_ON_SAMPLES: Final = 2 * LISTENING_RATE_HZ
"""Who speaks again so soon after a turn was taken for over had not finished it: 2 s."""

_UP: Final = 0.5
_DOWN: Final = 0.1
_REMEMBERED: Final = 16  # steps: a recogniser is seldom late by more than one utterance, of three


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that was noted, and what was known before."""

    utterance: int | None
    take: Callable[[], None]
    before: tuple[float, int | None, bool]


class Patience:
    """A share of the most that a person is waited for longer, from 0 to 1.

    A weighted up-down rule (Kaernbach, Simple adaptive testing with the weighted up-down method,
    Perception & Psychophysics 49, 1991): every turn that was taken for over too soon adds 0.5,
    every one that the models took for over and that stayed so takes off 0.1, within 0 and 1. So
    between the bounds it settles where one such turn in six is none. Who was never taken too soon
    stays at 0.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._end: int | None = None  # of the last turn; None if nothing will be learnt from it
        self._expected = False
        self._steps: deque[_Step] = deque(maxlen=_REMEMBERED)

    def took(self, utterance: int, end: int, *, expected: bool) -> None:
        """A turn was taken for over.

        Args:
            utterance: What it consists of, by its first sample.
            end: One past its last sample of speech.
            expected: Whether the models took it for over: that nobody goes on after a long silence
                says nothing for them.
        """
        self._note(utterance, partial(self._took, end, expected))

    def stands(self) -> None:
        """The last turn was over: it was answered, and the answer heard to its end."""
        self._note(None, self._stands)

    def heard(self, utterance: int, begin: int) -> None:
        """The person speaks, for longer than a click or a cough.

        Args:
            utterance: Its first sample, before the sound.
            begin: First sample of speech since the last turn.
        """
        self._note(utterance, partial(self._heard, begin))

    def unhear(self, utterance: int) -> None:
        """An utterance was no speech: an echo, or a noise without words.

        What was noted since is weighed anew without it: recognisers may take longer to say so than
        the person to speak again.
        """
        steps = list(self._steps)
        first = next((n for n, step in enumerate(steps) if step.utterance == utterance), None)
        if first is None:
            return
        self.share, self._end, self._expected = steps[first].before
        self._steps = deque(steps[:first], maxlen=_REMEMBERED)
        for step in steps[first:]:
            if step.utterance != utterance:
                self._note(step.utterance, step.take)

    def forget(self) -> None:
        """Learn nothing from the last turn: what comes next does not go on with it."""
        self._note(None, self._forget)

    def _note(self, utterance: int | None, take: Callable[[], None]) -> None:
        self._steps.append(_Step(utterance, take, (self.share, self._end, self._expected)))
        take()

    def _took(self, end: int, expected: bool) -> None:
        self._end, self._expected = end, expected

    def _stands(self) -> None:
        if self._end is not None and self._expected:
            self.share = max(self.share - _DOWN, 0.0)
        self._forget()

    def _heard(self, begin: int) -> None:
        if self._end is not None and begin - self._end <= GOING_ON_SAMPLES:
            self.share = min(self.share + _UP, 1.0)
            self._forget()
        else:
            self._stands()

    def _forget(self) -> None:
        self._end = None
