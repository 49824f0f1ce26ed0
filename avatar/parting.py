"""The end of a call whose time is limited: announced, then said aloud, then kept to."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from avatar.events import (
    CallEnding,
    ConversationEvent,
    ReplyEnded,
    ReplyStarted,
    StateChanged,
    UserStarted,
    UserStopped,
)

NOTICE_S = 30.0
"""Before the end, when the client is told."""

FAREWELL_S = 12.0
"""Before the end, when the avatar begins to look for a moment to say goodbye."""

PATIENCE_S = 5.0
"""For that moment: then it interrupts whoever speaks, itself included."""


class Parting:
    """Watches over a call's time.

    Args:
        tell: Tells the client.
        say_goodbye: Lets the avatar say goodbye, at once.
    """

    def __init__(
        self, tell: Callable[[ConversationEvent], None], say_goodbye: Callable[[], None]
    ) -> None:
        self._tell = tell
        self._say_goodbye = say_goodbye
        self._avatar_is_busy = False
        self._person_speaks = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._answer = ""
        self._said = asyncio.Event()
        self._is_parting = False

    def note(self, event: ConversationEvent) -> None:
        """Take note of what happens in the conversation."""
        match event:
            case StateChanged(state):
                self._avatar_is_busy = state != "listening"
            case UserStarted():
                self._person_speaks = True
            case UserStopped():
                self._person_speaks = False
            case ReplyStarted(response_id) if self._is_parting and not self._answer:
                self._answer = response_id
            case ReplyEnded(response_id) if self._is_parting and response_id == self._answer:
                self._said.set()
        if self._avatar_is_busy or self._person_speaks:
            self._quiet.clear()
        else:
            self._quiet.set()

    async def run(self, lasts_s: float) -> None:
        """Return when the call, which begins now, has to end.

        Args:
            lasts_s: At most so long after now.
        """
        end_s = asyncio.get_running_loop().time() + lasts_s
        await _until(end_s - min(NOTICE_S, lasts_s / 2))
        self._tell(CallEnding(max(0.0, end_s - asyncio.get_running_loop().time())))
        await _until(end_s - min(FAREWELL_S, lasts_s / 2))
        await _wait(self._quiet, end_s - min(FAREWELL_S - PATIENCE_S, lasts_s / 4))
        self._is_parting = True
        self._say_goodbye()
        await _wait(self._said, end_s)


async def _until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - asyncio.get_running_loop().time()))


async def _wait(event: asyncio.Event, until_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until_s):
            await event.wait()
