"""Every name of aiortc and aioice that we use and that they do not promise to keep.

Nothing else in the server touches them (the headless client's receiving end is
`avatar/client/reception.py`). They were read in aiortc 1.16.0, which is pinned; `check`
runs at import and names what moved, so that an upgrade fails here and not in a call. What is
changed and why: docs/decisions/2026-11-24-aiortc-changed-from-outside.md.
"""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from importlib.metadata import version
from operator import attrgetter

from aioice.candidate import Candidate
from aioice.ice import Connection
from aiortc import RTCDtlsTransport, RTCIceTransport, RTCRtpReceiver, RTCRtpSender
from aiortc import clock as aiortc_clock
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
)

_UINT32 = 0xFFFFFFFF
_SDES_CNAME = 1  # RFC 3550, section 6.5.1

_USED: dict[type, tuple[str, ...]] = {
    RTCRtpSender: (
        "_RTCRtpSender__cname",
        "_RTCRtpSender__lsr",
        "_RTCRtpSender__lsr_time",
        "_RTCRtpSender__octet_count",
        "_RTCRtpSender__packet_count",
        "_RTCRtpSender__rtcp_exited",
        "_RTCRtpSender__rtcp_started",
        "_RTCRtpSender__rtp_timestamp",
        "_RTCRtpSender__rtt",
        "_enabled",
        "_handle_rtcp_packet",
        "_next_encoded_frame",
        "_run_rtcp",
        "_send_keyframe",
        "_send_rtcp",
        "_ssrc",
        "_stream_id",
    ),
    RTCRtpReceiver: ("_RTCRtpReceiver__jitter_buffer", "_set_rtcp_ssrc"),
    RTCRtpTransceiver: ("_RTCRtpTransceiver__sender", "_codecs"),
    RTCIceTransport: ("_connection",),
    Connection: ("get_component_candidates",),
}

_cname = attrgetter("_RTCRtpSender__cname")
_octet_count = attrgetter("_RTCRtpSender__octet_count")
_packet_count = attrgetter("_RTCRtpSender__packet_count")
_rtcp_exited = attrgetter("_RTCRtpSender__rtcp_exited")
_rtcp_started = attrgetter("_RTCRtpSender__rtcp_started")
_rtp_timestamp = attrgetter("_RTCRtpSender__rtp_timestamp")
_rtt = attrgetter("_RTCRtpSender__rtt")


def check() -> None:
    """See that aiortc and aioice still have every name that is used here.

    Raises:
        ImportError: They do not.
    """
    missing = [
        f"{owner.__name__}.{name}"
        for owner, names in _USED.items()
        for name in names
        if not hasattr(owner, name) and name not in owner.__init__.__code__.co_names  # type: ignore[misc]
    ]
    if missing:
        raise ImportError(
            f"aiortc {version('aiortc')} with aioice {version('aioice')} lacks "
            f"{', '.join(missing)}: install aiortc 1.16.0, or adapt avatar/rtc/aiortc_private.py"
        )


