"""What is known of an utterance while it is being listened to."""

import asyncio
from dataclasses import dataclass

from speech.endpointing import UNHEARD_SAMPLES
from speech.errors import StageError
from speech.types import Transcript


@dataclass(slots=True)
class Utterance:
    """One run of speech on one microphone, with what is being found out about it.

    Samples are at 16 kHz, positions since the call began.

    Attributes:
        number: Counts up within the call.
        start_sample: Of its first sample.
        before: Was taken for a whole turn, and goes on with this one.
        words: Final.
        is_over: Whether everybody knows that it is.
        voiced: Samples of it that are speech.
        voiced_before: And that were before its last pause.
        sustained: Whether that is enough to interrupt the avatar for.
        silent_from: One past the last sample of speech before the present silence; 0 in speech.
        is_guessed: Whether its words were guessed in this silence.
        interim_at: Samples of speech in it when words so far were last asked for.
        interim_to: One past the last sample that they were asked for from.
        interim: Recognises them.
        rested_at_s: Loop time from which the recogniser may be asked again while they speak.
        draft: Words so far.
        drafted_to: One past the last sample that those were recognised from.
        paused_at: One past the last sample of speech before the present pause, or of it all.
        final: Recognises the words of the turn, should it end with this pause.
        verdict: Judges by the sound whether it does.
        judged_to: One past the last sample of speech that it judges by.
        likely: Its verdict.
    """

    number: int
    start_sample: int
    before: "Utterance | None" = None
    words: str = ""
    is_over: bool = False
    voiced: int = 0
    voiced_before: int = 0
    sustained: bool = False
    silent_from: int = 0
    is_guessed: bool = False
    interim_at: int = 0
    interim_to: int = 0
    interim: asyncio.Task[None] | None = None
    rested_at_s: float = 0.0
    draft: Transcript | None = None
    drafted_to: int = 0
    paused_at: int = 0
    final: asyncio.Task[Transcript | StageError] | None = None
    verdict: asyncio.Task[None] | None = None
    judged_to: int = 0
    likely: float | None = None

    @property
    def turn_start(self) -> int:
        """Sample at which the turn began."""
        return self.start_sample if self.before is None else self.before.turn_start

    @property
    def is_pausing(self) -> bool:
        """Whether it may have ended, and the words for that case have been asked for."""
        return self.final is not None

    @property
    def guess(self) -> str:
        """The words so far, if they are all that was said before the present silence."""
        heard_all = self.silent_from and self.drafted_to >= self.silent_from - UNHEARD_SAMPLES
        return self.draft.text if heard_all and self.draft is not None else ""

    def in_turn(self, words: str) -> str:
        """Words of this utterance, behind those that the turn began with."""
        before = self.before
        return words if before is None else f"{before.in_turn(before.words)} {words}"

    def covers(self, end: int) -> bool:
        """Whether the words last asked for are all, should the speech end at `end`."""
        return self.interim_to >= end - UNHEARD_SAMPLES

    def is_cut_at(self, end: int) -> bool:
        """Whether a silence that is no pause yet has begun behind `end`: words may be missing."""
        return not self.is_pausing and 0 < end <= self.silent_from

    def give_up(self) -> None:
        """Drop what was found out on the guess that the turn was over."""
        for task in (self.final, self.verdict):
            if task is not None:
                task.cancel()
        self.final = self.verdict = self.likely = None
        self.judged_to, self.is_guessed = 0, False
