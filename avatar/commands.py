"""What a conversation can be told to do, by the one who listens and by the client."""

from dataclasses import dataclass
from typing import Literal

from avatar.listening import Heard
from avatar.overlap import HoldOverdue
from avatar.turn_taking import TurnTaking
from speech.types import Language, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class Typed:
    """The person typed a message. It is answered at `Respond`.

    Attributes:
        text: The message.
        item_id: To name it by; one is made if it is empty.
        after: The item that it follows, or `ROOT`; the newest if it is None.
    """

    text: str
    item_id: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """The client puts something into the history that nobody said in this call.

    Attributes:
        role: Whose words they are.
        text: The words.
        item_id: To name them by.
        after: The item that they follow, or `ROOT`; the newest if it is None.
    """

    role: Literal["system", "assistant"]
    text: str
    item_id: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an item out of the history.

    Attributes:
        item_id: Of what was said.
        call_id: Of a call, which goes with its result, or of a result, which goes with its call.
    """

    item_id: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Correct:
    """Less of an answer was heard than the server thought: these words."""

    item_id: str
    heard: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer what has been said so far; with nothing said yet, greet.

    Attributes:
        response_id: To name the answer by; one is made if it is empty.
        instructions: In place of the conversation's, for this answer; None leaves those.
        speaks: Whether it is spoken, or only written; None: as all are.
    """

    response_id: str = ""
    instructions: str | None = None
    speaks: bool | None = None


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
        turn_taking: Who says when a turn is over, and what follows.
        speaks: Whether answers are spoken, or only written.
    """

    language: Language | None = None
    instructions: str | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    turn_taking: TurnTaking | None = None
    speaks: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a `ToolCalled`. With the last one outstanding, `Respond` goes on.

    Attributes:
        call_id: Of the call.
        output: For the language model, as text; JSON or words.
    """

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class ToolsOverdue:
    """The client has been waited for long enough to run its tools."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An answer is over, and what was said over it meanwhile, if anything, is not answered yet."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """Say goodbye, whoever speaks: the call ends in a moment."""


Command = (
    Heard
    | Farewell
    | Typed
    | Noted
    | Remove
    | Correct
    | Respond
    | Stop
    | Configure
    | ToolResult
    | ToolsOverdue
    | Owed
    | HoldOverdue
)
