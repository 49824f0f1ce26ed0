"""The media clock of a call: sample positions on the event loop's time."""

import asyncio
import math
from collections import deque

from render.types import SPEECH_CLOCK_HZ

CATCH_UP_SAMPLES = SPEECH_CLOCK_HZ // 10
"""How far the clock may run ahead of the audio that was sent: 100 ms.

It is what our page lets receivers buffer (`jitterBufferTarget`): a stall drains that buffer, and a
burst of as much fills it again. A longer burst would be latency that stays; none at all would leave
a buffer that the next packet's jitter runs dry.
"""

_HOLDS_KEPT = 16  # a picture is stamped within a second of its sample
_ROUNDING = 1e-3  # samples: float error of (sample / rate) * rate after weeks of uptime


class MediaClock:
    """One sample clock per call, at `SPEECH_CLOCK_HZ`; audio and video are both stamped from it.

    Sample 0 is when `start` is first called: the first track to send does. Deadlines are absolute
    (origin + sample / rate), so pacing does not drift.

    When the process stalls, deadlines pass unmet. The clock never runs more than
    `CATCH_UP_SAMPLES` past the audio that was sent: late audio up to there goes out in a burst,
    and by the rest the clock was held. Nothing that was to be said is skipped; the stall is heard
    as a pause, not as latency that stays. `stamp` gives media time as receivers know it, with the
    pauses in it, so that for them every packet is as punctual as before. (Sending it all in a
    burst was tried: after a stall of 0.3 s Chromium played sound 0.2-0.4 s late for seconds.)
    """

    def __init__(self) -> None:
        self._origin_s: float | None = None
        self._started = asyncio.Event()
        self._next: int | None = None
        self._holds: deque[tuple[int, int]] = deque([(0, 0)], maxlen=_HOLDS_KEPT)

    @property
    def is_started(self) -> bool:
        """Whether sample 0 has its time."""
        return self._origin_s is not None

    @property
    def held_s(self) -> float:
        """Seconds by which the clock was held so far, by all stalls together."""
        return self._holds[-1][1] / SPEECH_CLOCK_HZ

    def start(self) -> None:
        """Make now the time of sample 0; later calls do nothing."""
        if self._origin_s is None:
            self._origin_s = asyncio.get_running_loop().time()
            self._started.set()

    async def started(self) -> None:
        """Wait until the clock runs."""
        await self._started.wait()

    def time_of(self, sample: int) -> float:
        """Event loop time at which `sample` is due, in seconds, if nothing stalls until then.

        Raises:
            RuntimeError: The clock is not started.
        """
        return self._settled_origin_s() + sample / SPEECH_CLOCK_HZ

    def sample_at(self, time_s: float) -> int:
        """Last sample due at or before event loop time `time_s`; 0 before the start."""
        if self._origin_s is None:
            return 0
        since_s = time_s - self._settled_origin_s()
        return max(0, math.floor(since_s * SPEECH_CLOCK_HZ + _ROUNDING))

    def now(self) -> int:
        """Last sample that is due now."""
        return self.sample_at(asyncio.get_running_loop().time())

    async def reach(self, sample: int) -> None:
        """Wait until `sample` is due."""
        await self.started()
        loop = asyncio.get_running_loop()
        while (wait_s := self.time_of(sample) - loop.time()) > 0:  # noqa: ASYNC110 (stalls move it)
            await asyncio.sleep(wait_s)

    def send_next(self, sample: int) -> None:
        """Say which audio sample is to be sent next: the clock won't run far past it."""
        self._next = sample

    def stamp(self, sample: int) -> int:
        """Media time of `sample`, in samples since the start, pauses included."""
        held = next((held for begin, held in reversed(self._holds) if sample >= begin), 0)
        return sample + held

    def _settled_origin_s(self) -> float:
        """Time of sample 0, moved on by what a stall has cost since it was last asked for."""
        if self._origin_s is None:
            raise RuntimeError("The media clock is not started; await started() first")
        if self._next is not None:
            limit_s = self._origin_s + (self._next + CATCH_UP_SAMPLES) / SPEECH_CLOCK_HZ
            over_s = asyncio.get_running_loop().time() - limit_s
            over = math.ceil(over_s * SPEECH_CLOCK_HZ - _ROUNDING)
            if over > 0:
                self._origin_s += over / SPEECH_CLOCK_HZ
                self._holds.append((self._next, self._holds[-1][1] + over))
        return self._origin_s
