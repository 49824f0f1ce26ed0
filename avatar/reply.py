"""One answer of the avatar, from the first thought of it to its end."""

import asyncio
from dataclasses import dataclass, field

from avatar.events import ReplyTimed
from avatar.latency import Excuse, Timeline
from avatar.opener import Opening
from speech.types import Language


@dataclass(slots=True)
class Reply:
    """An answer under way; a draft until it may speak.

    Attributes:
        response_id: On the wire, of the answer.
        item_id: On the wire, of its words.
        language: That it is said in.
        timeline: When each stage delivered.
        may_speak: Set once it is no draft.
        task: Its turn; over exactly when the answer is.
        first_sample: Where it began to be heard.
        timed: Whether its timeline has been reported, or is not to be.
        excused: Why its being late says nothing of the machine; None if it does.
        stopped_by_client: Whether a client's command ended it.
        opening: Speaks an opener before it, if it is late.
        speaks: Whether it is spoken, or only written.
        written: What was written of one that is not spoken.
        prompt_tokens: What the language model read for it, at most.
        asks_client: Whether it has called tools of the client's, and another answer will follow.
        sent_over: What its words come before: its calls of the client's tools, or the first message
            that came from the person meanwhile, for it answers none of them.
        left_untold: Whether the model had nothing to say of what its tools gave.
    """

    response_id: str
    item_id: str
    language: Language
    timeline: Timeline
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    first_sample: int | None = None
    timed: bool = False
    excused: Excuse | None = None
    stopped_by_client: bool = False
    opening: Opening | None = None
    speaks: bool = True
    written: str = ""
    prompt_tokens: int = 0
    asks_client: bool = False
    sent_over: str = ""
    left_untold: bool = False

    @property
    def says_nothing(self) -> bool:
        """Whether it ends with nothing that can be told: at all, or of what its tools gave."""
        is_told = self.timeline.first_words or self.written.strip() or self.asks_client
        return self.left_untold or not is_told

    def precede(self, item_id: str) -> None:
        """Something came while this is said: what is heard of it comes before."""
        self.sent_over = self.sent_over or item_id

    def excuse(self, why: Excuse) -> None:
        """It is kept waiting. What was heard of it by then was not."""
        if self.first_sample is None:
            self.excused = self.excused or why

    def has_called(self) -> None:
        """It waits for a tool, and is not opened."""
        self.excuse("tool")
        if self.opening is not None:
            self.opening.leave()

    def timing(self) -> ReplyTimed:
        """Its timeline so far, for whom it concerns."""
        timeline = self.timeline
        ended_s, drafted_s = timeline.at_s.get("turn_ended"), timeline.drafted_s
        return ReplyTimed(
            self.response_id,
            self.language,
            timeline.rows_ms(),
            timeline.starts_ms(),
            timeline.zero_s,
            round((ended_s - drafted_s) * 1000) if ended_s and drafted_s else 0,
            None if timeline.opener_s is None else timeline.since_zero_ms(timeline.opener_s),
            tuple(timeline.actions),
            timeline.first_words,
            self.excused,
        )
