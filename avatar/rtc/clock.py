"""The media clock of a call: sample positions on the event loop's time."""

import asyncio
import math

from render.types import SPEECH_CLOCK_HZ

_ROUNDING = 1e-3  # samples: float error of (sample / rate) * rate after weeks of uptime


class MediaClock:
    """One sample clock per call, at `SPEECH_CLOCK_HZ`; audio and video are both stamped from it.

    Deadlines are absolute (origin + sample / rate), so pacing does not drift. Sample 0 is when
    `start` is first called: the first track to send calls it.

    When the process stalls, deadlines pass unmet. Up to `AudioOut`'s catch-up limit the late audio
    is sent at once and receivers absorb it as jitter. Past it the clock is held back by as much as
    it was late: nothing that was to be said is skipped, and the stall is heard as a pause instead
    of as latency that stays. RTP timestamps stay continuous and the sender reports go on mapping
    sample s to `s / rate` after the first, for audio and video alike, so a stall can't move one
    against the other.
    """

    def __init__(self) -> None:
        self._origin_s: float | None = None
        self._started = asyncio.Event()
        self.held_s = 0.0
        """Seconds by which the clock was held back so far, by all stalls together."""

    @property
    def is_started(self) -> bool:
        """Whether sample 0 has its time."""
        return self._origin_s is not None

    def start(self) -> None:
        """Make now the time of sample 0; later calls do nothing."""
        if self._origin_s is None:
            self._origin_s = asyncio.get_running_loop().time()
            self._started.set()

    async def started(self) -> None:
        """Wait until the clock runs."""
        await self._started.wait()

    def time_of(self, sample: int) -> float:
        """Event loop time at which `sample` is due, in seconds.

        Raises:
            RuntimeError: The clock is not started.
        """
        if self._origin_s is None:
            raise RuntimeError("The media clock is not started; await started() first")
        return self._origin_s + sample / SPEECH_CLOCK_HZ

    def sample_at(self, time_s: float) -> int:
        """Last sample due at or before event loop time `time_s`; 0 before the start."""
        if self._origin_s is None:
            return 0
        return max(0, math.floor((time_s - self._origin_s) * SPEECH_CLOCK_HZ + _ROUNDING))

    def now(self) -> int:
        """Last sample that is due now."""
        return self.sample_at(asyncio.get_running_loop().time())

    async def reach(self, sample: int) -> float:
        """Wait until `sample` is due, and return how late that is noticed, in seconds."""
        await self.started()
        loop = asyncio.get_running_loop()
        while (wait_s := self.time_of(sample) - loop.time()) > 0:  # noqa: ASYNC110 (hold may move it)
            await asyncio.sleep(wait_s)
        return -wait_s

    def hold(self, seconds: float) -> None:
        """Move everything that is still due back by `seconds`."""
        if self._origin_s is not None:
            self._origin_s += seconds
            self.held_s += seconds
