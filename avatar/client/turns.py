"""Taking turns: say something, then hear the answer out."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from avatar.client.call import Call, Event
from avatar.client.clips import Clip

END_SILENCE_S = 0.5
"""An answer is over when its events say so and it has been silent this long."""

_OPENER_PAUSE_S = 0.07
"""An opener ends with 150 ms of silence: before its middle it is heard, after it the answer."""

_SOUNDS_S = 0.06
"""Three frames: what was loud within that is heard at present."""

INTERIM = "avatar.input_transcript.interim"
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait.

    Attributes:
        answer_s: From the last speech sample to the first sound of the answer.
        longest_s: An answer still going after this long is stopped.
    """

    answer_s: float = 30.0
    longest_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said, and its answer.

    Attributes:
        said: For people: the clip's name, or what was typed.
        began_s: Loop time at which the first speech sample was sent (or the text).
        finished_s: The same of the last speech sample.
        ended_s: Loop time at which the answer was over (or given up on).
        answered: Whether any of it was heard.
        events: The server events from `began_s` to `ended_s`.
    """

    said: str
    began_s: float
    finished_s: float
    ended_s: float
    answered: bool
    events: tuple[Event, ...]

    @property
    def answer_from_s(self) -> float:
        """Loop time before which no sound is the answer's: an opener is none."""
        return max(self.finished_s, opener_end_s(self.events))


async def take_turn(call: Call, said: Clip | str, patience: Patience) -> Turn:
    """Say a clip or type a text, and hear its answer out.

    Raises:
        CallError: The call ended.
    """
    loop = asyncio.get_running_loop()
    since = len(call.events)
    began_s, finished_s = await _ask(call, said)

    def over() -> bool:
        quiet_s = loop.time() - call.observer.last_loud_s
        return quiet_s > END_SILENCE_S and not call.answering

    answered = await call.until(lambda: _is_answered(call, since, finished_s), patience.answer_s)
    if not answered or not await call.until(over, patience.longest_s):
        call.send({"type": "response.cancel"})
        await call.until(over, 4 * END_SILENCE_S)
    name = said if isinstance(said, str) else said.name
    return Turn(name, began_s, finished_s, loop.time(), answered, tuple(call.events[since:]))


async def interrupt(
    call: Call, first: Clip | str, clip: Clip, after_s: float, patience: Patience
) -> Turn | None:
    """Ask `first`, say `clip` over the answer, and hear the answer to `clip` out.

    Args:
        call: With nothing being answered.
        first: Something with a long answer.
        clip: What to say over it.
        after_s: From the answer's first sound to the clip's start; later where the answer pauses
            there.
        patience: With both answers.

    Returns:
        The turn that `clip` made; None when there was no answer, or it was over too soon to
        be interrupted.

    Raises:
        CallError: The call ended.
    """
    since = len(call.events)
    _, finished_s = await _ask(call, first)
    if not await call.until(lambda: _is_answered(call, since, finished_s), patience.answer_s):
        return None
    await asyncio.sleep(after_s)
    await call.until(lambda: not call.answering or _is_heard(call), patience.answer_s)
    if not call.answering:
        return None
    return await take_turn(call, clip, patience)


def spoken_lines(events: Iterable[Event]) -> Iterator[tuple[str, str]]:
    """What was said, in order: ("you" or "avatar", words). A cut answer is what was heard."""
    events = tuple(events)
    cut = {
        str(event.body["item_id"]): str(event.body.get("avatar_heard", ""))
        for event in events
        if event.type == "conversation.item.truncated"
    }
    for event in events:
        if event.type == TRANSCRIBED:
            yield "you", str(event.body["transcript"])
        elif event.type == "response.output_audio_transcript.done":
            whole = str(event.body["transcript"])
            yield "avatar", cut.get(str(event.body.get("item_id")), whole)


def opener_end_s(events: Iterable[Event]) -> float:
    """Loop time at which the last opener ("Let me see.") was over; -inf if there was none."""
    return max(
        (
            event.at_s + float(event.body["duration_ms"]) / 1000 - _OPENER_PAUSE_S
            for event in events
            if event.type == "avatar.opener"
        ),
        default=-inf,
    )


def _is_heard(call: Call) -> bool:
    """Whether the answer sounds at present: not between two clauses."""
    return asyncio.get_running_loop().time() - call.observer.last_loud_s < _SOUNDS_S


def _is_answered(call: Call, since: int, finished_s: float) -> bool:
    """Whether more than an opener was heard after `finished_s`."""
    return call.observer.last_loud_s > max(finished_s, opener_end_s(call.events[since:]))


async def _ask(call: Call, said: Clip | str) -> tuple[float, float]:
    """Say or type it; loop times at which its first and its last speech sample left."""
    if isinstance(said, str):
        call.say_text(said)
        now_s = asyncio.get_running_loop().time()
        return now_s, now_s
    utterance = call.microphone.play(said)
    return await utterance.started, await utterance.finished
