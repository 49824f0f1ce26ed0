"""Sends a call's encoded sound and pictures to one more client: nothing is encoded twice."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NoReturn

from aiortc import MediaStreamTrack, RTCDtlsTransport
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpsender import RTCEncodedFrame

from avatar.rtc.clock import MediaClock
from avatar.rtc.encoders import Encoded
from avatar.rtc.sender import ClockedSender, MediaSender, NtpTimeline

QUEUE_LIMIT = 25
"""Frames that may wait to be sent: half a second of sound, a second of pictures."""


class Placeholder(MediaStreamTrack):
    """Stands for a track whose frames come encoded: nobody pulls it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    async def recv(self) -> NoReturn:
        """Never called.

        Raises:
            MediaStreamError: Always.
        """
        raise MediaStreamError


class RelaySender(ClockedSender):
    """Sends what another sender encodes, from the first complete picture on.

    Args:
        source: The sender whose frames are sent again.
        transport: Of this connection.
        clock: The call's.
        timeline: The call's.
        rate_hz: RTP clock rate of the codec.
        heard: Called when anything came from the other side.
        want_keyframe: Called when a complete picture is needed; may be late in giving one.
    """

    def __init__(
        self,
        source: MediaSender,
        transport: RTCDtlsTransport,
        *,
        clock: MediaClock,
        timeline: NtpTimeline,
        rate_hz: int,
        heard: Callable[[], None],
        want_keyframe: Callable[[], None],
    ) -> None:
        track = Placeholder(source.kind)
        super().__init__(
            track, transport, clock=clock, timeline=timeline, rate_hz=rate_hz, heard=heard
        )
        self._source = source
        self._want_keyframe = want_keyframe
        self._needs_keyframe = source.kind == "video"
        self._waiting: deque[tuple[Encoded, int | None]] = deque()
        self._came = asyncio.Event()
        self.dropped = 0
        """Frames that were not sent, for want of a complete picture or of time."""

    async def next_frame(self) -> RTCEncodedFrame | None:
        """Wait for the source's next frame."""
        if self.take not in self._source.relays:
            self._source.relays.add(self.take)
            if self._needs_keyframe:
                self._want_keyframe()
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        encoded, level = self._waiting.popleft()
        # The annotation of aiortc's audio_level lacks the None that its own sender gives.
        return RTCEncodedFrame(encoded.payloads, encoded.timestamp, level)  # type: ignore[arg-type]

    def take(self, encoded: Encoded, level: int | None) -> None:
        """Take a frame of the source."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._needs_keyframe = self.kind == "video"
        if self._needs_keyframe and not encoded.is_keyframe:
            self.dropped += 1
            self._want_keyframe()
            return
        self._needs_keyframe = False
        self._waiting.append((encoded, level))
        self._came.set()

    def request_keyframe(self) -> None:
        """The client has lost a picture."""
        self._want_keyframe()

    def release(self) -> None:
        """Take no more frames."""
        self._source.relays.discard(self.take)
