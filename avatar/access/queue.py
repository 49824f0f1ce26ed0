"""The places for calls, and the line of those who wait for one: first come, first served.

Nothing here waits or has a task. What has run out of time is found wherever somebody looks, and
`patience_s` says when to look again. Times are those of the event loop, in seconds.
"""

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from avatar.access.waiting import expected_wait_s
from speech.errors import CallLimitError, QueueFullError, ServerFullError, TicketError

POLL_WITHIN_S = 15.0
"""A ticket that nobody asks about for so long gives up its place."""

_LENGTHS = 50  # of so many calls the length is remembered


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands in the line.

    Attributes:
        status: `ready` means that a place is kept, for `POLL_WITHIN_S`.
        place: 1 is next; 0 when ready.
        expected_wait_s: From the lengths of real calls; 0 when ready.
        expires_in_s: If the ticket is not asked about, or a place that is ready not taken.
    """

    status: Literal["waiting", "ready"]
    place: int
    expected_wait_s: float
    expires_in_s: float


@dataclass(slots=True)
class _Ticket:
    owner: str
    caller: str
    seen_s: float
    is_ready: bool = False


@dataclass(slots=True)
class Line:
    """Places, and tickets for those who wait.

    Attributes:
        capacity: Places.
        longest: Tickets.
        now: The time.
        usual_call_s: Assumed of calls until one has ended.
        most_of_one: Tickets of one caller; 0 for no limit.
    """

    capacity: int
    longest: int
    now: Callable[[], float]
    usual_call_s: float = 180.0
    most_of_one: int = 0
    _began_s: dict[int, float] = field(default_factory=dict)
    _tickets: OrderedDict[str, _Ticket] = field(default_factory=OrderedDict)
    _lengths_s: deque[float] = field(default_factory=lambda: deque(maxlen=_LENGTHS))
    _places: int = 0
    _watchers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Places with a call."""
        return len(self._began_s)

    @property
    def waiting(self) -> int:
        """Tickets, those with a kept place included."""
        self._settle()
        return len(self._tickets)

    def take(self, owner: str, ticket: str = "") -> int:
        """Take a place; returns it, for `release`.

        Args:
            owner: Who calls.
            ticket: Theirs, if they have waited.

        Raises:
            TicketError: There is no such ticket of theirs.
            ServerFullError: No place is free for them yet; a ticket stays where it is in the line.
        """
        self._settle()
        if ticket:
            held = self._find(ticket, owner)
            if not held.is_ready:
                raise ServerFullError("Your place is not free yet.")
            del self._tickets[ticket]
        elif self._free <= 0:
            raise ServerFullError("Every place is taken.")
        self._places += 1
        self._began_s[self._places] = self.now()
        return self._places

    def release(self, place: int) -> None:
        """Give a place back; whoever waits longest gets it."""
        began_s = self._began_s.pop(place)
        self._lengths_s.append(self.now() - began_s)
        self._settle(changed=True)

    def join(self, owner: str, caller: str = "") -> str:
        """Wait for a place; returns a ticket.

        Args:
            owner: Who may ask about the ticket and use it.
            caller: Whose tickets are counted: `Caller.visitor`.

        Raises:
            CallLimitError: The caller waits `most_of_one` times already.
            QueueFullError: `longest` wait already.
        """
        self._settle()
        theirs = [held for held in self._tickets.values() if held.caller == caller]
        if self.most_of_one and len(theirs) >= self.most_of_one:
            raise CallLimitError(
                f"From this key or address {self.most_of_one} wait already, which is as many as "
                "may. Try again in a while, or leave the line with one of its tickets.",
                min(held.seen_s for held in theirs) + POLL_WITHIN_S - self.now(),
            )
        if len(self._tickets) >= self.longest:
            raise QueueFullError("Too many people wait already.")
        ticket = secrets.token_urlsafe(18)
        self._tickets[ticket] = _Ticket(owner, caller, self.now())
        self._settle()
        return ticket

    def ask(self, ticket: str, owner: str) -> Standing:
        """Where a ticket stands; asking keeps it alive.

        Raises:
            TicketError: There is no such ticket of theirs.
        """
        self._settle()
        held = self._find(ticket, owner)
        if held.is_ready:  # others wait for the place: asking about it is not enough to keep it
            return Standing("ready", 0, 0.0, held.seen_s + POLL_WITHIN_S - self.now())
        held.seen_s = self.now()
        return self._standing(ticket)

    def leave(self, ticket: str, owner: str) -> None:
        """Give a ticket back.

        Raises:
            TicketError: There is no such ticket of theirs.
        """
        self._settle()
        self._find(ticket, owner)
        del self._tickets[ticket]
        self._settle(changed=True)

    def expected_wait_s(self) -> float:
        """How long somebody who joined the line now would wait, in seconds."""
        self._settle()
        return self._wait_s(sum(not ticket.is_ready for ticket in self._tickets.values()) + 1)

    def patience_s(self, most_s: float) -> float:
        """For how long nothing changes by itself: until a ticket runs out of time, or `most_s`."""
        ends_s = min((t.seen_s for t in self._tickets.values()), default=self.now())
        return min(most_s, max(0.0, ends_s + POLL_WITHIN_S - self.now()) + 0.01)

    @contextmanager
    def watched(self, tell: Callable[[], None]) -> Iterator[None]:
        """Have `tell` called whenever the line has moved."""
        self._watchers.append(tell)
        try:
            yield
        finally:
            self._watchers.remove(tell)

    @property
    def _free(self) -> int:
        kept = sum(ticket.is_ready for ticket in self._tickets.values())
        return self.capacity - len(self._began_s) - kept

    def _settle(self, *, changed: bool = False) -> None:
        """Drop what ran out of time, and keep the free places for those who wait longest."""
        now_s = self.now()
        late = [t for t, held in self._tickets.items() if now_s - held.seen_s > POLL_WITHIN_S]
        for ticket in late:
            del self._tickets[ticket]
        waiting = (held for held in self._tickets.values() if not held.is_ready)
        for held in tuple(islice(waiting, max(0, self._free))):
            held.is_ready, held.seen_s, changed = True, now_s, True
        if changed or late:
            for tell in tuple(self._watchers):
                tell()

    def _find(self, ticket: str, owner: str) -> _Ticket:
        held = self._tickets.get(ticket)
        if held is None or held.owner != owner:
            raise TicketError(
                "This ticket is not valid any more: it was used, or not asked about in time."
            )
        return held

    def _standing(self, ticket: str) -> Standing:
        waiting = [t for t, held in self._tickets.items() if not held.is_ready]
        place = waiting.index(ticket) + 1
        return Standing("waiting", place, round(self._wait_s(place), 1), POLL_WITHIN_S)

    def _wait_s(self, place: int) -> float:
        now_s = self.now()
        busy = [now_s - began_s for began_s in self._began_s.values()]
        kept = sum(ticket.is_ready for ticket in self._tickets.values())
        lengths_s = self._lengths_s or (self.usual_call_s,)
        return expected_wait_s(busy + [0.0] * kept, lengths_s, place, self.capacity)
