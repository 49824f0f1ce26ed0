"""Blocking inference, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """One thread for one model: its calls run one at a time, first come, first served.

    A cancelled caller goes on at once. If its call was still queued, it never runs; if it was
    running, its result is dropped.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[[], T], cancel: Callable[[], None]) -> T:
        """Run `call` in the thread and return its result.

        Args:
            call: The blocking work.
            cancel: Called here, on the event loop, when the caller is cancelled: tells `call` to
                stop at its next step.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except asyncio.CancelledError:
            cancel()
            raise

    def close(self) -> None:
        """Free the thread once its present call returns; drop what is queued."""
        self._pool.shutdown(wait=False, cancel_futures=True)