class AdaptedSender(RTCRtpSender):
    """aiortc's RTP sender, with encoding and sender reports left to the subclass."""

    def __init__(self, track: MediaStreamTrack, transport: RTCDtlsTransport) -> None:
        super().__init__(track, transport)
        self.rtp_origin: int | None = None
        """RTP timestamp of media time 0; None until the second frame is asked for."""
        self._last_timestamp: int | None = None

    @abstractmethod
    async def encode_next(self) -> RTCEncodedFrame | None:
        """Take the next frame off the track and encode it; None when there is nothing to send."""

    @abstractmethod
    def sender_reports(self) -> AsyncGenerator[tuple[int, int], None]:
        """Yield an (NTP, RTP) timestamp pair each time that a sender report is due."""

    @abstractmethod
    def heard(self, packet: AnyRtcpPacket) -> None:
        """Take note of an RTCP packet that concerns this sender."""

    @abstractmethod
    def request_keyframe(self) -> None:
        """Take note that the receiver needs a complete picture (PLI or FIR)."""

    @property
    def round_trip_s(self) -> float | None:
        """Smoothed network round trip, in seconds, once a receiver report gave one."""
        rtt: float | None = _rtt(self)
        return rtt

    async def _next_encoded_frame(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        # The timestamp last sent is that of the frame last returned: the origin is theirs apart.
        if self.rtp_origin is None and self._last_timestamp is not None:
            self.rtp_origin = (_rtp_timestamp(self) - self._last_timestamp) & _UINT32
        frame = await self.encode_next()
        if frame is None or not self._enabled:
            return None
        self._last_timestamp = frame.timestamp
        return frame

    async def _run_rtcp(self) -> None:
        _rtcp_started(self).set()
        try:
            async for ntp_timestamp, rtp_timestamp in self.sender_reports():
                await self._send_report(ntp_timestamp, rtp_timestamp)
        except asyncio.CancelledError:
            pass  # stop() cancels this task and then waits for the goodbye below
        await self._send_rtcp([RtcpByePacket(sources=[self._ssrc])])
        _rtcp_exited(self).set()

    async def _send_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        info = RtcpSenderInfo(
            ntp_timestamp=ntp_timestamp,
            rtp_timestamp=rtp_timestamp & _UINT32,
            packet_count=_packet_count(self) & _UINT32,
            octet_count=_octet_count(self) & _UINT32,
        )
        name = RtcpSourceInfo(ssrc=self._ssrc, items=[(_SDES_CNAME, (_cname(self) or "").encode())])
        # aiortc works out the round trip from these two when the receiver quotes the report.
        setattr(self, "_RTCRtpSender__lsr", (ntp_timestamp >> 16) & _UINT32)  # noqa: B010 (mangled)
        setattr(self, "_RTCRtpSender__lsr_time", aiortc_clock.current_datetime().timestamp())  # noqa: B010
        await self._send_rtcp(
            [RtcpSrPacket(ssrc=self._ssrc, sender_info=info), RtcpSdesPacket(chunks=[name])]
        )

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self.heard(packet)
        await super()._handle_rtcp_packet(packet)

    def _send_keyframe(self) -> None:
        self.request_keyframe()


def use_sender(transceiver: RTCRtpTransceiver, sender: AdaptedSender) -> None:
    """Put `sender` in the place of the transceiver's own, before anything is negotiated."""
    sender._stream_id = transceiver.sender._stream_id
    transceiver.receiver._set_rtcp_ssrc(sender._ssrc)
    setattr(transceiver, "_RTCRtpTransceiver__sender", sender)  # noqa: B010 (mangled name)


def negotiated_codec(transceiver: RTCRtpTransceiver) -> RTCRtpCodecParameters:
    """The codec that the transceiver's sender uses, once an offer is answered."""
    return transceiver._codecs[0]


def tap_packets(receiver: RTCRtpReceiver, take: Callable[[RtpPacket], None]) -> None:
    """Give the receiver's RTP packets to `take` as they arrive, and none to aiortc's decoder."""
    setattr(receiver, "_RTCRtpReceiver__jitter_buffer", _Tap(take))  # noqa: B010 (mangled name)


class _Tap:
    """Stands where aiortc's JitterBuffer does."""

    def __init__(self, take: Callable[[RtpPacket], None]) -> None:
        self._take = take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Pass the packet on; (no picture loss to report, no frame to decode)."""
        self._take(packet)
        return False, None


def also_offer_host(transport: RTCIceTransport, address: str) -> None:
    """Gather a host candidate at `address` too, on this transport alone.

    aioice never offers 127.0.0.1, which is all that an isolated machine has.
    """
    connection = transport._connection
    gather = connection.get_component_candidates

    async def gather_with_address(component: int, addresses: list[str]) -> list[Candidate]:
        wanted = addresses if address in addresses else [*addresses, address]
        return await gather(component, wanted)

    connection.get_component_candidates = gather_with_address  # type: ignore[assignment, method-assign]


check()
