"""The face as video: poses on the speech clock, drawn as frames."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

from avatar.face.movement import Movement
from avatar.rtc.clock import MediaClock
from render.stages import Renderer
from render.types import SPEECH_CLOCK_HZ, FacePose, VideoFrame
from speech.errors import StageError

_log = logging.getLogger(__name__)

_LEAD_S = 0.012  # drawing and encoding take about this long: start so much before a frame is due
_RETRY_S = 1.0


class FaceStream:
    """Draws one call's face at the pace of its clock.

    A face that falls behind skips slots; what it does draw is posed for the slot's own sample, so
    it never falls out of sync.

    Args:
        clock: The call's media clock.
        movement: Poses the face.
        new_renderer: Makes a renderer; again, after one has failed or the face was not drawn.
        on_drawn: Called with the sample of each frame drawn.
        on_failure: Called when drawing fails, the first time only.

    Attributes:
        due: Slots that were to be drawn.
        skipped: Those among them that came too late.
        drawn: Frames drawn.
        cpu_s: What drawing them cost.
    """

    def __init__(
        self,
        *,
        clock: MediaClock,
        movement: Movement,
        new_renderer: Callable[[], AbstractAsyncContextManager[Renderer]],
        on_drawn: Callable[[int], None],
        on_failure: Callable[[StageError], None],
    ) -> None:
        self.due = 0
        self.skipped = 0
        self.drawn = 0
        self.cpu_s = 0.0
        self._clock = clock
        self._movement = movement
        self._new_renderer = new_renderer
        self._on_drawn = on_drawn
        self._on_failure = on_failure
        self._every = 1
        self._is_on = asyncio.Event()
        self._is_on.set()

    def draw_every(self, every: int) -> None:
        """Draw from now on, but only each slot that `every` divides."""
        self._every = every
        self._is_on.set()

    def stop_drawing(self) -> None:
        """Draw nothing until `draw_every`; the renderer is given back meanwhile."""
        self._is_on.clear()

    async def frames(self) -> AsyncGenerator[VideoFrame, None]:
        """Frames, each when it is due, for as long as they are pulled.

        While drawing fails the picture stands still, and is tried again every second.
        """
        failed = False
        while True:
            await self._is_on.wait()
            try:
                async with (
                    self._new_renderer() as renderer,
                    aclosing(renderer.render(self._poses())) as frames,
                ):
                    async for frame in frames:
                        self.drawn += 1
                        self.cpu_s += frame.cpu_s
                        self._on_drawn(frame.at_sample)
                        yield frame
            except StageError as error:
                _log.exception("drawing the face failed")
                if not failed:
                    failed = True
                    self._on_failure(error)
                await asyncio.sleep(_RETRY_S)

    async def _poses(self) -> AsyncGenerator[FacePose, None]:
        """Poses until drawing is stopped, from the next slot on."""
        loop = asyncio.get_running_loop()
        slot = -(-self._clock.now() // self._movement.step)
        while self._is_on.is_set():
            step_s = self._every * self._movement.step / SPEECH_CLOCK_HZ
            late_s = loop.time() - (self._clock.time_of(slot * self._movement.step) - _LEAD_S)
            if late_s < 0:
                await asyncio.sleep(-late_s)
                continue
            if late_s > step_s:
                missed = int(late_s / step_s)
                slot += missed * self._every
                self.skipped += missed
                self.due += missed
                continue
            self.due += 1
            if slot % self._every == 0 and self._movement.is_shown(slot):
                yield self._movement.pose(slot)
            slot += 1
