"""What a conversation can be told to do, by the one who listens and by the client."""

from dataclasses import dataclass

from avatar.listening import Heard
from avatar.overlap import HoldOverdue
from speech.types import Language, Tool, ToolChoice


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
    """Change how the rest of the conversation goes. None leaves a thing as it is.

    Attributes:
        language: That is spoken from now on.
        instructions: For the language model, after the persona's own.
        tools: All that the client offers, in place of those before. `avatar.tools.checked` says
            whether they can be taken.
        tool_choice: Of every answer.
    """

    language: Language | None = None
    instructions: str | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a `ToolCalled`. With the last one outstanding, `Respond` goes on.

    Attributes:
        call_id: Of the call.
        output: For the language model, as text; JSON or words.
    """

    call_id: str
    output: str


Command = Heard | Typed | Respond | Stop | Configure | ToolResult | HoldOverdue
