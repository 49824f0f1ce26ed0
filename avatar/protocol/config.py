"""What a caller asks for, in no protocol's words."""

from pydantic import BaseModel, ConfigDict

from avatar.turn_taking import TurnTaking
from speech.types import Language, Tool, ToolChoice


class CallConfig(BaseModel):
    """How a call is to begin. None leaves a thing to the server's settings.

    Attributes:
        language: Of the conversation.
        instructions: Added to the persona's.
        recording: The person's consent to being recorded.
        tools: That the client offers.
        tool_choice: Of every answer.
        turn_taking: Who says when a turn is over, and what follows.
        speaks: Whether answers are spoken, or only written.
    """

    # A recording keeps it; one of an earlier or later version may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)

    language: Language | None = None
    instructions: str | None = None
    recording: bool | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    turn_taking: TurnTaking | None = None
    speaks: bool | None = None
