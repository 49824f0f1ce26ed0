"""One turn of conversation: reply, speak, play; or be interrupted."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from avatar.dialogue.feelings import ReplyFeelings
from avatar.dialogue.tags import without_tags
from avatar.latency import TARGET_MS, Row, Timeline
from avatar.opener import Opening
from avatar.playout import Playout
from avatar.streams import run_ahead
from render.stages import LipSync
from render.types import NEUTRAL, SPEECH_CLOCK_HZ, Emotion
from speech.audio import resample_chunk
from speech.stages import Synthesizer
from speech.text.clauses import FIRST_WORDS, clauses
from speech.types import Clause, Language, SpeechChunk

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Voice:
    """What turns a reply into speech and mouth movement, for one language."""

    language: Language
    tts: Synthesizer
    lips: LipSync


async def answer(
    reply: AsyncGenerator[str, None],
    voice: Voice,
    playout: Playout,
    timeline: Timeline,
    may_speak: asyncio.Event,
    *,
    first_words: int = FIRST_WORDS,
    opening: Opening | None = None,
) -> None:
    """Say `reply` aloud while it is still being written. Cancel the running task to barge in.

    Every stage of the turn lives in this one task group, so a turn is over exactly when this
    coroutine is.

    Args:
        reply: Text deltas, in order; closed when the turn ends, however it ends.
        voice: How to say it.
        playout: Where to say it.
        timeline: Gets a mark at the first delivery of each stage.
        may_speak: Until it is set, all is made ready and nothing is given to the playout: an
            answer to what the person may not have finished saying.
        first_words: Of the first clause, after which it may end between two words.
        opening: Speaks an opener before it, if it is late.

    Raises:
        ExceptionGroup: A stage failed; the others were cancelled.
    """
    feelings = ReplyFeelings(voice.language)
    async with asyncio.TaskGroup() as tasks:
        words = without_tags(_marked(reply, timeline, "llm_first_token"), feelings.tag)
        deltas = run_ahead(tasks, words, limit=64, name="llm")
        written = clauses(
            deltas, voice.language, first_words, partial(_is_late, timeline, may_speak)
        )
        written = _measured(written, timeline)
        spoken = voice.tts.speak(run_ahead(tasks, written, limit=8, name="clauses"))
        speech = run_ahead(tasks, _marked(spoken, timeline, "tts_first_audio"), limit=2, name="tts")
        opener = None
        if opening is not None:
            watching = opening.watch(timeline, may_speak, playout, voice.lips)
            opener = tasks.create_task(watching, name="opener")
        async for chunk in speech:
            emotion = feelings.of_next(chunk.text)
            await play(chunk, voice.lips, playout, emotion, may_speak)
        if opener is not None:
            opener.cancel()  # of an answer without a sound it would wait for ever
        await playout.drained()


async def write(
    reply: AsyncGenerator[str, None],
    timeline: Timeline,
    may_speak: asyncio.Event,
    tell: Callable[[str], None],
) -> None:
    """Tell the words of `reply` as they are written, and say nothing aloud.

    Args:
        reply: Text deltas, in order; closed when this ends, however it ends.
        timeline: Gets a mark at the first delivery.
        may_speak: Nothing is told until it is set.
        tell: Told every piece.
    """
    marked = _marked(reply, timeline, "llm_first_token")
    async with aclosing(without_tags(marked, lambda _place, _emotion: None)) as words:
        async for text in words:
            await may_speak.wait()
            tell(text)


async def play(
    chunk: SpeechChunk,
    lips: LipSync,
    playout: Playout,
    emotion: Emotion = NEUTRAL,
    may_speak: asyncio.Event | None = None,
) -> None:
    """Give one chunk its mouth, and put it on the speech clock as soon as it may be."""
    audible, track = resample_chunk(chunk, SPEECH_CLOCK_HZ), lips.animate(chunk)
    if may_speak is not None:
        await may_speak.wait()
    await playout.push(audible, track, emotion)


async def barge_in(turn: asyncio.Task[None], playout: Playout) -> None:
    """Silence the avatar and end the turn.

    The order matters: silence first, because a stage may take a while to let go; and once more
    after, because it may have spoken its last meanwhile.
    """
    playout.clear()
    await drop(turn)
    playout.clear()


async def drop(turn: asyncio.Task[None]) -> None:
    """End a turn of which nothing has been heard."""
    turn.cancel()
    await asyncio.wait([turn])


def _is_late(timeline: Timeline, may_speak: asyncio.Event) -> bool:
    """Whether the person waits, and the first clause was to be there by now."""
    now_s = asyncio.get_running_loop().time()
    return may_speak.is_set() and timeline.since_zero_ms(now_s) >= TARGET_MS["first_clause"]


async def _measured(
    source: AsyncGenerator[Clause, None], timeline: Timeline
) -> AsyncGenerator[Clause, None]:
    """Clauses, marking the first, and how long it was; none of what has nothing to say at all."""
    async with aclosing(_marked(source, timeline, "first_clause")) as marked:
        async for clause in marked:
            timeline.first_words = timeline.first_words or len(clause.spoken.split())
            if timeline.first_words:
                yield clause


async def _marked(
    source: AsyncGenerator[T, None], timeline: Timeline, row: Row
) -> AsyncGenerator[T, None]:
    """`source`, marking `row` at its first item."""
    async with aclosing(source):
        async for item in source:
            timeline.mark(row)
            yield item
