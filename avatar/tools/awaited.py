"""The calls that the client was asked to make, and whose results are not there yet."""

import asyncio
from collections.abc import Callable

from avatar.commands import Respond, ToolsOverdue
from avatar.reply import Reply
from avatar.tools.covers import Covers


class AwaitedResults:
    """What the client owes, from `ToolCalled` until the conversation goes on.

    Args:
        covers: Speaks meanwhile.
        limit_s: How long the client is waited for.
        overdue: Called when that is over, and the answer that asked, too.

    Attributes:
        response_id: The answer that asked; empty while nothing is awaited.
        missing: The calls without a result.
        must_respond: The client wants an answer as soon as the one that asked has ended.
    """

    def __init__(
        self, covers: Covers, limit_s: float, overdue: Callable[[ToolsOverdue], None]
    ) -> None:
        self.response_id = ""
        self.missing: set[str] = set()
        self.must_respond: Respond | None = None
        self._covers = covers
        self._limit_s = limit_s
        self._overdue = overdue
        self._waiting: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        return bool(self.response_id)

    def begin(self, tasks: asyncio.TaskGroup, reply: Reply, calls: set[str]) -> None:
        """Wait for the results of these calls, in a task of `tasks`.

        Args:
            tasks: Owns the task, which outlasts the answer.
            reply: The answer that asks for them.
            calls: Their ids.
        """
        self.end()
        self.response_id, self.missing = reply.response_id, calls
        self._waiting = tasks.create_task(self._wait(reply), name="client-tools")

    def resolve(self, call_id: str) -> None:
        """A result came, awaited or not."""
        self.missing.discard(call_id)

    def end(self) -> None:
        """Wait no longer: the conversation goes on, with the results or without."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None
        self.response_id, self.missing, self.must_respond = "", set(), None

    async def _wait(self, reply: Reply) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                await self._covers.speak(reply)
                await asyncio.Event().wait()  # it has nothing to say
        except TimeoutError:
            if reply.task is not None:
                await asyncio.wait([reply.task])
            self._overdue(ToolsOverdue())
