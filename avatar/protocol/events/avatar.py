"""What the API lacks is ours, and named `avatar.*`."""

from typing import Literal

from avatar.events import FaceMode, FaceReason, ResumeReason
from avatar.latency import Action, Excuse
from avatar.protocol.events.base import ServerEvent, Wire
from avatar.protocol.version import PROTOCOL_VERSION
from render.types import FaceState


class Face(Wire):
    """The face that a client may draw itself."""

    name: str
    url: str


class Resume(Wire):
    """What to go on with this call by, should its connection be lost."""

    token: str
    expires_in_s: float


class Avatar(Wire):
    """Whom the client talks to, whether the call is recorded, and whether it goes on with one."""

    protocol: str = PROTOCOL_VERSION
    face: Face
    recording: bool = False
    resumed: bool | None = None
    resume: Resume | None = None


class InterimTranscript(ServerEvent):
    """The person's words so far; replaces the last one."""

    type: Literal["avatar.input_transcript.interim"] = "avatar.input_transcript.interim"
    item_id: str
    text: str


class AvatarState(ServerEvent):
    """What the avatar does now."""

    type: Literal["avatar.state"] = "avatar.state"
    state: FaceState


class AvatarOpener(ServerEvent):
    """A few words begin to be heard because the answer is late. They are no part of it."""

    type: Literal["avatar.opener"] = "avatar.opener"
    response_id: str
    text: str
    duration_ms: int


class AvatarHeld(ServerEvent):
    """The avatar fell silent for a sound of the person; `avatar.resumed` or `response.done`."""

    type: Literal["avatar.held"] = "avatar.held"
    response_id: str


class AvatarEnding(ServerEvent):
    """The call's time is nearly over."""

    type: Literal["avatar.ending"] = "avatar.ending"
    ends_in_s: float


class AvatarWatched(ServerEvent):
    """Others began or ceased to watch the avatar in this call."""

    type: Literal["avatar.watched"] = "avatar.watched"
    watchers: int


class AvatarResumed(ServerEvent):
    """It goes on, from the beginning of the word where it was held."""

    type: Literal["avatar.resumed"] = "avatar.resumed"
    response_id: str
    reason: ResumeReason


class AvatarTimeline(ServerEvent):
    """How long the answer took, in ms after the last speech sample.

    Attributes:
        rows: When each stage delivered.
        starts: When its own time began.
        targets: What `rows` may be in the median.
        limits: And in 95 turns of 100.
        head_start: By how much the answer was begun before the turn was over.
        opener: When an opener was heard; absent if none was.
        actions: What was done because a row was going to be late.
        excused: Why its being late says nothing of the machine; absent if it does.
    """

    type: Literal["avatar.timeline"] = "avatar.timeline"
    response_id: str
    rows: dict[str, int]
    starts: dict[str, int]
    targets: dict[str, int]
    limits: dict[str, int]
    head_start: int = 0
    opener: int | None = None
    actions: tuple[Action, ...] = ()
    excused: Excuse | None = None


class FaceUpdated(ServerEvent):
    """Who draws the face from now on."""

    type: Literal["avatar.face.updated"] = "avatar.face.updated"
    mode: FaceMode
    reason: FaceReason
    frame_rate: int


class Pong(ServerEvent):
    """Answers `avatar.ping`."""

    type: Literal["avatar.pong"] = "avatar.pong"


class AvatarCover(ServerEvent):
    """A few words ("One moment.") begin to be heard because a tool takes long. No answer's."""

    type: Literal["avatar.cover"] = "avatar.cover"
    text: str
    duration_ms: int
