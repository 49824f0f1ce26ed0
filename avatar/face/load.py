"""When a busy server draws less of a face, and when more again. Pure: no clock, no tasks."""

from dataclasses import dataclass

LAST_RUNG = 2
"""Rungs go from 0, everything, to this one, nothing drawn."""

BEHIND_SKIPPED = 1 / 3
"""A second in which more of the slots were skipped than this counts as falling behind: fewer than
17 of 25 frames are seen to stutter."""

BEHIND_LATE_S = 0.15
"""So does one in which the event loop was this late: the sound itself is about to suffer, for a
receiver's buffer holds 100 ms."""

EASY_LATE_S = 0.05
"""A second counts as easy when the event loop was never later than this, and few slots skipped."""

DOWN_AFTER_S = 4
"""So many seconds behind, not made up for by as many others, step down."""

UP_AFTER_S = 15
"""So many easy seconds on end step up; twice as many each time that this proves too early."""

UP_AFTER_LIMIT_S = 240
TOO_EARLY_S = 30
"""A step up that lasts no longer than this was too early."""


@dataclass(frozen=True, slots=True)
class Second:
    """What happened to one call in one second.

    Attributes:
        due: Slots that were to be drawn.
        skipped: Those among them that came too late.
        late_s: The longest that a timer of the event loop overslept.
    """

    due: int
    skipped: int
    late_s: float

    @property
    def is_behind(self) -> bool:
        """Whether the person is likely to have noticed."""
        return self.late_s > BEHIND_LATE_S or self.skipped > BEHIND_SKIPPED * self.due

    @property
    def is_easy(self) -> bool:
        """Whether there seems to be room for more."""
        return self.late_s <= EASY_LATE_S and self.skipped <= BEHIND_SKIPPED / 4 * self.due


class LoadPolicy:
    """Which rung a call stands on.

    Down takes seconds, up takes longer, and longer still each time that it was in vain.

    Attributes:
        rung: From 0 to `LAST_RUNG`.
    """

    def __init__(self) -> None:
        self.rung = 0
        self._behind_s = 0
        self._easy_s = 0
        self._up_after_s = UP_AFTER_S
        self._since_up_s: int | None = None

    def observe(self, second: Second) -> int:
        """Take note of a second; returns the rung from now on."""
        if self._since_up_s is not None:
            self._since_up_s += 1
            if self._since_up_s > TOO_EARLY_S:
                self._since_up_s = None
                self._up_after_s = UP_AFTER_S
        self._behind_s = self._behind_s + 1 if second.is_behind else max(0, self._behind_s - 1)
        self._easy_s = self._easy_s + 1 if second.is_easy else 0
        if self._behind_s >= DOWN_AFTER_S and self.rung < LAST_RUNG:
            self._step(+1)
        elif self._easy_s >= self._up_after_s and self.rung > 0:
            self._step(-1)
        return self.rung

    def _step(self, by: int) -> None:
        if by > 0 and self._since_up_s is not None:
            self._up_after_s = min(UP_AFTER_LIMIT_S, 2 * self._up_after_s)
        self._since_up_s = 0 if by < 0 else None
        self.rung += by
        self._behind_s = self._easy_s = 0
