"""What was said up to a silence, judged by its sound: whether the turn is over."""

import asyncio
import logging

from avatar.stage_failure import foreseen
from avatar.tape import TAPE_S, Tape
from avatar.utterance import Utterance
from speech.endpointing import Endpointer
from speech.errors import StageError
from speech.stages import LISTENING_RATE_HZ, TurnDetector

_log = logging.getLogger(__name__)


class Verdicts:
    """Asks a turn detector at the first silence, and tells the endpointer if it becomes a pause.

    Args:
        turns: Judges.
        tape: Of one microphone.
        endpointer: Of the same.
    """

    def __init__(self, turns: TurnDetector, tape: Tape, endpointer: Endpointer) -> None:
        self._turns = turns
        self._tape = tape
        self._endpointer = endpointer

    def ask(self, tasks: asyncio.TaskGroup, utterance: Utterance, end: int) -> None:
        """Have the sound up to `end` judged; what was asked for before no longer is."""
        if utterance.verdict is not None:
            utterance.verdict.cancel()
        utterance.judged_to, utterance.likely = end, None
        utterance.verdict = tasks.create_task(self._judge(utterance, end), name="turn-end")

    def pause(self, tasks: asyncio.TaskGroup, utterance: Utterance, end: int) -> None:
        """The silence from `end` on is a pause."""
        if utterance.judged_to != end:
            self.ask(tasks, utterance, end)
        elif utterance.likely is not None:
            self._endpointer.turn_probability(utterance.likely)

    async def _judge(self, utterance: Utterance, end: int) -> None:
        start = max(utterance.turn_start, end - TAPE_S * LISTENING_RATE_HZ)
        pcm = self._tape.cut(start, end)
        try:
            utterance.likely = await foreseen(self._turns.finished(pcm), "turn detector")
        except StageError:
            # Without a verdict the endpointer waits for silence alone.
            _log.warning("turn detector failed", exc_info=True)
            return
        if self._endpointer.pause == end:
            self._endpointer.turn_probability(utterance.likely)
