"""The places for calls, as a caller meets them: limits first, then the line."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from avatar.access.caller import Caller
from avatar.access.limits import Rate
from avatar.access.queue import Line
from avatar.settings import Settings
from speech.errors import CallLimitError

_BUSY_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is taken.

    Attributes:
        number: Of the line's.
        owner: Who has it.
    """

    number: int
    owner: str


@dataclass(slots=True)
class Places:
    """All places of this server.

    Attributes:
        settings: How many, and what one caller may have of them.
        now: The time of the event loop, in seconds.
        line: Who waits.
    """

    settings: Settings
    now: Callable[[], float]
    line: Line = field(init=False)
    _begun: Rate = field(default_factory=Rate)
    _of: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        access = self.settings.access
        self.line = Line(
            self.settings.server.max_calls,
            access.queue,
            self.now,
            most_of_one=access.queue_per_caller,
        )

    def __len__(self) -> int:
        return self.line.taken

    def take(self, caller: Caller) -> Place:
        """Take a place for a call.

        Raises:
            CallLimitError: The caller has, or begins, too many calls.
            ServerFullError: No place is free for them yet.
            TicketError: Their ticket is not, or no longer, one.
        """
        self._check(caller)
        place = Place(self.line.take(caller.key_owner, caller.ticket), caller.owner)
        self._of[caller.owner] += 1
        return place

    def count(self, caller: Caller) -> None:
        """Count one more call that the caller begins.

        Raises:
            CallLimitError: It is one too many in this minute.
        """
        own = caller.key.calls_per_minute if caller.key else None
        per_minute = own or self.settings.access.calls_per_minute
        wait_s = self._begun.take(caller.owner, per_minute, self.now())
        if wait_s:
            raise CallLimitError(f"No more than {per_minute} calls a minute can be begun.", wait_s)

    def release(self, place: Place) -> None:
        """Give a place back."""
        self.line.release(place.number)
        self._of[place.owner] -= 1
        if not self._of[place.owner]:
            del self._of[place.owner]

    def _check(self, caller: Caller) -> None:
        most = (caller.key.max_calls if caller.key else None) or (
            self.settings.access.calls_per_caller
        )
        if most and self._of[caller.owner] >= most:
            raise CallLimitError(
                f"You have {most} calls already, which is as many as you may. End one first.",
                _BUSY_WAIT_S,
            )
