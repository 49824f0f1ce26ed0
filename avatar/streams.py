"""Run a stage ahead of its consumer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class _End:
    pass


_END: Final = _End()


class _Reader(Generic[T]):
    """The consumer's end: an iterator with nothing to clean up, so it may simply be dropped."""

    def __init__(self, queue: asyncio.Queue[T | _End]) -> None:
        self._queue = queue

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        item = await self._queue.get()
        if isinstance(item, _End):
            self._queue.put_nowait(_END)  # so that reading on after the end ends again
            raise StopAsyncIteration
        return item


def run_ahead(
    tasks: asyncio.TaskGroup, source: AsyncGenerator[T, None], *, limit: int, name: str
) -> AsyncIterator[T]:
    """Pull `source` in a task of `tasks`, at most `limit` items ahead of the reader.

    The task group owns the task: cancelling the group closes the source before the group ends,
    and an error in the source cancels the group.
    """
    queue: asyncio.Queue[T | _End] = asyncio.Queue(limit)

    async def pull() -> None:
        async with aclosing(source):
            async for item in source:
                await queue.put(item)
        await queue.put(_END)

    tasks.create_task(pull(), name=name)
    return _Reader(queue)
