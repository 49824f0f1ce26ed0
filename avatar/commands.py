"""What a conversation can be told to do, by the one who listens and by the client."""

from dataclasses import dataclass

from avatar.listening import Heard
from avatar.overlap import HoldOverdue
from speech.types import Language


@dataclass(frozen=True, slots=True)
class Typed:
    """The person typed a message. It is answered at `Respond`."""

    text: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer what has been said so far; with nothing said yet, greet."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the answer under way."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Change how the rest of the conversation goes. None leaves a thing as it is."""

    language: Language | None = None
    instructions: str | None = None


Command = Heard | Typed | Respond | Stop | Configure | HoldOverdue
