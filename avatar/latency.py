"""The latency budget: one row per stage, and what each turn made of it.

Every row is counted from the last speech sample of the person's turn, as it reached the server
(for a typed message: from its arrival). The page, the metrics, the pace of the answers
(`avatar/pace.py`) and the benchmark all compare against this one table.

It is made backwards from what a person is to wait for the face, 500 ms in the median and 900 ms in
the 95th percentile: less 20 ms from the microphone to here and 110 ms from here to the screen (the
network and the browser's buffer), the first moving frame may take 370 and 770. Rows overlap: the
words, and the answer to them, are made while the end of the turn is still in doubt, so
`final_transcript` counts from when the words stood that the answer was written for.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

Row = Literal[
    "turn_ended",
    "final_transcript",
    "llm_first_token",
    "first_clause",
    "tts_first_audio",
    "first_sound",
    "first_face_frame",
]
ROWS: tuple[Row, ...] = get_args(Row)

Action = Literal["short_first_clause", "opener", "smaller_face", "smaller_model"]
"""What was done in an answer because a row was going to be late."""

Excuse = Literal["held", "tool"]
"""Why an answer was heard late that says nothing of the machine: it was held, before anything of it
was heard, for a sound of the person's; or it called a tool before that."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one row may take.

    Attributes:
        target_ms: In the median.
        limit_ms: In 95 turns of 100; beyond it the row is late.
        after: The rows that it waits for: the last of them is where its own time begins.
    """

    target_ms: int
    limit_ms: int
    after: tuple[Row, ...] = ()


BUDGET: dict[Row, Allowance] = {
    "turn_ended": Allowance(300, 700),
    "final_transcript": Allowance(100, 200),
    "llm_first_token": Allowance(150, 450, ("final_transcript",)),
    "first_clause": Allowance(300, 660, ("llm_first_token",)),
    "tts_first_audio": Allowance(340, 720, ("first_clause",)),
    "first_sound": Allowance(350, 740, ("turn_ended", "tts_first_audio")),
    "first_face_frame": Allowance(370, 770, ("first_sound",)),
}
TARGET_MS: dict[Row, int] = {row: allowance.target_ms for row, allowance in BUDGET.items()}
LIMIT_MS: dict[Row, int] = {row: allowance.limit_ms for row, allowance in BUDGET.items()}


@dataclass(slots=True)
class Timeline:
    """When each stage of one turn delivered.

    Attributes:
        zero_s: Loop time of the last speech sample.
        at_s: Loop time of the first delivery of each row.
        deliveries: How often each row has delivered: of `llm_first_token` the pieces of text,
            about a token each, of `first_clause` the clauses, of `tts_first_audio` the chunks.
        drafted_s: Loop time at which the answer was begun, if that was before the turn was over.
        opener_s: Loop time at which an opener was heard, if one was.
        actions: What was done because a row was going to be late.
        first_words: Length of the first clause, in words.
        is_recited: Whether it is a greeting, which answers nobody: it is not reported.
    """

    zero_s: float
    at_s: dict[Row, float] = field(default_factory=dict)
    deliveries: Counter[Row] = field(default_factory=Counter)
    drafted_s: float | None = None
    opener_s: float | None = None
    actions: list[Action] = field(default_factory=list)
    first_words: int = 0
    is_recited: bool = False

    @classmethod
    def now(cls) -> "Timeline":
        """Of a turn whose last speech sample, or typed message, comes now."""
        return cls(asyncio.get_running_loop().time())

    def mark(self, row: Row) -> None:
        """Note that `row` has delivered; only the first time counts for its latency."""
        self.at_s.setdefault(row, asyncio.get_running_loop().time())
        self.deliveries[row] += 1

    def rows_ms(self) -> dict[str, int]:
        """Milliseconds after the last speech sample, by row, in order."""
        return {row: self.since_zero_ms(self.at_s[row]) for row in ROWS if row in self.at_s}

    def starts_ms(self) -> dict[str, int]:
        """When each row's own time began, likewise: at the last of the rows that it waits for."""
        rows = self.rows_ms()
        return {
            row: max((rows[before] for before in BUDGET[row].after if before in rows), default=0)
            for row in ROWS
            if row in rows
        }

    def since_zero_ms(self, at_s: float) -> int:
        """Milliseconds from the last speech sample to a loop time."""
        return round((at_s - self.zero_s) * 1000)


def late_rows(rows_ms: dict[str, int]) -> tuple[Row, ...]:
    """The rows that took longer than 95 turns of 100 may."""
    return tuple(row for row in ROWS if rows_ms.get(row, 0) > LIMIT_MS[row])
