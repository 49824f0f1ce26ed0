"""How much longer than others one person is waited for, learnt from their own pauses in a call."""

from typing import Final

from speech.stages import LISTENING_RATE_HZ

GOING_ON_SAMPLES: Final = 2 * LISTENING_RATE_HZ
"""Who speaks again so soon after a turn was taken for over had not finished it: 2 s."""

_UP: Final = 0.5
_DOWN: Final = 0.1


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
        self._before: tuple[float, int | None, bool] = (0.0, None, False)  # the last `heard`

    def took(self, end: int, *, expected: bool) -> None:
        """A turn was taken for over.

        Args:
            end: One past its last sample of speech.
            expected: Whether the models took it for over: that nobody goes on after a long silence
                says nothing for them.
        """
        self._end, self._expected = end, expected

    def stands(self) -> None:
        """The last turn was over: it was answered, and the answer heard to its end."""
        if self._end is not None and self._expected:
            self.share = max(self.share - _DOWN, 0.0)
        self.forget()

    def heard(self, begin: int) -> None:
        """The person speaks, for longer than a click or a cough.

        Args:
            begin: First sample of speech since the last turn.
        """
        self._before = self.share, self._end, self._expected
        if self._end is not None and begin - self._end <= GOING_ON_SAMPLES:
            self.share = min(self.share + _UP, 1.0)
            self.forget()
        else:
            self.stands()

    def unhear(self) -> None:
        """What was heard last was no speech: an echo, or a noise without words."""
        self.share, self._end, self._expected = self._before

    def forget(self) -> None:
        """Learn nothing from the last turn: what comes next does not go on with it."""
        self._end = None
