"""A call's face: how it moves, who draws it, and what of it goes to the client."""

import asyncio
from collections.abc import Callable

from avatar.conversation import Conversation
from avatar.engines import Engines
from avatar.events import FaceReason
from avatar.face.mode import FaceControl, Shown
from avatar.face.movement import Movement
from avatar.face.poses import PoseStream
from avatar.face.video import FaceStream
from avatar.media_cost import MediaCost
from avatar.rtc.clock import MediaClock
from avatar.settings import FaceSettings
from avatar.transport import Transport
from speech.errors import StageError


class FacePerformance:
    """Shows what a conversation's face does, as pictures or as poses.

    Args:
        engines: Have the face, its renderer and its way of moving.
        settings: Sizes and frame rates.
        seed: Of its movement.
        conversation: Whose face it is.
        clock: The call's.
        peer: The client's connection; asked for only once the call runs.
        tell: Told who draws the face, why, and how many frames a second.
        failed: Told that it can't be drawn for now.

    Attributes:
        movement: How it moves.
        video: Drawn here.
        control: Decides who draws it.
    """

    def __init__(
        self,
        engines: Engines,
        settings: FaceSettings,
        seed: int,
        conversation: Conversation,
        clock: MediaClock,
        peer: Callable[[], Transport],
        tell: Callable[[Shown, FaceReason, int], None],
        failed: Callable[[StageError], None],
    ) -> None:
        self._settings = settings
        self._peer = peer
        self._tell = tell
        self.movement = Movement(engines.animator(seed), conversation.cues, settings)
        self.video = FaceStream(
            clock=clock,
            movement=self.movement,
            new_renderer=engines.renderer,
            on_drawn=conversation.frame_drawn,
            on_failure=failed,
        )
        self._poses = PoseStream(
            clock=clock,
            movement=self.movement,
            timestamp=lambda sample: peer().audio_timestamp(sample),
            send=lambda message: peer().send_poses(message),
            on_due=conversation.frame_drawn,
        )
        self.control = FaceControl(
            video=self.video,
            poses=self._poses,
            can_draw=lambda: peer().takes_poses,
            takes_video=lambda: peer().takes_video,
            keyframe=lambda: peer().send_keyframe(),
            tell=self._changed,
        )

    async def run(self) -> None:
        """Send poses where they are wanted, and watch over who draws, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poses.run(), name="poses")
            tasks.create_task(self.control.run(), name="face-control")

    def cost(self) -> MediaCost:
        """What its video has cost so far."""
        sent = self._peer().stats().video
        encoded = (sent.cpu_s, sent.frames) if sent is not None else (0.0, 0)
        return MediaCost(self.video.cpu_s, self.video.drawn, *encoded)

    def _changed(self, shown: Shown, reason: FaceReason) -> None:
        fps = 0 if shown.mode == "audio" else self._settings.speaking_fps // shown.every
        self._tell(shown, reason, fps)
