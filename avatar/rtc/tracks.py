"""The two tracks that a call sends, stamped from one `MediaClock`."""

from collections.abc import AsyncGenerator, Callable
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from avatar.rtc.clock import MediaClock
from render.types import SPEECH_CLOCK_HZ, VideoFrame

FRAME_SAMPLES = 960
"""Samples of an audio frame: 20 ms, the packet time that every WebRTC browser uses."""

VIDEO_CLOCK_HZ = 90_000
"""RTP clock rate of every video codec (RFC 7741, RFC 6184)."""


class FrameSource(Protocol):
    """Where outgoing audio comes from: the call's playout."""

    def next_frame(self) -> NDArray[np.int16]:
        """The next 20 ms, silence included: int16, shape (960,), 48 kHz mono.

        Called once per frame, in order, on the event loop: the n-th call is for the samples
        from n * 960 on the media clock.
        """
        ...


def _from_the_start() -> int:
    return 0


class AudioOut(MediaStreamTrack):
    """Sends what a `FrameSource` plays, one frame every 20 ms.

    Args:
        source: What to play.
        clock: The call's.
        take_over: Called before the first frame leaves: stops whoever else plays the source, and
            says which sample comes next.
    """

    kind = "audio"

    def __init__(
        self,
        source: FrameSource,
        clock: MediaClock,
        take_over: Callable[[], int] = _from_the_start,
    ) -> None:
        super().__init__()
        self._source = source
        self._clock = clock
        self._take_over: Callable[[], int] | None = take_over
        self.position = 0
        """Next sample that will be pulled from the source."""

    async def recv(self) -> av.AudioFrame:
        """Wait until the next frame is due and return it: s16, mono, pts: its `MediaClock.stamp`.

        Raises:
            MediaStreamError: The track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        self._clock.start()
        if self._take_over is not None:
            self.position, self._take_over = self._take_over(), None
        await self._clock.reach(self.position)
        pcm = self._source.next_frame()
        if pcm.shape != (FRAME_SAMPLES,) or pcm.dtype != np.int16:
            raise ValueError(f"A frame is int16 ({FRAME_SAMPLES},), not {pcm.dtype} {pcm.shape}")
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SPEECH_CLOCK_HZ
        frame.time_base = Fraction(1, SPEECH_CLOCK_HZ)
        frame.pts = self._clock.stamp(self.position)
        self.position += FRAME_SAMPLES
        self._clock.send_next(self.position)
        return frame


class VideoOut(MediaStreamTrack):
    """Sends pictures as they come. Whoever draws them paces them, at whatever rate it likes.

    A picture that is not newer than the last one is dropped. The encoder reads the picture's own
    memory: a renderer must not draw into an array again that it has yielded.
    """

    kind = "video"

    def __init__(self, frames: AsyncGenerator[VideoFrame, None], clock: MediaClock) -> None:
        super().__init__()
        self._frames = frames
        self._clock = clock
        self._last_sample = -1
        self.sent = 0
        """Pictures handed on."""
        self.dropped = 0
        """Pictures that were not newer than the one before."""

    async def recv(self) -> av.VideoFrame:
        """Return the next picture: yuv420p, pts at 90 kHz: the stamp of its sample.

        Raises:
            MediaStreamError: The track was stopped or there are no more pictures.
        """
        if self.readyState != "live":
            raise MediaStreamError
        self._clock.start()
        async for frame in self._frames:
            if frame.at_sample > self._last_sample:
                self._last_sample = frame.at_sample
                self.sent += 1
                return _picture(frame, self._clock.stamp(frame.at_sample))
            self.dropped += 1
        self.stop()
        raise MediaStreamError


def _picture(frame: VideoFrame, stamp: int) -> av.VideoFrame:
    """The same pixels as PyAV's frame, not copied."""
    picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame.i420), format="yuv420p")
    picture.time_base = Fraction(1, VIDEO_CLOCK_HZ)
    picture.pts = stamp * VIDEO_CLOCK_HZ // SPEECH_CLOCK_HZ
    return picture
