"""Turns the microphone into turns: who speaks when, and what was said."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from itertools import count

import numpy as np
from numpy.typing import NDArray

from avatar.client_turns import ClientTurns
from avatar.heard import (
    FalseStart,
    Heard,
    NotUnderstood,
    PersonPaused,
    SpeechStarted,
    SpeechSustained,
    TurnEnded,
    WentOn,
)
from avatar.tape import Tape
from avatar.turn_taking import TurnTaking
from avatar.utterance import Utterance
from avatar.verdicts import Verdicts
from avatar.weighing import Weighing
from avatar.wording import Wording
from speech.audio import to_float
from speech.endpointing import Ended, Endpointer, Paused, Resumed, Started, Withdrawn
from speech.errors import StageError
from speech.stages import LISTENING_RATE_HZ, Recognizer, TurnDetector, VoiceDetector
from speech.types import AudioFrame, Language

__all__ = ["FalseStart", "Heard", "Listener", "NotUnderstood", "TurnEnded"]

_log = logging.getLogger(__name__)

WINDOW_SAMPLES = 512  # Silero's, 32 ms
_WORD_SAMPLES = round(0.12 * LISTENING_RATE_HZ)  # less speech is a click or a cough
_GOING_ON_SAMPLES = 5 * LISTENING_RATE_HZ  # what is said later than that goes on with nothing
_ECHOING_SAMPLES = round(0.128 * LISTENING_RATE_HZ)  # what a canceller lets through is shorter
_SURE = 0.8  # of 3106 runs of speech 3 had two windows alone, of which no second was so likely


class Listener:
    """Listens to one microphone.

    Words so far are recognised while somebody speaks (`Wording`). At the first silence (`_lull`)
    all that a pause will ask for is asked for, for most silences become one: the words, and the
    turn detector's verdict. Both are dropped if the person goes on.

    Args:
        detector: Of this microphone alone.
        turns: Judges at a pause whether the turn is over.
        recognizer: Of the endpointer's language.
        endpointer: Of this microphone alone.
        barge_in_ms: Speech that lasts this long is reported as sustained, 32 ms sooner if it is
            sure to be speech.
        is_echoing: Whether the avatar's own voice is being taken out of the microphone at present.
            Then speech has to last 128 ms longer, and what doesn't is none.
        goes_on: Whether nothing was heard of an answer to the last turn: then what is said within
            5 s goes on with it, and both together say how it ends.
        is_answered: Whether the answer to the last turn is over: that was the whole turn, then,
            however soon the person speaks again.
        more_proof_ms: How much longer than that speech must last now, in one go, to be reported.
        emit: Called with everything heard; must not block.
        weighing: Of the words at each pause, for the same endpointer.
    """

    def __init__(
        self,
        *,
        detector: VoiceDetector,
        turns: TurnDetector,
        recognizer: Recognizer,
        endpointer: Endpointer,
        barge_in_ms: int,
        emit: Callable[[Heard], None],
        is_echoing: Callable[[], bool] = lambda: False,
        goes_on: Callable[[], bool] = lambda: False,
        is_answered: Callable[[], bool] = lambda: False,
        more_proof_ms: Callable[[], int] = lambda: 0,
        weighing: Weighing | None = None,
    ) -> None:
        self._is_echoing = is_echoing
        self._goes_on = goes_on
        self._is_answered = is_answered
        self._more_proof_ms = more_proof_ms
        self._detector = detector
        self._endpointer = endpointer
        self._barge_in_samples = barge_in_ms * LISTENING_RATE_HZ // 1000
        self._emit = emit
        self._tape = Tape()
        self._verdicts = Verdicts(turns, self._tape, endpointer)
        self._wording = Wording(
            recognizer, self._tape, endpointer, emit, lambda: self._utterance, weighing
        )
        self._numbers = count(1)
        self._client_turns = ClientTurns(self._tape, self._wording, self._numbers, emit)
        self._arrived_at_s = 0.0  # loop time of the tape's end
        self._utterance: Utterance | None = None
        self._last: Utterance | None = None  # that was taken for a turn
        self._tasks: asyncio.TaskGroup | None = None
        self._by_client = False

    def take_turns(self, turns: TurnTaking) -> None:
        """Have turns end as a client wants it."""
        self._endpointer.tune(
            end_silence_ms=turns.end_silence_ms,
            patient_silence_ms=turns.patient_silence_ms,
            threshold=turns.threshold,
            pre_roll_ms=turns.pre_roll_ms,
        )
        if turns.by_client != self._by_client:
            self.forget()
            self._by_client = turns.by_client

    def commit(self, at_sample: int | None = None) -> None:
        """End the turn under way, for the client says that it is over.

        Args:
            at_sample: Where, in the microphone's stream; now if it is None.
        """
        if self._by_client:
            self._client_turns.commit(at_sample)
        if self._tasks is None:
            return
        if self._by_client:
            self._client_turns.cut(self._tasks)
        elif self._utterance is not None:  # it ends as if there had been silence
            self._endpointer.reset()
            self._end(self._tasks, self._tape.heard)

    def submit(self, pcm: NDArray[np.int16], item_id: str) -> None:
        """Write down a turn that was recorded elsewhere.

        Args:
            pcm: int16 at 16 kHz, shape (samples,).
            item_id: That the client gave it.
        """
        if self._tasks is not None:
            self._client_turns.submit(self._tasks, pcm, item_id)

    def change_language(self, language: Language, recognizer: Recognizer) -> None:
        """Expect another language from the next recognition on."""
        self._wording.recognizer = recognizer
        self._endpointer.language = language

    def unhear(self, start_sample: int) -> None:
        """Learn nothing from the utterance that began there: a listener's sound, and no turn."""
        self._endpointer.was_noise(start_sample)

    def forget(self) -> None:
        """Drop the utterance under way: all that will be reported of it is a false start."""
        self._endpointer.reset()
        self._withdraw(self._tape.heard)
        self._last = None
        self._client_turns.forget()

    async def run(self, microphone: AsyncIterator[AudioFrame]) -> None:
        """Listen until the microphone ends.

        Args:
            microphone: 16 kHz mono, without gaps.
        """
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            async for frame in microphone:
                self._tape.append(frame.pcm)
                self._arrived_at_s = asyncio.get_running_loop().time()
                while self._tape.end - self._tape.heard >= WINDOW_SAMPLES:
                    if self._by_client:
                        self._tape.heard += WINDOW_SAMPLES
                    else:
                        self._hear_window(tasks)
                self._client_turns.cut(tasks)

    def _hear_window(self, tasks: asyncio.TaskGroup) -> None:
        start, self._tape.heard = self._tape.heard, self._tape.heard + WINDOW_SAMPLES
        window = to_float(self._tape.cut(start, self._tape.heard))
        probability = self._detector.probability(window)
        event = self._endpointer.step(probability, self._tape.heard)
        match event:
            case Started(start_sample):
                self._begin(start_sample)
            case Paused(end_sample):
                self._pause(tasks, end_sample)
            case Resumed():
                if self._utterance is not None:
                    self._utterance.give_up()
                    self._utterance.voiced_before = self._utterance.voiced
                    self._utterance.sustained = False  # an answer may have begun in the pause
                    self._emit(WentOn(self._utterance.number))
            case Withdrawn(at_sample):
                self._withdraw(at_sample)
            case Ended(end_sample):
                self._end(tasks, end_sample)
            case None:
                pass
        if self._utterance is not None:
            if self._endpointer.voiced:
                self._follow(tasks, self._utterance, probability)
            else:
                self._lull(tasks, self._utterance)

    def _begin(self, start_sample: int) -> None:
        last, self._last = self._last, None
        if last is not None and last.is_over and self._is_answered():
            self._endpointer.stands()
        goes_on = last is not None and (not last.is_over or self._goes_on())
        is_recent = last is not None and start_sample - last.paused_at <= _GOING_ON_SAMPLES
        number = next(self._numbers)
        self._utterance = Utterance(number, start_sample, last if goes_on and is_recent else None)
        self._emit(SpeechStarted(number, start_sample))

    def _follow(self, tasks: asyncio.TaskGroup, utterance: Utterance, probability: float) -> None:
        """Report sustained speech and start interim recognition, where due."""
        utterance.silent_from = utterance.paused_at if utterance.is_pausing else 0
        if utterance.is_guessed and not utterance.is_pausing:
            utterance.is_guessed = False
            self._emit(WentOn(utterance.number))
        utterance.voiced = self._endpointer.voiced_samples
        if not utterance.sustained and self._lasts(utterance, sure=probability >= _SURE):
            utterance.sustained = True
            self._emit(SpeechSustained(utterance.number))
        if not self._may_be_echo(utterance):
            self._wording.follow(tasks, utterance)

    def _lull(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        """At the first silence find out what a pause will ask for: most of them become one."""
        is_speech = utterance.voiced >= _WORD_SAMPLES and not self._may_be_echo(utterance)
        if utterance.silent_from or not is_speech:
            return
        utterance.silent_from = end = self._tape.heard - WINDOW_SAMPLES
        self._wording.lull(tasks, utterance)
        self._verdicts.ask(tasks, utterance, end)
        self._wording.guess(utterance)

    def _lasts(self, utterance: Utterance, *, sure: bool = False) -> bool:
        """Whether it is long enough to interrupt the avatar for."""
        if self._may_be_echo(utterance):
            return False
        if more := self._more_proof_ms() * LISTENING_RATE_HZ // 1000:
            return utterance.voiced - utterance.voiced_before >= self._barge_in_samples + more
        return utterance.voiced >= self._barge_in_samples - sure * WINDOW_SAMPLES

    def _may_be_echo(self, utterance: Utterance) -> bool:
        """Whether it may be a rest of the avatar's own voice, of which no words are wanted."""
        return self._is_echoing() and utterance.voiced < self._barge_in_samples + _ECHOING_SAMPLES

    def _pause(self, tasks: asyncio.TaskGroup, end_sample: int) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if self._may_be_echo(utterance):
            self.forget()
            return
        self._verdicts.pause(tasks, utterance, end_sample)
        utterance.paused_at = utterance.silent_from = end_sample
        self._wording.pause(tasks, utterance, end_sample)
        self._emit(PersonPaused(utterance.number))
        if not utterance.is_guessed:
            self._wording.guess(utterance)

    def _withdraw(self, at_sample: int) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            self._last = utterance.before
            utterance.give_up()
            self._emit(FalseStart(utterance.number, at_sample))

    def _end(self, tasks: asyncio.TaskGroup, end_sample: int) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        self._last, utterance.paused_at = utterance, end_sample
        now = asyncio.get_running_loop().time()
        silence_s = (self._tape.end - end_sample) / LISTENING_RATE_HZ
        tasks.create_task(
            self._finish(tasks, utterance, end_sample, self._arrived_at_s - silence_s, now),
            name="turn-ended",
        )

    async def _finish(
        self,
        tasks: asyncio.TaskGroup,
        utterance: Utterance,
        end_sample: int,
        ended_at_s: float,
        decided_at_s: float,
    ) -> None:
        final = (
            await utterance.final
            if utterance.final is not None
            else await self._wording.final(tasks, utterance, end_sample)
        )
        utterance.is_over = True
        if isinstance(final, StageError):
            _log.warning("recognition failed", exc_info=final)
            failed = str(final), ended_at_s, decided_at_s
            self._emit(NotUnderstood(utterance.number, end_sample, *failed))
        else:
            if not final.text:
                self._endpointer.was_noise(utterance.start_sample)
            span = utterance.start_sample, end_sample
            self._emit(TurnEnded(utterance.number, final, *span, ended_at_s, decided_at_s))
