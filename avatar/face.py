"""The face of one call: poses on the speech clock, drawn as frames."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

from avatar.conversation import Conversation
from avatar.rtc.clock import MediaClock
from avatar.settings import FaceSettings
from render.stages import Animator, Renderer
from render.types import SPEECH_CLOCK_HZ, FacePose, VideoFrame
from speech.errors import StageError

_log = logging.getLogger(__name__)

_LEAD_S = 0.012  # drawing and encoding take about this long: start so much before a frame is due
_SETTLE_SAMPLES = SPEECH_CLOCK_HZ * 6 // 10  # the face eases for less than this after a change
_RETRY_S = 1.0


class FaceStream:
    """Draws one call's face at the pace of its clock: every slot while it moves fast, fewer idle.

    A face that falls behind skips slots; what it does draw is posed for the slot's own sample, so
    it never falls out of sync.

    Args:
        clock: The call's media clock.
        conversation: Gives the cues, and hears of frames drawn.
        animator: Poses the face.
        new_renderer: Makes a renderer; again, after one has failed.
        settings: Frame rates.
        on_failure: Called when drawing fails, the first time only.

    Attributes:
        skipped: Slots that came too late to draw.
        drawn: Frames drawn.
        cpu_s: What drawing them cost.
    """

    def __init__(
        self,
        *,
        clock: MediaClock,
        conversation: Conversation,
        animator: Animator,
        new_renderer: Callable[[], AbstractAsyncContextManager[Renderer]],
        settings: FaceSettings,
        on_failure: Callable[[StageError], None],
    ) -> None:
        self.skipped = 0
        self.drawn = 0
        self.cpu_s = 0.0
        self._clock = clock
        self._conversation = conversation
        self._animator = animator
        self._new_renderer = new_renderer
        self._step = SPEECH_CLOCK_HZ // settings.speaking_fps
        self._idle_every = max(1, round(settings.speaking_fps / settings.idle_fps))
        self._on_failure = on_failure
        self._slot = 0

    async def frames(self) -> AsyncGenerator[VideoFrame, None]:
        """Frames, each when it is due, for as long as they are pulled.

        While drawing fails the picture stands still, and is tried again every second.
        """
        failed = False
        while True:
            try:
                async with (
                    self._new_renderer() as renderer,
                    aclosing(renderer.render(self._poses())) as frames,
                ):
                    async for frame in frames:
                        self.drawn += 1
                        self.cpu_s += frame.cpu_s
                        self._conversation.frame_drawn(frame.at_sample)
                        yield frame
            except StageError as error:
                _log.exception("drawing the face failed")
                if not failed:
                    failed = True
                    self._on_failure(error)
            await asyncio.sleep(_RETRY_S)

    async def _poses(self) -> AsyncGenerator[FacePose, None]:
        loop = asyncio.get_running_loop()
        step_s = self._step / SPEECH_CLOCK_HZ
        while True:
            at_sample = self._slot * self._step
            late_s = loop.time() - (self._clock.time_of(at_sample) - _LEAD_S)
            if late_s < 0:
                await asyncio.sleep(-late_s)
            elif late_s > step_s:
                missed = int(late_s / step_s)
                self._slot += missed
                self.skipped += missed
                continue
            if self._lively(at_sample) or self._slot % self._idle_every == 0:
                yield self._animator.pose(at_sample, self._conversation.cues())
            self._slot += 1

    def _lively(self, at_sample: int) -> bool:
        """Whether something moves fast: speech, or what follows a change."""
        cues = self._conversation.cues()
        settled = at_sample - _SETTLE_SAMPLES
        return cues.states[-1][0] > settled or any(s.end_sample > settled for s in cues.speech)
