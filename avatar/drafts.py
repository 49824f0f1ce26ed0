"""Answers to words that the person may not have finished saying."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from avatar.dialogue.prompt import as_sentence
from avatar.events import DraftEnded
from avatar.latency import Timeline
from avatar.listening import FalseStart, NotUnderstood, TurnEnded
from avatar.reply import Reply
from avatar.turn import drop


@dataclass(frozen=True, slots=True)
class _Draft:
    utterance: int
    text: str
    reply: Reply


class Drafts:
    """At most one draft at a time: adopted, or dropped without a trace.

    Args:
        ended: Told what became of each, and what it had cost by then.

    Attributes:
        adopted: How many drafts became the answer.
        dropped: Of how many nothing was heard: the person went on, or other words were meant.
    """

    def __init__(self, ended: Callable[[DraftEnded], None]) -> None:
        self.adopted = 0
        self.dropped = 0
        self._ended = ended
        self._draft: _Draft | None = None

    def begin(self, utterance: int, text: str, reply: Reply) -> None:
        """Take note of a silent answer to what the person may have said."""
        reply.timeline.mark("final_transcript")
        reply.timeline.drafted_s = reply.timeline.at_s["final_transcript"]
        self._draft = _Draft(utterance, text, reply)

    def answers(self, utterance: int, text: str) -> bool:
        """Whether the draft answers these words, or a stage failed as it tried."""
        draft = self._draft
        return (
            draft is not None
            and draft.utterance == utterance
            and as_sentence(draft.text) == as_sentence(text)
        )

    async def take(self, over: TurnEnded | FalseStart | NotUnderstood) -> Reply | None:
        """The drafted answer to these words, if it is good; any other is dropped."""
        text = over.transcript.text if isinstance(over, TurnEnded) else ""
        draft = self._draft
        task = None if draft is None else draft.reply.task
        if draft is None or task is None or task.done() or not self.answers(over.utterance, text):
            await self.drop()
            return None
        self._draft = None
        return draft.reply

    def adopt(self, reply: Reply, timeline: Timeline) -> None:
        """Count what was taken as adopted, and let its rows go on from those of the turn's end."""
        self.adopted += 1
        self._report(reply, adopted=True)
        reply.timeline.zero_s = timeline.zero_s
        reply.timeline.at_s = timeline.at_s | reply.timeline.at_s

    async def drop(self) -> None:
        """Drop the draft under way, if there is one."""
        if self._draft is not None:
            draft, self._draft = self._draft, None
            await self.give_up(draft.reply)

    async def give_up(self, reply: Reply) -> None:
        """Drop a draft that was taken."""
        self.dropped += 1
        if reply.task is not None:
            await drop(reply.task)
        self._report(reply, adopted=False)

    def _report(self, reply: Reply, *, adopted: bool) -> None:
        timeline = reply.timeline
        now_s = asyncio.get_running_loop().time()
        self._ended(
            DraftEnded(
                adopted,
                timeline.deliveries["llm_first_token"],
                timeline.deliveries["tts_first_audio"],
                round((now_s - timeline.zero_s) * 1000),
            )
        )
