"""What happens in a conversation, before any wire protocol puts it into its own words.

Positions are milliseconds of the microphone's stream, as wire protocols want them.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from avatar.latency import Action, Excuse
from render.types import FaceState
from speech.types import Language


def new_id(kind: str) -> str:
    """A fresh identifier, as 'item_4f0c…'."""
    return f"{kind}_{uuid.uuid4().hex[:20]}"


ReplyStatus = Literal["completed", "cancelled", "failed"]

FaceMode = Literal["video", "client", "audio"]
"""Who draws the face: the server, the client, or nobody."""

FaceReason = Literal["chosen", "network", "drawing", "busy", "recovered"]
"""Why: the client asked for it; too little bandwidth, or too much loss; the client can't draw, or
not fast enough; the server is busy; what was short no longer is."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The avatar now listens, thinks or speaks."""

    state: FaceState


@dataclass(frozen=True, slots=True)
class UserStarted:
    """The person started to speak."""

    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class UserInterim:
    """The person's words so far."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class UserStopped:
    """The person's turn is over."""

    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class UserSaid:
    """The person's words, final. Empty when it was no speech after all.

    Attributes:
        is_backchannel: "Mm-hm" and the like, while the avatar spoke: no turn, and not remembered.
        start_sample: Where it began in the microphone's stream, at 16 kHz.
    """

    item_id: str
    text: str
    duration_s: float
    is_backchannel: bool = False
    start_sample: int = 0


@dataclass(frozen=True, slots=True)
class UserNotUnderstood:
    """Recognition failed."""

    item_id: str
    message: str


@dataclass(frozen=True, slots=True)
class UserTyped:
    """The person typed a message."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The avatar began to prepare an answer."""

    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyHeard:
    """A clause of the answer begins to be heard."""

    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyWritten:
    """A piece of an answer that is only written, not spoken."""

    response_id: str
    item_id: str
    text: str


ResumeReason = Literal["backchannel", "noise"]
"""Why the answer goes on: the person only listened aloud; or it was no speech."""


@dataclass(frozen=True, slots=True)
class ReplyHeld:
    """The avatar fell silent because the person made a sound. It goes on, or the answer ends."""

    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyResumed:
    """The answer goes on, from the beginning of the word where it was held."""

    response_id: str
    item_id: str
    reason: ResumeReason


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The answer is over.

    Attributes:
        heard: The text that was heard.
        heard_ms: How much audio of it was heard.
        by_client: Whether a cancelled one was stopped by the client, not by speech.
        message: For a failed one: what went wrong, for a person.
        tokens: Pieces of text that the language model wrote for it, about a token each.
        prompt_tokens: What it read for it, at most.
    """

    response_id: str
    item_id: str
    status: ReplyStatus
    heard: str
    heard_ms: int
    by_client: bool = False
    message: str = ""
    tokens: int = 0
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ReplyTimed:
    """The answer's latency, row by row, in ms after the last speech sample.

    Attributes:
        language: That it is said in.
        rows_ms: When each row delivered.
        starts_ms: When its own time began.
        zero_s: Loop time of the last speech sample.
        head_start_ms: By how much the answer was begun before the turn was over; 0 if it was not.
        opener_ms: When an opener was heard; None if none was.
        actions: What was done because a row was going to be late.
        first_words: Length of the first clause, in words.
        excused: Why its being late says nothing of the machine; None if it does.
    """

    response_id: str
    language: Language
    rows_ms: dict[str, int]
    starts_ms: dict[str, int]
    zero_s: float
    head_start_ms: int = 0
    opener_ms: int | None = None
    actions: tuple[Action, ...] = ()
    first_words: int = 0
    excused: Excuse | None = None


@dataclass(frozen=True, slots=True)
class OpenerHeard:
    """A few words begin to be heard because the answer is late. They are no part of it.

    Attributes:
        text: The words.
        lasts_ms: How long they are heard.
    """

    response_id: str
    text: str
    lasts_ms: int


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The client is asked to run one of its tools. The answer ends; `ToolResult` goes on.

    Several may come in one answer, all of them before its `ReplyEnded`.

    Attributes:
        response_id: Of the answer.
        item_id: Of the call, as an item of the conversation of its own.
        call_id: To be named in the result.
        name: Of a tool that the client has offered.
        arguments: A JSON object, as text; it fits the tool's schema.
    """

    response_id: str
    item_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CoverHeard:
    """A few words ("One moment.") begin to be heard because a tool takes long.

    They are no part of any answer, and may come between two.

    Attributes:
        text: The words.
        lasts_ms: How long they are heard.
    """

    text: str
    lasts_ms: int


@dataclass(frozen=True, slots=True)
class DraftEnded:
    """An answer that was begun before the turn was over became the answer, or was never heard.

    Attributes:
        adopted: Whether it became the answer.
        tokens: What the language model had written of it by then, in pieces of about a token.
        clauses: What had been spoken of it by then, for nobody's ears yet.
        lasted_ms: How long it had been going on.
    """

    adopted: bool
    tokens: int
    clauses: int
    lasted_ms: int


@dataclass(frozen=True, slots=True)
class CallEnding:
    """The call's time is nearly over.

    Attributes:
        in_s: When it ends at the latest.
    """

    in_s: float


@dataclass(frozen=True, slots=True)
class Watched:
    """Others began or ceased to watch the avatar in this call.

    Attributes:
        watchers: How many do now.
    """

    watchers: int


ConversationEvent = (
    StateChanged
    | UserStarted
    | UserInterim
    | UserStopped
    | UserSaid
    | UserNotUnderstood
    | UserTyped
    | ReplyStarted
    | ReplyHeard
    | ReplyWritten
    | ReplyHeld
    | ReplyResumed
    | ReplyEnded
    | ReplyTimed
    | OpenerHeard
    | ToolCalled
    | CoverHeard
    | DraftEnded
    | CallEnding
    | Watched
)
