"""Watches over a client that says again and again that it is alive."""

import asyncio

HEARTBEAT_LIMIT_S = 10.0
"""A client that has pinged once and then not for so long is gone."""


class Heartbeat:
    """The pings of one client; it may never send any."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the client ever pinged: then it watches over its call."""
        return self._last_s is not None

    def beat(self) -> None:
        """The client pinged."""
        self._last_s = asyncio.get_running_loop().time()

    async def stopped(self) -> None:
        """Return when a client that pinged has stopped; never for one that doesn't ping."""
        loop = asyncio.get_running_loop()
        while True:
            last_s = self._last_s if self._last_s is not None else loop.time()
            await asyncio.sleep(last_s + HEARTBEAT_LIMIT_S - loop.time())
            if self._last_s == last_s:
                return
