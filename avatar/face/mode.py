"""Who draws a call's face: the server (video), the client (poses), or nobody (sound only)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from avatar.events import FaceMode, FaceReason
from avatar.face.load import LoadPolicy, Second
from avatar.face.poses import PoseStream
from avatar.face.video import FaceStream

_LOOKS_A_SECOND = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """How the face is shown.

    Attributes:
        mode: Who draws it.
        every: For video: each slot that this divides.
    """

    mode: FaceMode
    every: int = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for.

    Attributes:
        mode: What it wants at best.
        automatic: Whether the server may show less while it is busy.
    """

    mode: FaceMode = "video"
    automatic: bool = False


_FULL, _HALF = Shown("video"), Shown("video", every=2)
_DRAWN, _UNSEEN = Shown("client"), Shown("audio")


def shown(wish: Wish, rung: int, *, can_draw: bool, takes_video: bool) -> Shown:
    """What a wish comes to on a rung of `LoadPolicy`.

    Args:
        wish: The client's.
        rung: Where the server stands; counts for an automatic wish only.
        can_draw: Whether the client can draw the face now.
        takes_video: Whether its offer had a line for video.
    """
    if wish.mode == "audio" or not (can_draw or takes_video):
        return _UNSEEN
    if not takes_video or (wish.mode == "client" and can_draw):
        ladder = (_DRAWN, _DRAWN, _UNSEEN) if can_draw else (_UNSEEN,) * 3
    else:
        ladder = (_FULL, _DRAWN if can_draw else _HALF, _UNSEEN)
    return ladder[rung if wish.automatic else 0]


class FaceControl:
    """Decides who draws the face, starts and stops them, and tells the client.

    Args:
        video: The server's drawing.
        poses: What a client draws from.
        can_draw: Whether the client can draw now.
        takes_video: Whether the client takes video.
        keyframe: Makes the next frame of video a complete picture.
        tell: Told how the face is shown, and why; at every change and after `ask`.

    Attributes:
        now: How the face is shown.
    """

    def __init__(
        self,
        *,
        video: FaceStream,
        poses: PoseStream,
        can_draw: Callable[[], bool],
        takes_video: Callable[[], bool],
        keyframe: Callable[[], None],
        tell: Callable[[Shown, FaceReason], None],
    ) -> None:
        self.now = _FULL
        self._video = video
        self._poses = poses
        self._can_draw = can_draw
        self._takes_video = takes_video
        self._keyframe = keyframe
        self._tell = tell
        self._wish = Wish()
        self._reason: FaceReason = "chosen"
        self._load = LoadPolicy()
        self._is_relieved = False

    def ask(self, wish: Wish, reason: FaceReason) -> None:
        """Do what the client wishes as far as possible, and tell it what that is."""
        self._wish, self._reason = wish, reason
        best = shown(wish, 0, can_draw=self._can_draw(), takes_video=self._takes_video())
        if best.mode != wish.mode:
            reason = "drawing"
        elif self._wanted() != best:
            reason = "busy"
        self._show(self._wanted())
        self._tell(self.now, reason)

    def channel_changed(self) -> None:
        """Look again at who can draw: the client's channel for poses has opened or closed."""
        lost = self._wish.mode == "client" and not self._can_draw()
        self._change("drawing" if lost else self._reason)

    @property
    def can_show_less(self) -> bool:
        """Whether the client lets `relieve` make a difference."""
        can_draw, takes_video = self._can_draw(), self._takes_video()
        best, less = (
            shown(self._wish, rung, can_draw=can_draw, takes_video=takes_video) for rung in (0, 1)
        )
        return best != less

    def relieve(self, wanted: bool) -> None:
        """Show less, a rung below everything, while answers would be late; or as before."""
        if wanted != self._is_relieved:
            self._is_relieved = wanted
            self._change("busy" if wanted else "recovered")

    async def run(self) -> None:
        """Watch the load, and act on it, until cancelled."""
        due = skipped = 0
        while True:
            late_s = await _lateness_of_a_second()
            second = Second(self._video.due - due, self._video.skipped - skipped, late_s)
            due, skipped = self._video.due, self._video.skipped
            rung = self._load.rung
            reason: FaceReason = "busy" if self._load.observe(second) > rung else "recovered"
            self._change(reason)

    def _wanted(self) -> Shown:
        return shown(
            self._wish,
            max(self._load.rung, int(self._is_relieved)),
            can_draw=self._can_draw(),
            takes_video=self._takes_video(),
        )

    def _change(self, reason: FaceReason) -> None:
        wanted = self._wanted()
        if wanted != self.now:
            self._show(wanted)
            self._tell(self.now, reason)

    def _show(self, wanted: Shown) -> None:
        before, self.now = self.now, wanted
        if wanted.mode == "video":
            self._video.draw_every(wanted.every)
            if before.mode != "video":
                self._keyframe()
        else:
            self._video.stop_drawing()
        if wanted.mode != "client":
            self._poses.stop()
        elif before.mode != "client":
            self._poses.start()


async def _lateness_of_a_second() -> float:
    """Let a second pass; the longest that a short sleep in it overslept, in seconds."""
    loop = asyncio.get_running_loop()
    late_s = 0.0
    for _ in range(_LOOKS_A_SECOND):
        due_s = loop.time() + 1 / _LOOKS_A_SECOND
        await asyncio.sleep(1 / _LOOKS_A_SECOND)
        late_s = max(late_s, loop.time() - due_s)
    return late_s
