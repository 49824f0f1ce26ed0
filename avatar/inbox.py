"""What a conversation is still to deal with."""

import asyncio
from collections.abc import AsyncGenerator

from avatar.commands import Command

MOST_WAITING = 50
"""Commands; then a client's next message is not read until they are dealt with."""


class Inbox:
    """Commands in the order in which they came. For one reader."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Command] = asyncio.Queue()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._queue.qsize()

    def put(self, command: Command) -> None:
        """Add one. Never waits."""
        self._queue.put_nowait(command)

    async def commands(self) -> AsyncGenerator[Command, None]:
        """Yield them as they come; one is dealt with when the next is asked for."""
        while True:
            yield await self._queue.get()
            self._queue.task_done()

    async def keep_up(self) -> None:
        """If many wait, wait until all are dealt with: a client can't pile them up."""
        if self.waiting > MOST_WAITING:
            await self._queue.join()
