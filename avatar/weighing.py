"""What was said up to a pause, weighed: whether a sentence ends there."""

import asyncio
import logging

from avatar.stage_failure import foreseen
from speech.endpointing import Endpointer
from speech.errors import StageError
from speech.stages import ClosingJudge

_log = logging.getLogger(__name__)


class Weighing:
    """Asks a judge about the words of every pause, and tells the endpointer.

    Args:
        judge: Of words.
        endpointer: Of one microphone.
    """

    def __init__(self, judge: ClosingJudge, endpointer: Endpointer) -> None:
        self._judge = judge
        self._endpointer = endpointer
        self._task: asyncio.Task[None] | None = None

    def ask(self, tasks: asyncio.TaskGroup, text: str) -> None:
        """Have the words of the present pause judged; those of an earlier one no longer are.

        Args:
            tasks: Of the listener.
            text: All that was said in the turn.
        """
        self._forget()
        pause = self._endpointer.pause
        if pause is not None:
            self._task = tasks.create_task(self._weigh(text, pause), name="weighing")

    def give_up(self) -> None:
        """The words of the present pause will not be known."""
        self._forget()
        self._endpointer.words_close(None)

    def _forget(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _weigh(self, text: str, pause: int) -> None:
        closes: float | None = None
        try:
            verdict = self._judge.closes(text, self._endpointer.language)
            closes = await foreseen(verdict, "judge of the words")
        except StageError:
            _log.warning("the words could not be judged", exc_info=True)
        if self._endpointer.pause == pause:
            self._endpointer.words_close(closes)
