"""What is said in an utterance: the words so far, those of a pause, and the guesses at them."""

import asyncio
import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatar.heard import Guessed, Heard, Interim, Wordless
from avatar.stage_failure import foreseen
from avatar.tape import Tape
from avatar.utterance import Utterance
from avatar.weighing import Weighing
from speech.endpointing import Endpointer
from speech.errors import StageError
from speech.stages import LISTENING_RATE_HZ, Recognizer
from speech.types import Transcript

_log = logging.getLogger(__name__)

_POST_ROLL_SAMPLES = round(0.2 * LISTENING_RATE_HZ)  # of quiet at the most, if it is there yet
_REST = 1.5  # times what words so far took, the recogniser rests while somebody speaks
_CHEAP_S = 0.5  # a recogniser that is asked so often verifies a draft in no time


class Wording:
    """Has what one microphone hears written down, and tells the endpointer.

    Words so far are recognised as often as the recogniser can afford, each time with the last ones
    as a draft, and once more at the first silence. They are guessed to be all of the turn's, and at
    a pause they are the final ones, if they were recognised from all of the speech; if not, it asks
    again. Both are dropped if the person goes on.

    Args:
        recognizer: Of the endpointer's language.
        tape: Of the microphone.
        endpointer: Of the same.
        emit: Told the words; must not block.
        present: The utterance under way.
        weighing: Of the words at each pause, for the same endpointer.

    Attributes:
        recognizer: May be changed during the call.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        tape: Tape,
        endpointer: Endpointer,
        emit: Callable[[Heard], None],
        present: Callable[[], Utterance | None],
        weighing: Weighing | None,
    ) -> None:
        self.recognizer = recognizer
        self._tape = tape
        self._endpointer = endpointer
        self._emit = emit
        self._present = present
        self._weighing = weighing

    async def recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        """The words of a recording.

        Args:
            pcm: int16 at 16 kHz, shape (samples,).
            draft: Words of its beginning.

        Raises:
            StageError: Recognition failed.
        """
        return await foreseen(self.recognizer.recognize(pcm, draft), "recogniser")

    def follow(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        """Somebody speaks: have the words so far recognised, if that is due."""
        due = utterance.interim_at + self.recognizer.interim_every_s * LISTENING_RATE_HZ
        now_s = asyncio.get_running_loop().time()
        if not utterance.is_pausing and utterance.voiced >= due and now_s >= utterance.rested_at_s:
            self._ask(tasks, utterance)

    def lull(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        """Somebody falls silent: have all that was said recognised."""
        if not self._is_cheap and utterance.interim is not None:
            utterance.interim.cancel()
            utterance.interim = None
        self._ask(tasks, utterance)

    def guess(self, utterance: Utterance) -> None:
        """Tell the words so far, if they are all that was said before the present silence."""
        if words := utterance.guess:
            utterance.is_guessed = True
            self._emit(Guessed(utterance.number, words, is_final=False))

    def pause(self, tasks: asyncio.TaskGroup, utterance: Utterance, end: int) -> None:
        """Have the words of the turn recognised, should it end with the pause from `end` on."""
        utterance.final = tasks.create_task(self.final(tasks, utterance, end), name="final")

    async def final(
        self, tasks: asyncio.TaskGroup, utterance: Utterance, end: int
    ) -> Transcript | StageError:
        """All words up to `end`."""
        if utterance.interim is not None and not utterance.interim.done():
            # The recogniser has one worker: do not queue behind what is of no use.
            if utterance.covers(end):
                await asyncio.wait([utterance.interim])
            else:
                utterance.interim.cancel()
        pcm = self._tape.cut(utterance.start_sample, end + _POST_ROLL_SAMPLES)
        draft = utterance.draft
        try:
            if draft is None or utterance.drafted_to < end:
                transcript = await self.recognize(pcm, draft)
            else:
                transcript = draft
        except StageError as error:
            if self._present() is utterance and self._weighing is not None:
                self._weighing.give_up()
            # Returned, not raised: it may be dropped with its guess, and must not end the call.
            return error
        utterance.words = transcript.text
        if self._present() is utterance:
            said = utterance.in_turn(transcript.text)
            self._endpointer.hint(said)
            if self._weighing is not None:
                self._weighing.ask(tasks, said)
            if transcript.text:
                self._emit(Guessed(utterance.number, transcript.text))
            else:
                self._emit(Wordless(utterance.number))
        return transcript

    @property
    def _is_cheap(self) -> bool:
        return self.recognizer.interim_every_s <= _CHEAP_S

    def _ask(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        if utterance.interim is None or utterance.interim.done():
            utterance.interim_at, utterance.interim_to = utterance.voiced, self._tape.heard
            utterance.interim = tasks.create_task(
                self._interim(tasks, utterance, self._tape.heard), name="interim"
            )

    async def _interim(self, tasks: asyncio.TaskGroup, utterance: Utterance, end: int) -> None:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        try:
            pcm = self._tape.cut(utterance.start_sample, end)
            transcript = await self.recognize(pcm, utterance.draft)
        except StageError:
            # The final recognition will meet the same failure, and reports it.
            _log.info("interim recognition failed", exc_info=True)
            return
        now_s = loop.time()
        utterance.rested_at_s = now_s + (now_s - asked_s) * _REST
        utterance.draft, utterance.drafted_to = transcript, end
        if self._present() is not utterance:
            return
        if transcript.text:
            self._endpointer.hint(utterance.in_turn(transcript.text), end)
            self._emit(Interim(utterance.number, transcript.text))
            self.guess(utterance)
        else:
            self._emit(Wordless(utterance.number))
        if self._is_cheap and utterance.is_cut_at(end):
            utterance.interim = None  # this one
            self._ask(tasks, utterance)
