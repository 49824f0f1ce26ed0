"""What a caller asks for, in no protocol's words."""

from pydantic import BaseModel, ConfigDict

from speech.types import Language


class CallConfig(BaseModel):
    """How a call is to begin. None leaves a thing to the server's settings.

    Attributes:
        language: Of the conversation.
        instructions: Added to the persona's.
        recording: The person's consent to being recorded.
    """

    # A recording keeps it; one of an earlier or later version may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)

    language: Language | None = None
    instructions: str | None = None
    recording: bool | None = None
