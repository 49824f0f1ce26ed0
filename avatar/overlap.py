"""A person makes a sound while the avatar answers: what it is, and what becomes of the answer.

The avatar holds its tongue at once, and the words decide: with a listener's "mm-hm", or with none,
it goes on; with others, the person has the floor.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from avatar.playout import Playout
from avatar.reply import Reply
from render.types import SPEECH_CLOCK_HZ
from speech.backchannels import (
    LONGEST_S,
    acknowledges,
    is_backchannel,
    may_become_backchannel,
)
from speech.types import Language

HOLD_S = 1.2
"""A sound in which no words were found by then is taken for noise."""

HOLD_LIMIT_S = 2.5
"""A recogniser that has found nothing out by then is late: whoever sounds so long speaks."""

# A question is answered from so long before its end until the avatar has gone on for so long.
_EARLY_SAMPLES = SPEECH_CLOCK_HZ * 3 // 5
_LATE_SAMPLES = SPEECH_CLOCK_HZ

Meaning = Literal["words", "backchannel", "noise", "unknown"]
Listening = Literal["aloud", "acknowledging", "no"]


@dataclass(frozen=True, slots=True)
class HoldOverdue:
    """The answer has been held for `HOLD_S`, or `HOLD_LIMIT_S`, for this utterance."""

    utterance: int
    for_the_last_time: bool


@dataclass(slots=True)
class _Overlap:
    """One utterance.

    Attributes:
        is_over: Whether it is said over an answer: it began in one, or one was asked for meanwhile.
        reply: The answer; None while that waits for a tool of the client's, and will follow.
        listens: What means "go on" in it, and no answer: nothing, behind a question; before the
            answer is heard, what acknowledges; what any listener says, from then on.
        text: The words so far; None before any were looked for.
        pausing: Whether the person is silent at present.
    """

    is_over: bool
    reply: Reply | None
    listens: Listening
    text: str | None = None
    pausing: bool = False

    def meaning(self, language: Language) -> Meaning:
        """Of what is known so far."""
        if self.text is None:
            return "unknown"
        if not self.text:
            return "noise"
        if self.listens != "no" and may_become_backchannel(self.text, language):
            return "unknown"
        return "words"


class Overlaps:
    """What is being said, over the present answer or not, and whether that is held for it.

    Args:
        playout: Of the answer.
        overdue: Called when a hold has lasted too long.
    """

    def __init__(self, playout: Playout, overdue: Callable[[HoldOverdue], None]) -> None:
        self._playout = playout
        self._overdue = overdue
        self._overlaps: dict[int, _Overlap] = {}
        self._timers: tuple[asyncio.TimerHandle, ...] = ()
        self.held_for: int | None = None
        """The utterance for which the answer is held."""

    def begin(self, utterance: int, reply: Reply | None, *, in_turn: bool, said_all: bool) -> None:
        """A sound began.

        Args:
            utterance: Begun by it.
            reply: The answer under way; None while that waits for a tool of the client's.
            in_turn: Whether the avatar has its turn; if not, the person begins theirs.
            said_all: Whether what the person said before needs no more words to be a whole.
        """
        listens = self._listening(said_all) if in_turn else "no"
        self._overlaps[utterance] = _Overlap(in_turn, reply, listens)

    def join(self, reply: Reply) -> int | None:
        """An answer is begun over what is being said; the newest of it, if there is any."""
        for overlap in self._overlaps.values():
            overlap.is_over, overlap.reply = True, reply
        return max(self._overlaps, default=None)

    def hold(self, utterance: int, reply: Reply | None, language: Language) -> bool:
        """Hold `reply` until it is known what the sound is.

        Returns:
            Whether it is held; not if the person has the floor, having begun before the reply did
            or said words meanwhile.
        """
        overlap = self._of(utterance, reply)
        if overlap is None or overlap.meaning(language) == "words":
            return False
        overlap.pausing = False
        if self.held_for != utterance:
            self._cancel_timers()
            self.held_for = utterance
            self._playout.hold()
            loop = asyncio.get_running_loop()
            self._timers = tuple(
                loop.call_later(after_s, self._overdue, HoldOverdue(utterance, last))
                for after_s, last in ((HOLD_S, False), (HOLD_LIMIT_S, True))
            )
        return True

    def pause(self, utterance: int) -> bool:
        """The person is silent again; whether the avatar was speaking meanwhile."""
        overlap = self._overlaps.get(utterance)
        if overlap is None:
            return False
        overlap.pausing = True
        return overlap.reply is not None and overlap.reply.first_sample is not None

    def hear(self, utterance: int, text: str, reply: Reply | None, language: Language) -> Meaning:
        """Take in the words so far, none perhaps: who goes on making a sound may yet say some."""
        overlap = self._overlaps.get(utterance)
        if overlap is None:
            return "unknown"
        overlap.text = text
        if self._of(utterance, reply) is None:
            return "unknown"
        meaning = overlap.meaning(language)
        return "unknown" if meaning == "noise" and not overlap.pausing else meaning

    def weigh(self, utterance: int, text: str, seconds: float, language: Language) -> Meaning:
        """What all that was said, and how long it took, means to the answer it began in."""
        overlap = self._overlaps.get(utterance)
        if not text:
            return "noise"
        if overlap is None or overlap.listens == "no" or seconds > LONGEST_S:
            return "words"
        only_listens = acknowledges if overlap.listens == "acknowledging" else is_backchannel
        return "backchannel" if only_listens(text, language) else "words"

    def judge(self, overdue: HoldOverdue, language: Language) -> Meaning:
        """What is to be made of a sound for which the answer was held too long."""
        overlap = self._overlaps.get(overdue.utterance)
        if overlap is None or self.held_for != overdue.utterance:
            return "unknown"
        if overlap.pausing and (overlap.text is not None or overdue.for_the_last_time):
            return "noise"
        meaning = overlap.meaning(language)
        return "words" if meaning == "unknown" and overdue.for_the_last_time else meaning

    def is_during(self, utterance: int, reply: Reply | None) -> bool:
        """Whether the utterance began during this reply."""
        return self._of(utterance, reply) is not None

    def end(self, utterance: int) -> None:
        """The utterance is over, and dealt with."""
        self._overlaps.pop(utterance, None)

    def release(self) -> None:
        """The answer is not held any more: it goes on, or is over; so does what else is said."""
        self.held_for = None
        self._cancel_timers()
        self._playout.resume()

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = ()

    def _listening(self, said_all: bool) -> Listening:
        """What it would mean to say "yes" now."""
        before = self._playout.heard(-_LATE_SAMPLES - self._playout.quiet_samples)
        if "?" in self._playout.heard(_EARLY_SAMPLES)[len(before) :]:
            return "no"
        if self._playout.heard():
            return "aloud"
        return "acknowledging" if said_all else "no"

    def _of(self, utterance: int, reply: Reply | None) -> _Overlap | None:
        """The overlap of `utterance` with `reply`."""
        overlap = self._overlaps.get(utterance)
        if overlap is None or not overlap.is_over:
            return None
        return overlap if overlap.reply is None or overlap.reply is reply else None
