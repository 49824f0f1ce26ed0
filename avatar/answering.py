"""Has the answers of one conversation written: drafts, answers, and lines that are recited."""

import asyncio
from collections.abc import Callable

from avatar.author import Author, Writing
from avatar.commands import Respond
from avatar.drafts import Drafts
from avatar.events import DraftEnded
from avatar.latency import Timeline
from avatar.replies import Replies
from avatar.reply import Reply


class Answering:
    """Makes answers ready, in the language of the author; none of them speaks before it may.

    Args:
        author: Writes them.
        replies: Gives them.
        draft_ended: Told what became of each draft.

    Attributes:
        drafts: How often drafting paid.
        speaks: Whether answers are spoken, or only written.
    """

    def __init__(
        self, author: Author, replies: Replies, draft_ended: Callable[[DraftEnded], None]
    ) -> None:
        self.drafts = Drafts(draft_ended)
        self.speaks = True
        self._author = author
        self._replies = replies

    async def draft(self, tasks: asyncio.TaskGroup, utterance: int, text: str) -> None:
        """Begin to answer what may be all of a turn, unless that is being done."""
        if self.drafts.answers(utterance, text):
            return
        await self.drafts.drop()
        if self._replies.current is None:
            draft = self._ready(tasks, self._author.answer(tasks, text), Timeline.now())
            self.drafts.begin(utterance, text, draft)

    def answer(self, tasks: asyncio.TaskGroup, timeline: Timeline) -> Reply:
        """An answer to what was said."""
        return self._ready(tasks, self._author.answer(tasks), timeline)

    def as_asked(self, tasks: asyncio.TaskGroup, asked: Respond) -> Reply:
        """An answer as a client asks for it."""
        timeline = Timeline.now()
        timeline.is_recited = self._author.would_greet
        write = self._author.answer(tasks, instructions=asked.instructions)
        return self._ready(tasks, write, timeline, asked)

    def recited(self, tasks: asyncio.TaskGroup, line: Writing) -> Reply:
        """What answers nobody."""
        timeline = Timeline.now()
        timeline.is_recited = True
        return self._ready(tasks, line, timeline)

    def apology(self, tasks: asyncio.TaskGroup, timeline: Timeline) -> Reply:
        """For words that were not understood."""
        return self._ready(tasks, None, timeline)

    def _ready(
        self,
        tasks: asyncio.TaskGroup,
        write: Writing | None,
        timeline: Timeline,
        asked: Respond | None = None,
    ) -> Reply:
        self._author.stop_reading()
        asked = asked or Respond()
        speaks = self.speaks if asked.speaks is None else asked.speaks
        language, response_id = self._author.language, asked.response_id
        return self._replies.prepare(tasks, language, write, timeline, response_id, speaks=speaks)
