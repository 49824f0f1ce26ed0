"""Turns that the client says are over, or has recorded itself."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from avatar.heard import Heard, NotUnderstood, Submitted, TurnEnded
from avatar.tape import TAPE_S, Tape
from avatar.wording import Wording
from speech.errors import StageError
from speech.stages import LISTENING_RATE_HZ

_log = logging.getLogger(__name__)


class ClientTurns:
    """Has a client's turns written down, whole.

    Args:
        tape: Of the microphone.
        wording: Recognises what is on it.
        numbers: Of the call's utterances to come.
        emit: Told what was said; must not block.
    """

    def __init__(
        self,
        tape: Tape,
        wording: Wording,
        numbers: Iterator[int],
        emit: Callable[[Heard], None],
    ) -> None:
        self._tape = tape
        self._wording = wording
        self._numbers = numbers
        self._emit = emit
        self._begun = 0  # where the turn begins that the client will say is over
        self._ends: deque[tuple[int, int]] = deque()  # where a turn is to end, and its number

    def commit(self, at_sample: int | None) -> None:
        """End the turn under way.

        Args:
            at_sample: Where, in the microphone's stream; now if it is None.
        """
        number = next(self._numbers)
        self._emit(Submitted(number))  # at once: an answer that is asked for now, waits
        self._ends.append((self._tape.end if at_sample is None else at_sample, number))

    def cut(self, tasks: asyncio.TaskGroup) -> None:
        """Have the turns written down that are over, as far as their sound is here."""
        while self._ends and self._ends[0][0] <= self._tape.end:
            end, number = self._ends.popleft()
            begin = max(min(self._begun, end), end - TAPE_S * LISTENING_RATE_HZ)
            self._begun = end
            pcm = self._tape.cut(begin, end)
            tasks.create_task(self._write_down(number, pcm, (begin, end)), name="committed")

    def submit(self, tasks: asyncio.TaskGroup, pcm: NDArray[np.int16], item_id: str) -> None:
        """Have a turn written down that was recorded elsewhere.

        Args:
            tasks: Of the listener.
            pcm: int16 at 16 kHz, shape (samples,).
            item_id: That the client gave it.
        """
        number = next(self._numbers)
        self._emit(Submitted(number, item_id))
        tasks.create_task(self._write_down(number, pcm, (0, len(pcm))), name="submitted")

    def forget(self) -> None:
        """Begin the next turn here, unless one is to end before."""
        if not self._ends:
            self._begun = self._tape.end

    async def _write_down(self, number: int, pcm: NDArray[np.int16], span: tuple[int, int]) -> None:
        now = asyncio.get_running_loop().time()
        try:
            transcript = await self._wording.recognize(pcm)
        except StageError as error:
            _log.warning("recognition failed", exc_info=error)
            self._emit(NotUnderstood(number, span[1], str(error), now, now))
        else:
            self._emit(TurnEnded(number, transcript, *span, now, now))
