"""How often one caller may begin a call, and how long a guesser of keys has to wait.

Both remember a bounded number of callers: whoever was quiet longest is forgotten first. Times are
those of the event loop, in seconds.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

REMEMBERED = 10_000
"""Callers; at most some megabytes of memory."""

FREE_FAILURES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
FORGIVEN_AFTER_S = 600.0


@dataclass(slots=True)
class Failures:
    """Failed attempts, by address: after `FREE_FAILURES` each one doubles the wait.

    Attributes:
        remembered: Most addresses kept.
    """

    remembered: int = REMEMBERED
    _of: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._of)

    def note(self, address: str, now_s: float) -> None:
        """Another attempt failed."""
        count, last_s = self._of.pop(address, (0, now_s))
        if now_s - last_s > FORGIVEN_AFTER_S:
            count = 0
        self._of[address] = (count + 1, now_s)
        if len(self._of) > self.remembered:
            self._of.popitem(last=False)

    def wait_s(self, address: str, now_s: float) -> float:
        """How long the address has to wait before the next attempt; 0 if it need not."""
        count, last_s = self._of.get(address, (0, 0.0))
        if count <= FREE_FAILURES:
            return 0.0
        doubled = FIRST_WAIT_S * 2.0 ** min(count - FREE_FAILURES - 1, 16)
        return max(0.0, last_s + min(doubled, LONGEST_WAIT_S) - now_s)


@dataclass(slots=True)
class Rate:
    """A token bucket per caller: `per_minute` at once, refilled evenly.

    Attributes:
        remembered: Most callers kept.
    """

    remembered: int = REMEMBERED
    _of: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._of)

    def take(self, caller: str, per_minute: int, now_s: float) -> float:
        """Count one; returns 0, or how long to wait in seconds if it is one too many."""
        left, last_s = self._of.pop(caller, (float(per_minute), now_s))
        left = min(float(per_minute), left + (now_s - last_s) * per_minute / 60)
        wait_s = 0.0 if left >= 1 else (1 - left) * 60 / per_minute
        self._of[caller] = (left - 1 if wait_s == 0 else left, now_s)
        if len(self._of) > self.remembered:
            self._of.popitem(last=False)
        return wait_s
