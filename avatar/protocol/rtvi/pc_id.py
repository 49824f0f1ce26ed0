"""What SmallWebRTC calls `pc_id`: the name of a call, and what it takes to go on with it.

A client sends it back with its late addresses, and with the offer of a new connection once the old
one was lost. It is no secret of the person's, but good for their conversation: it stands in bodies
only, never in a URL or a log.
"""

from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class PcId:
    """A call, as its client names it.

    Attributes:
        call_id: Of the call.
        token: To go on with it by; empty where that can't be done.
    """

    call_id: str
    token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """What a client sent back."""
        call_id, _, token = text.partition(".")
        return cls(call_id, token)

    def __str__(self) -> str:
        return f"{self.call_id}.{self.token}" if self.token else self.call_id
