"""Taking turns: say something, then hear the answer out."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from avatar.client.call import Call, Event
from avatar.client.clips import Clip

END_SILENCE_S = 0.5
"""An answer is over when its events say so and it has been silent this long."""


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


async def speak(call: Call, clip: Clip, timeout_s: float = 30.0, longest_s: float = 120.0) -> Turn:
    """Say `clip` and hear its answer out.

    Args:
        call: With nothing being answered.
        clip: What to say.
        timeout_s: From its last speech sample to the first sound of the answer.
        longest_s: An answer still going after this long is stopped.

    Raises:
        CallError: The call ended.
    """
    since = len(call.events)
    utterance = call.microphone.play(clip)
    began_s = await utterance.started
    finished_s = await utterance.finished
    return await _hear_out(call, clip.name, since, began_s, finished_s, timeout_s, longest_s)


async def say_text(
    call: Call, text: str, timeout_s: float = 30.0, longest_s: float = 120.0
) -> Turn:
    """Type `text` and hear its answer out. Arguments and errors as of `speak`."""
    since = len(call.events)
    now_s = asyncio.get_running_loop().time()
    call.say_text(text)
    return await _hear_out(call, text, since, now_s, now_s, timeout_s, longest_s)


async def interrupt(
    call: Call, text: str, clip: Clip, after_s: float, timeout_s: float = 30.0
) -> Turn | None:
    """Ask `text`, say `clip` over the answer, and hear the answer to `clip` out.

    Args:
        call: With nothing being answered.
        text: Something with a long answer.
        clip: What to say over it.
        after_s: From the answer's first sound to the clip's start.
        timeout_s: As of `speak`.

    Returns:
        The turn that `clip` made; None when there was no answer, or it was too short to
        be interrupted.

    Raises:
        CallError: The call ended.
    """
    asked_s = asyncio.get_running_loop().time()
    call.say_text(text)
    if not await call.until(lambda: call.observer.last_loud_s > asked_s, timeout_s):
        return None
    await asyncio.sleep(after_s)
    if not call.answering:
        return None
    return await speak(call, clip, timeout_s)


def spoken_lines(events: tuple[Event, ...] | list[Event]) -> Iterator[tuple[str, str]]:
    """What was said, in order: ("you" or "avatar", words). A cut answer is what was heard."""
    cut: dict[str, str] = {
        str(e.body["item_id"]): str(e.body.get("avatar_heard", ""))
        for e in events
        if e.type == "conversation.item.truncated"
    }
    for event in events:
        if event.type == "conversation.item.input_audio_transcription.completed":
            yield "you", str(event.body["transcript"])
        elif event.type == "response.output_audio_transcript.done":
            yield "avatar", cut.get(str(event.body.get("item_id")), str(event.body["transcript"]))


async def _hear_out(
    call: Call,
    said: str,
    since: int,
    began_s: float,
    finished_s: float,
    timeout_s: float,
    longest_s: float,
) -> Turn:
    loop = asyncio.get_running_loop()

    def over() -> bool:
        quiet_s = loop.time() - call.observer.last_loud_s
        return quiet_s > END_SILENCE_S and not call.answering

    answered = await call.until(lambda: call.observer.last_loud_s > finished_s, timeout_s)
    if not answered or not await call.until(over, longest_s):
        call.send({"type": "response.cancel"})
        await call.until(over, END_SILENCE_S * 4)
    return Turn(said, began_s, finished_s, loop.time(), answered, tuple(call.events[since:]))
