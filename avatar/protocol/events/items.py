"""Items of a conversation: as clients create them, and as the server shows them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from avatar.protocol.events.base import Asked, Wire
from avatar.protocol.events.session import MAX_TEXT_CHARS

ItemId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS)
]
Status = Literal["in_progress", "completed", "incomplete"]


class InputText(Asked):
    """Typed words."""

    type: Literal["input_text"]
    text: Text


class InputAudio(Asked):
    """Spoken words.

    Attributes:
        audio: In the session's input format, base64.
        transcript: What is said in it; recognised if it is not given.
    """

    type: Literal["input_audio"]
    audio: str | None = None
    transcript: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)] | None = None


class OutputText(Asked):
    """What the avatar is taken to have written."""

    type: Literal["output_text"]
    text: Text


class OutputAudio(Asked):
    """What the avatar is taken to have said: its words count, its sound does not."""

    type: Literal["output_audio"]
    audio: str | None = None
    transcript: Text


class _NewItem(Asked):
    id: ItemId | None = None
    object: Literal["realtime.item"] | None = None
    status: Status | None = None


class UserMessage(_NewItem):
    """The person's."""

    type: Literal["message"]
    role: Literal["user"]
    content: Annotated[
        list[Annotated[InputText | InputAudio, Field(discriminator="type")]],
        Field(min_length=1, max_length=16),
    ]


class SystemMessage(_NewItem):
    """For the language model."""

    type: Literal["message"]
    role: Literal["system"]
    content: Annotated[list[InputText], Field(min_length=1, max_length=16)]


class AssistantMessage(_NewItem):
    """The avatar's, of an earlier conversation."""

    type: Literal["message"]
    role: Literal["assistant"]
    content: Annotated[
        list[Annotated[OutputText | OutputAudio, Field(discriminator="type")]],
        Field(min_length=1, max_length=16),
    ]


class FunctionCallOutput(_NewItem):
    """What a function gave."""

    type: Literal["function_call_output"]
    call_id: str
    output: Annotated[str, StringConstraints(max_length=16 * MAX_TEXT_CHARS)]


NoteRole = Literal["system", "assistant"]

NewMessage = Annotated[UserMessage | SystemMessage | AssistantMessage, Field(discriminator="role")]
NewItem = Annotated[NewMessage | FunctionCallOutput, Field(discriminator="type")]


class Part(Wire):
    """Content of a message: what was said or typed."""

    type: Literal["input_audio", "input_text", "output_audio", "output_text"]
    transcript: str | None = None
    text: str | None = None


class AnswerPart(Wire):
    """Content of an answer, as the events of its making name it."""

    type: Literal["audio", "text"]
    transcript: str | None = None
    text: str | None = None


class Message(Wire):
    """One message of the conversation."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system"]
    status: Status
    content: tuple[Part, ...] = ()


class FunctionCall(Wire):
    """The avatar asks for a function of the client."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: Literal["function_call"] = "function_call"
    status: Status
    call_id: str
    name: str
    arguments: str


class FunctionResult(Wire):
    """What the function gave."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: Literal["function_call_output"] = "function_call_output"
    status: Status = "completed"
    call_id: str
    output: str


Item = Message | FunctionCall | FunctionResult
