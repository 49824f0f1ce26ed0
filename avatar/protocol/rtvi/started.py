"""The sessions that `/start` promises: how a call is to be that its client has yet to begin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from avatar.protocol.rtvi.requests import Wishes
from speech.errors import CallLimitError

MOST_STARTED = 100
"""Sessions that are promised and were not called yet, of all callers together."""

MOST_OF_ONE = 20
"""The same, of one key or address."""

KEPT_S = 600.0
"""So long after it was last used, a session without a call is forgotten."""


@dataclass(slots=True)
class Promise:
    """One session that was started.

    Attributes:
        wishes: How its calls are to be.
        caller: Who started it.
        used_s: When somebody last asked for it, or its call was found to be over.
        call_id: Its newest call; empty while there was none.
        is_in_call: Whether that was under way when last looked.
    """

    wishes: Wishes
    caller: str = ""
    used_s: float = 0.0
    call_id: str = ""
    is_in_call: bool = False

    def begin(self, call_id: str) -> None:
        """A call of it has begun."""
        self.call_id, self.is_in_call = call_id, True


@dataclass(slots=True)
class Started:
    """What was promised. Nobody's promise goes for the sake of somebody else's.

    Attributes:
        now: The time of the event loop, in seconds.
        is_there: Whether a call is under way, or can be gone on with.
    """

    now: Callable[[], float]
    is_there: Callable[[str], bool]
    _promises: dict[str, Promise] = field(default_factory=dict)

    def add(self, wishes: Wishes, caller: str) -> str:
        """Promise a session; returns its name.

        Args:
            wishes: How its calls are to be.
            caller: Whose sessions are counted: `Caller.visitor`.

        Raises:
            CallLimitError: The caller, or everybody together, has too many that wait for a call.
        """
        self._forget()
        waiting = [promise for promise in self._promises.values() if not promise.call_id]
        theirs = [promise for promise in waiting if promise.caller == caller]
        for whose, promises, most in (
            ("From this key or address there are", theirs, MOST_OF_ONE),
            ("There are", waiting, MOST_STARTED),
        ):
            if len(promises) >= most:
                raise CallLimitError(
                    f"{whose} {most} sessions started and not called, which is as many as may be. "
                    f"Call one; one that is not used is forgotten after {KEPT_S / 60:.0f} minutes.",
                    min(promise.used_s for promise in promises) + KEPT_S - self.now(),
                )
        session_id = uuid4().hex
        self._promises[session_id] = Promise(wishes, caller, self.now())
        return session_id

    def find(self, session_id: str) -> Promise | None:
        """What was promised by that name; None if nothing was, or it was forgotten."""
        self._forget()
        promise = self._promises.get(session_id)
        if promise is not None:
            promise.used_s = self.now()
        return promise

    def _forget(self) -> None:
        """Drop those that were not used for too long; while its call is there, one is used."""
        for name, promise in tuple(self._promises.items()):
            if promise.is_in_call and not self.is_there(promise.call_id):
                promise.is_in_call, promise.used_s = False, self.now()
            if not promise.is_in_call and self.now() - promise.used_s > KEPT_S:
                del self._promises[name]
