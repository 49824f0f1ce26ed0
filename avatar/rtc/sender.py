"""A sender whose RTCP reports say where its packets stand on the media clock."""

import asyncio
import random
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiortc import RTCDtlsTransport
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import AnyRtcpPacket, compute_audio_level_dbov
from av import AudioFrame
from av.frame import Frame
from av.packet import Packet

from avatar.rtc.aiortc_private import AdaptedSender
from avatar.rtc.clock import MediaClock
from avatar.rtc.encoders import Encoded, MediaEncoder
from render.types import SPEECH_CLOCK_HZ

_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)

EARLY_REPORTS_S = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Waits before the first sender reports: a browser can't sync lips before it has two of each."""

REPORT_INTERVAL_S = 1.0
"""Mean interval of the later reports, each varied by half (RFC 3550, section 6.3.1)."""

KEYFRAME_INTERVAL_S = 0.3
"""Keyframes on request come no closer than this; libwebrtc's senders use the same."""


Relay = Callable[[Encoded, int | None], None]
"""Takes an encoded frame and, of sound, its level in dBov."""


class NtpTimeline:
    """Maps stamps of the media clock to NTP time, for both senders of a call alike.

    Linear, and anchored once: NTP(stamp) = anchor + stamp / rate. Receivers use it only to line
    audio and video up, so what counts is that both use the same line.
    """

    def __init__(self) -> None:
        self._anchor = _ntp(datetime.now(UTC))

    def at(self, stamp: int) -> int:
        """64-bit NTP timestamp (32.32 fixed point, seconds since 1900) of `stamp`."""
        return self._anchor + (stamp << 32) // SPEECH_CLOCK_HZ


def _ntp(moment: datetime) -> int:
    since = moment - _NTP_EPOCH
    seconds = since.days * 86_400 + since.seconds
    return (seconds << 32) + (since.microseconds << 32) // 1_000_000


@dataclass(slots=True)
class SenderStats:
    """What sending cost, since the beginning.

    Attributes:
        frames: Encoded.
        keyframes: Complete pictures among them.
        cpu_s: CPU time of the encoding thread, in seconds.
        payload_bytes: Without headers and encryption.
    """

    frames: int = 0
    keyframes: int = 0
    cpu_s: float = 0.0
    payload_bytes: int = 0

    @property
    def cpu_ms_per_frame(self) -> float:
        """Mean CPU time to encode one frame, in milliseconds; 0 before the first."""
        return 1000 * self.cpu_s / self.frames if self.frames else 0.0


class ClockedSender(AdaptedSender):
    """Reports on the media clock; what is sent is left to the subclass.

    Args:
        track: That is sent.
        transport: Of the connection.
        clock: The call's.
        timeline: The same for all of a call's senders.
        rate_hz: RTP clock rate of the track's codec.
        heard: Called when anything came from the other side.
    """

    def __init__(
        self,
        track: MediaStreamTrack,
        transport: RTCDtlsTransport,
        *,
        clock: MediaClock,
        timeline: NtpTimeline,
        rate_hz: int,
        heard: Callable[[], None],
    ) -> None:
        super().__init__(track, transport)
        self._clock = clock
        self._timeline = timeline
        self._rate_hz = rate_hz
        self._heard = heard
        self._flowing = asyncio.Event()

    async def encode_next(self) -> RTCEncodedFrame | None:
        """The next frame to be sent."""
        if self.rtp_origin is not None:
            self._flowing.set()
        return await self.next_frame()

    @abstractmethod
    async def next_frame(self) -> RTCEncodedFrame | None:
        """Wait for the next frame; None when there is nothing to send."""

    async def sender_reports(self) -> AsyncGenerator[tuple[int, int], None]:
        """Report on the present instant: quickly a few times, then every second or so."""
        await self._flowing.wait()
        for wait_s in EARLY_REPORTS_S:
            await asyncio.sleep(wait_s)
            yield self._report()
        while True:
            await asyncio.sleep(REPORT_INTERVAL_S * random.uniform(0.5, 1.5))
            yield self._report()

    def _report(self) -> tuple[int, int]:
        stamp = self._clock.stamp(self._clock.now())
        rtp_timestamp = (self.rtp_origin or 0) + stamp * self._rate_hz // SPEECH_CLOCK_HZ
        return self._timeline.at(stamp), rtp_timestamp

    def heard(self, packet: AnyRtcpPacket) -> None:
        """Note that the other side is alive."""
        del packet
        self._heard()


class MediaSender(ClockedSender):
    """Encodes a track in a thread of its own and reports on the media clock.

    The encoder is made on first use, when it is known which codec was negotiated.

    Attributes:
        stats: What sending cost.
        relays: Called with every frame that is sent, and how loud it is: for those who watch.
    """

    def __init__(
        self,
        track: MediaStreamTrack,
        transport: RTCDtlsTransport,
        *,
        clock: MediaClock,
        timeline: NtpTimeline,
        rate_hz: int,
        make_encoder: Callable[[], MediaEncoder[Any]],
        heard: Callable[[], None],
    ) -> None:
        super().__init__(
            track, transport, clock=clock, timeline=timeline, rate_hz=rate_hz, heard=heard
        )
        self.stats = SenderStats()
        self.relays: set[Relay] = set()
        self._make_encoder = make_encoder
        self._encoder: MediaEncoder[Any] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"rtc-encode-{self.kind}")
        self._wants_keyframe = False
        self._keyframe_s = float("-inf")

    async def next_frame(self) -> RTCEncodedFrame | None:
        """Encode the track's next frame, off the event loop."""
        frame = await self.track.recv()
        loop = asyncio.get_running_loop()
        keyframe = self._wants_keyframe and loop.time() - self._keyframe_s >= KEYFRAME_INTERVAL_S
        encoded, level = await loop.run_in_executor(self._thread, self._encode, frame, keyframe)
        if encoded.is_keyframe:
            self._wants_keyframe = False
            self._keyframe_s = loop.time()
        if not encoded.payloads:
            return None
        for relay in tuple(self.relays):
            relay(encoded, level)
        # The annotation of aiortc's audio_level lacks the None that its own sender gives.
        return RTCEncodedFrame(encoded.payloads, encoded.timestamp, level)  # type: ignore[arg-type]

    def _encode(self, frame: "Frame | Packet[Any]", keyframe: bool) -> tuple[Encoded, int | None]:
        begun_s = time.thread_time()  # CPU spent by this thread: a cost, not a clock
        if self._encoder is None:
            self._encoder = self._make_encoder()
        encoded = self._encoder.encode(frame, keyframe=keyframe)
        level = compute_audio_level_dbov(frame) if isinstance(frame, AudioFrame) else None
        self.stats.cpu_s += time.thread_time() - begun_s
        self.stats.frames += 1
        self.stats.keyframes += encoded.is_keyframe
        self.stats.payload_bytes += sum(map(len, encoded.payloads))
        return encoded, level

    def request_keyframe(self) -> None:
        """Make the next picture complete, or the one after if the last such is very recent."""
        self._wants_keyframe = True

    def release(self) -> None:
        """End the encoding thread. Call it after the connection is closed."""
        self._thread.shutdown(wait=False)
        self._encoder = None
