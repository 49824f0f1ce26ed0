"""What a wire protocol is: a dialect between one conversation and one client.

A session knows no protocol. It opens its `Doors` to a dialect, hands it the client's messages, and
tells it what happens; the dialect puts that into the words that its clients know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar.commands import Command
from avatar.events import ConversationEvent, FaceMode, FaceReason
from avatar.playout import Begun
from avatar.resume import ResumeToken
from render.types import FacePose
from speech.types import Language


@dataclass(frozen=True, slots=True)
class FaceFiles:
    """The face that a client may draw itself.

    Attributes:
        name: Of its folder.
        url: Where its files are, on this server.
    """

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Performance:
    """What is said and shown, for dialects that describe it. Samples are of the speech clock.

    Attributes:
        position: The next sample to leave.
        begun: The chunk of speech that began last: at a `ReplyHeard`, the one it tells of.
        pose: The face at a sample, as far as is known now.
    """

    position: Callable[[], int]
    begun: Callable[[], Begun | None]
    pose: Callable[[int], FacePose]


def _nothing(*_ignored: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Doors:
    """What a session lets a dialect know and do.

    Attributes:
        call_id: Names the session.
        language: The conversation's, to begin with.
        instructions: Of this call, to begin with.
        face: Of the avatar.
        send: Sends one text message to the client.
        command: Gives one command to the conversation.
        forget: Drops the utterance under way.
        commit: Ends it, at a sample of the microphone's stream; None: now.
        submit: Takes a turn that was recorded elsewhere, int16 at 16 kHz, by the client's name.
        pinged: The client is alive, and will say so again and again.
        show_face: Asks for a mode; whether less will do while the server is busy; and why.
        recorded: Whether the call is being recorded.
        agree: The person consents to that, now that the call has begun.
        withdraw: They consent no more.
        note: Keeps a message for the recording, and who sent it, in a dialect that is replayed.
        hang_up: Ends the call.
        forbid_watching: The person does not want others to watch.
        shows_watchers: Whether the client shows the person how many watch: nobody may before.
        farewell: Leaves word: a message that the client is sent when the call ends.
        performance: What is said and shown; None where nothing is.
        resume: Makes the token to go on with this call by, should the connection be lost; None
            where that can't be done.
        resumed: Whether this call goes on with another: what was said is remembered, and there is
            nobody to be greeted.
    """

    call_id: str
    language: Language
    instructions: str
    face: FaceFiles
    send: Callable[[str], None]
    command: Callable[[Command], None]
    forget: Callable[[], None] = _nothing
    commit: Callable[[int | None], None] = _nothing
    submit: Callable[[NDArray[np.int16], str], None] = _nothing
    pinged: Callable[[], None] = _nothing
    show_face: Callable[[FaceMode, bool, FaceReason], None] = lambda mode, automatic, reason: None
    recorded: Callable[[], bool] = lambda: False
    agree: Callable[[], None] = _nothing
    withdraw: Callable[[], None] = _nothing
    note: Callable[[Literal["client", "server"], str], None] = _nothing
    hang_up: Callable[[], None] = _nothing
    forbid_watching: Callable[[], None] = _nothing
    shows_watchers: Callable[[bool], None] = _nothing
    farewell: Callable[[str], None] = lambda message: None
    performance: Performance | None = None
    resume: Callable[[], ResumeToken | None] = lambda: None
    resumed: bool = False


class Dialect(Protocol):
    """One client's protocol state. Nothing here blocks or waits."""

    def open(self) -> None:
        """Greet the client, once it can take messages."""
        ...

    def receive(self, message: str) -> None:
        """Deal with one message of the client; a bad one is answered, and changes nothing."""
        ...

    def tell(self, event: ConversationEvent) -> None:
        """Put one event of the conversation on the wire."""
        ...

    def fail(self, code: str, message: str) -> None:
        """Tell the client of a failure that is not one answer's."""
        ...

    def show_session(self) -> None:
        """Tell the client how the session stands, unasked."""
        ...

    def show(self, mode: FaceMode, reason: FaceReason, frame_rate: int) -> None:
        """Tell the client who draws the face from now on."""
        ...


Speak = Callable[[Doors], Dialect]
"""Makes the dialect that a caller speaks."""
