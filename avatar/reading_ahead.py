"""Lets the language model read a prompt while the person still speaks."""

import asyncio
import logging
from collections.abc import Sequence

from speech.errors import StageError
from speech.stages import LanguageModel
from speech.types import Message, Tool

_log = logging.getLogger(__name__)


class ReadingAhead:
    """Has one prompt read at a time, the newest.

    Args:
        llm: Reads it.
    """

    def __init__(self, llm: LanguageModel) -> None:
        self._llm = llm
        self._task: asyncio.Task[None] | None = None
        self._asked: tuple[tuple[Message, ...], tuple[Tool, ...]] = ((), ())

    def start(
        self, tasks: asyncio.TaskGroup, prompt: Sequence[Message], tools: Sequence[Tool]
    ) -> None:
        """Read `prompt` in a task of `tasks`, and no longer what was read before.

        The same prompt again is read, or being read, if nothing came between: the person said no
        more.
        """
        asked = (tuple(prompt), tuple(tools))
        if self._task is not None and asked == self._asked:
            return
        self.stop()
        self._asked = asked
        self._task = tasks.create_task(self._read(prompt, tools), name="prefill")

    def stop(self) -> None:
        """Leave the model to the answer."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self, prompt: Sequence[Message], tools: Sequence[Tool]) -> None:
        try:
            is_read = await self._llm.prefill(prompt, tools)
        except StageError:
            # Only a hint: the reply will meet the same failure and apologise for it.
            _log.info("prefill failed", exc_info=True)
            is_read = False
        if not is_read:
            self._asked = ((), ())
