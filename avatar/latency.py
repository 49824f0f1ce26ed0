"""The latency budget: one row per stage, and what each turn made of it.

Every row is counted from the last speech sample of the person's turn, as it reached the server
(for a typed message: from its arrival). The targets are DESIGN 8's for two CPU cores, less what
the network and the client's buffers take. Session tests, the page and the benchmark all compare
against this table.
"""

import asyncio
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

TARGET_MS: dict[Row, int] = {
    "turn_ended": 250,
    "final_transcript": 300,
    "llm_first_token": 350,
    "first_clause": 600,
    "tts_first_audio": 650,
    "first_sound": 670,
    "first_face_frame": 700,
}


@dataclass(slots=True)
class Timeline:
    """When each stage of one turn delivered.

    Attributes:
        zero_s: Loop time of the last speech sample.
        at_s: Loop time of the first delivery of each row.
    """

    zero_s: float
    at_s: dict[Row, float] = field(default_factory=dict)

    def mark(self, row: Row) -> None:
        """Note that `row` has delivered; only the first time counts."""
        self.at_s.setdefault(row, asyncio.get_running_loop().time())

    def rows_ms(self) -> dict[str, int]:
        """Milliseconds after the last speech sample, by row, in order."""
        return {
            row: round((self.at_s[row] - self.zero_s) * 1000) for row in ROWS if row in self.at_s
        }
