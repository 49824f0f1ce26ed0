"""Whose prompt is read: one at a time, replies before reading ahead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class PromptReading:
    """The right to have a prompt read by llama.cpp.

    llama.cpp fills its batch from the lowest slot first, so a second prompt would neither advance
    nor notice that it was cancelled until the first was read. Hence one at a time.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._replies_waiting = 0
        self._stop_hint: Callable[[], None] | None = None

    @asynccontextmanager
    async def for_reply(self) -> AsyncIterator[None]:
        """Hold the right, in the order of asking; whoever reads ahead is stopped."""
        self._replies_waiting += 1
        try:
            if self._stop_hint is not None:
                self._stop_hint()
            await self._lock.acquire()
        finally:
            self._replies_waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    @asynccontextmanager
    async def ahead(self, stop: Callable[[], None]) -> AsyncIterator[bool]:
        """Hold the right until a reply wants it; False if one does already.

        Args:
            stop: Called when a reply comes: makes the body end soon.
        """
        async with self._lock:
            if self._replies_waiting:
                yield False
                return
            self._stop_hint = stop
            try:
                yield True
            finally:
                self._stop_hint = None
