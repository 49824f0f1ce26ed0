"""Turns the microphone into turns: who speaks when, and what was said."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable

import numpy as np
from numpy.typing import NDArray

from avatar.heard import (
    FalseStart,
    Guessed,
    Heard,
    Interim,
    NotUnderstood,
    PersonPaused,
    SpeechStarted,
    SpeechSustained,
    Submitted,
    TurnEnded,
    WentOn,
    Wordless,
)
from avatar.stage_failure import foreseen
from avatar.tape import TAPE_S, Tape
from avatar.turn_taking import TurnTaking
from avatar.utterance import Utterance
from avatar.verdicts import Verdicts
from avatar.weighing import Weighing
from speech.audio import to_float
from speech.endpointing import Ended, Endpointer, Paused, Resumed, Started, Withdrawn
from speech.errors import StageError
from speech.stages import LISTENING_RATE_HZ, Recognizer, TurnDetector, VoiceDetector
from speech.types import AudioFrame, Language, Transcript

__all__ = ["FalseStart", "Heard", "Listener", "NotUnderstood", "TurnEnded"]

_log = logging.getLogger(__name__)

WINDOW_SAMPLES = 512  # Silero's, 32 ms
POST_ROLL_SAMPLES = round(0.2 * LISTENING_RATE_HZ)  # recognisers clip the last word without it
_WORD_SAMPLES = round(0.12 * LISTENING_RATE_HZ)  # less speech is a click or a cough
_REST = 1.5  # times what words so far took, the recogniser rests while somebody speaks
_CHEAP_S = 0.5  # a recogniser that is asked so often verifies a draft in no time
_GOING_ON_SAMPLES = 5 * LISTENING_RATE_HZ  # what is said later than that goes on with nothing
_ECHOING_SAMPLES = round(0.128 * LISTENING_RATE_HZ)  # what a canceller lets through is shorter
_SURE = 0.8  # of 3106 runs of speech 3 had two windows alone, of which no second was so likely


class Listener:
    """Listens to one microphone.

    Words so far are recognised as often as the recogniser can afford, each time with the last ones
    as a draft, and once more at the first silence (`_lull`), when the turn detector is asked, too.
    Those words are guessed to be all of the turn's until the final ones are there, which a pause
    asks for (or takes them for, if the recogniser would take as long again); both are dropped if
    the person goes on.

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
        weighing: Weighing | None = None,
    ) -> None:
        self._weighing = weighing
        self._is_echoing = is_echoing
        self._goes_on = goes_on
        self._is_answered = is_answered
        self._recognizer = recognizer
        self._detector = detector
        self._endpointer = endpointer
        self._barge_in_samples = barge_in_ms * LISTENING_RATE_HZ // 1000
        self._emit = emit
        self._tape = Tape()
        self._verdicts = Verdicts(turns, self._tape, endpointer)
        self._windowed = 0  # samples that the detector has had
        self._arrived_at_s = 0.0  # loop time of the tape's end
        self._count = 0
        self._utterance: Utterance | None = None
        self._last: Utterance | None = None  # that was taken for a turn
        self._tasks: asyncio.TaskGroup | None = None
        self._by_client = False
        self._begun = 0  # where the turn begins that the client will say is over
        self._commits: deque[tuple[int, int]] = deque()  # where a turn is to end, and its number

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
        if not self._by_client:
            if self._tasks is not None:
                self._end_now(self._tasks)
            return
        self._count += 1
        self._emit(Submitted(self._count))  # at once: an answer that is asked for now, waits
        self._commits.append((self._tape.end if at_sample is None else at_sample, self._count))
        self._end_committed()

    def submit(self, pcm: NDArray[np.int16], item_id: str) -> None:
        """Write down a turn that was recorded elsewhere.

        Args:
            pcm: int16 at 16 kHz, shape (samples,).
            item_id: That the client gave it.
        """
        if self._tasks is not None:
            self._count += 1
            self._emit(Submitted(self._count, item_id))
            recording = self._finish_recording(self._count, pcm, (0, len(pcm)))
            self._tasks.create_task(recording, name="submitted")

    def change_language(self, language: Language, recognizer: Recognizer) -> None:
        """Expect another language from the next recognition on."""
        self._recognizer = recognizer
        self._endpointer.language = language

    def unhear(self) -> None:
        """Learn nothing from the last utterance: it was a listener's sound, and no turn."""
        self._endpointer.was_noise()

    def forget(self) -> None:
        """Drop the utterance under way: all that will be reported of it is a false start."""
        self._endpointer.reset()
        self._withdraw(self._windowed)
        self._last = None
        if not self._commits:
            self._begun = self._tape.end

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
                while self._tape.end - self._windowed >= WINDOW_SAMPLES:
                    if self._by_client:
                        self._windowed += WINDOW_SAMPLES
                    else:
                        self._hear_window(tasks)
                self._end_committed()

    def _end_committed(self) -> None:
        """End the turns that the client has said are over, as far as their sound is here."""
        while self._tasks is not None and self._commits and self._commits[0][0] <= self._tape.end:
            end, number = self._commits.popleft()
            begin = max(min(self._begun, end), end - TAPE_S * LISTENING_RATE_HZ)
            self._begun = end
            recording = self._finish_recording(number, self._tape.cut(begin, end), (begin, end))
            self._tasks.create_task(recording, name="committed")

    def _end_now(self, tasks: asyncio.TaskGroup) -> None:
        """End the utterance under way as if there had been silence."""
        if self._utterance is not None:
            self._endpointer.reset()
            self._end(tasks, self._windowed)

    async def _finish_recording(
        self, number: int, pcm: NDArray[np.int16], span: tuple[int, int]
    ) -> None:
        now = asyncio.get_running_loop().time()
        try:
            transcript = await self._recognize(pcm)
        except StageError as error:
            _log.warning("recognition failed", exc_info=error)
            self._emit(NotUnderstood(number, span[1], str(error)))
        else:
            self._emit(TurnEnded(number, transcript, *span, now, now))

    async def _recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        return await foreseen(self._recognizer.recognize(pcm, draft), "recogniser")

    def _hear_window(self, tasks: asyncio.TaskGroup) -> None:
        start = self._windowed
        self._windowed += WINDOW_SAMPLES
        window = to_float(self._tape.cut(start, self._windowed))
        probability = self._detector.probability(window)
        event = self._endpointer.step(probability, self._windowed)
        match event:
            case Started(start_sample):
                self._count += 1
                self._utterance = self._begin(start_sample)
                self._emit(SpeechStarted(self._count, start_sample))
            case Paused(end_sample):
                self._pause(tasks, end_sample)
            case Resumed():
                if self._utterance is not None:
                    self._utterance.give_up()
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

    def _begin(self, start_sample: int) -> Utterance:
        last, self._last = self._last, None
        if last is not None and last.is_over and self._is_answered():
            self._endpointer.stands()
        goes_on = last is not None and (not last.is_over or self._goes_on())
        is_recent = last is not None and start_sample - last.paused_at <= _GOING_ON_SAMPLES
        return Utterance(self._count, start_sample, last if goes_on and is_recent else None)

    def _follow(self, tasks: asyncio.TaskGroup, utterance: Utterance, probability: float) -> None:
        """Report sustained speech and start interim recognition, where due."""
        utterance.silent_from = utterance.paused_at if utterance.is_pausing else 0
        if utterance.is_guessed and not utterance.is_pausing:
            utterance.is_guessed = False
            self._emit(WentOn(utterance.number))
        voiced_samples = utterance.voiced = self._endpointer.voiced_samples
        if not utterance.sustained and self._lasts(utterance, sure=probability >= _SURE):
            utterance.sustained = True
            self._emit(SpeechSustained(utterance.number))
        due = utterance.interim_at + self._recognizer.interim_every_s * LISTENING_RATE_HZ
        now_s = asyncio.get_running_loop().time()
        if not utterance.is_pausing and voiced_samples >= due and now_s >= utterance.rested_at_s:
            self._ask_interim(tasks, utterance)

    def _lull(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        """At the first silence find out what a pause will ask for: most of them become one."""
        is_speech = utterance.voiced >= _WORD_SAMPLES and not self._may_be_echo(utterance)
        if utterance.silent_from or not is_speech:
            return
        utterance.silent_from = end = self._windowed - WINDOW_SAMPLES
        if not self._is_cheap and utterance.interim is not None:
            utterance.interim.cancel()
            utterance.interim = None
        self._ask_interim(tasks, utterance)
        self._verdicts.ask(tasks, utterance, end)
        self._guess(utterance)

    @property
    def _is_cheap(self) -> bool:
        return self._recognizer.interim_every_s <= _CHEAP_S

    def _ask_interim(self, tasks: asyncio.TaskGroup, utterance: Utterance) -> None:
        if self._may_be_echo(utterance):
            return
        if utterance.interim is None or utterance.interim.done():
            utterance.interim_at, utterance.interim_to = utterance.voiced, self._windowed
            utterance.interim = tasks.create_task(
                self._recognize_interim(utterance, self._windowed), name="interim"
            )

    def _lasts(self, utterance: Utterance, *, sure: bool = False) -> bool:
        """Whether it is long enough to interrupt the avatar for."""
        if self._is_echoing():
            return utterance.voiced >= self._barge_in_samples + _ECHOING_SAMPLES
        return utterance.voiced >= self._barge_in_samples - sure * WINDOW_SAMPLES

    def _may_be_echo(self, utterance: Utterance) -> bool:
        """Whether it may be a rest of the avatar's own voice, of which no words are wanted."""
        return self._is_echoing() and not self._lasts(utterance)

    async def _recognize_interim(self, utterance: Utterance, end: int) -> None:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        try:
            transcript = await self._recognize(
                self._tape.cut(utterance.start_sample, end), utterance.draft
            )
        except StageError:
            # The final recognition will meet the same failure, and reports it.
            _log.info("interim recognition failed", exc_info=True)
            return
        now_s = loop.time()
        utterance.rested_at_s = now_s + (now_s - asked_s) * _REST
        utterance.draft, utterance.drafted_to = transcript, end
        if self._utterance is utterance:
            if transcript.text:
                self._endpointer.hint(utterance.in_turn(transcript.text), end)
                self._emit(Interim(utterance.number, transcript.text))
                self._guess(utterance)
            else:
                self._emit(Wordless(utterance.number))
            if self._tasks is not None and self._is_cheap and utterance.is_cut_at(end):
                utterance.interim = None  # this one
                self._ask_interim(self._tasks, utterance)

    def _pause(self, tasks: asyncio.TaskGroup, end_sample: int) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if self._may_be_echo(utterance):
            self.forget()
            return
        self._verdicts.pause(tasks, utterance, end_sample)
        utterance.paused_at = utterance.silent_from = end_sample
        utterance.final = tasks.create_task(
            self._recognize_final(utterance, end_sample), name="final"
        )
        self._emit(PersonPaused(utterance.number))
        if not utterance.is_guessed:
            self._guess(utterance)

    def _guess(self, utterance: Utterance) -> None:
        if words := utterance.guess:
            utterance.is_guessed = True
            self._emit(Guessed(utterance.number, words, is_final=False))

    async def _recognize_final(
        self, utterance: Utterance, end_sample: int
    ) -> Transcript | StageError:
        if utterance.interim is not None and not utterance.interim.done():
            # The recogniser has one worker: do not queue behind what is of no use.
            if utterance.covers(end_sample):
                await asyncio.wait([utterance.interim])
            else:
                utterance.interim.cancel()
        pcm = self._tape.cut(utterance.start_sample, end_sample + POST_ROLL_SAMPLES)
        draft = utterance.draft
        try:
            if draft is None or self._is_cheap or utterance.drafted_to < end_sample:
                transcript = await self._recognize(pcm, draft)
            else:
                transcript = draft
        except StageError as error:
            if self._utterance is utterance and self._weighing is not None:
                self._weighing.give_up()
            # Returned, not raised: it may be dropped with its guess, and must not end the call.
            return error
        utterance.words = transcript.text
        if self._utterance is utterance:
            said = utterance.in_turn(transcript.text)
            self._endpointer.hint(said)
            if self._weighing is not None and self._tasks is not None:
                self._weighing.ask(self._tasks, said)
            if transcript.text:
                self._emit(Guessed(utterance.number, transcript.text))
            else:
                self._emit(Wordless(utterance.number))
        return transcript

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
            self._finish(utterance, end_sample, self._arrived_at_s - silence_s, now),
            name="turn-ended",
        )

    async def _finish(
        self, utterance: Utterance, end_sample: int, ended_at_s: float, decided_at_s: float
    ) -> None:
        final = (
            await utterance.final
            if utterance.final is not None
            else await self._recognize_final(utterance, end_sample)
        )
        utterance.is_over = True
        if isinstance(final, StageError):
            _log.warning("recognition failed", exc_info=final)
            self._emit(NotUnderstood(utterance.number, end_sample, str(final)))
        else:
            if not final.text:
                self._endpointer.was_noise()
            span = utterance.start_sample, end_sample
            self._emit(TurnEnded(utterance.number, final, *span, ended_at_s, decided_at_s))
