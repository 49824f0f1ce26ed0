"""Blocking inference, off the event loop."""

import asyncio
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_workers: "weakref.WeakSet[Worker]" = weakref.WeakSet()


def longest_busy_s() -> float:
    """For how long, in s, the slowest of all workers has been at its present call; 0 if none is."""
    now_s = asyncio.get_running_loop().time()
    return max((now_s - begun for worker in _workers if (begun := worker.begun_s)), default=0.0)


class Worker:
    """One thread for one model: its calls run one at a time, first come, first served.

    A cancelled caller goes on at once. If its call was still queued, it never runs; if it was
    running, its result is dropped.

    Attributes:
        begun_s: When its present call began, on the event loop's clock; None while it is idle.
    """

    def __init__(self, name: str) -> None:
        self.begun_s: float | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        _workers.add(self)

    async def run(self, call: Callable[[], T], cancel: Callable[[], None]) -> T:
        """Run `call` in the thread and return its result.

        Args:
            call: The blocking work.
            cancel: Called here, on the event loop, when the caller is cancelled: tells `call` to
                stop at its next step.
        """
        loop = asyncio.get_running_loop()

        def timed() -> T:
            self.begun_s = loop.time()
            try:
                return call()
            finally:
                self.begun_s = None

        try:
            return await loop.run_in_executor(self._pool, timed)
        except asyncio.CancelledError:
            cancel()
            raise

    def close(self) -> None:
        """Free the thread once its present call returns; drop what is queued."""
        self._pool.shutdown(wait=False, cancel_futures=True)
