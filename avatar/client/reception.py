"""Receiving without the delay of aiortc's stock buffers, and with the sender's timestamps.

aiortc keeps these inside `RTCRtpReceiver`; this module is the one place that reaches in.
Written against aiortc 1.16.
"""

from typing import Protocol

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket

from avatar.client.sender_clock import Kind, SenderClock

_PRIVATE = "_RTCRtpReceiver__"


class _Buffer(Protocol):
    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]: ...


def prepare(
    receiver: RTCRtpReceiver, kind: Kind, clock: SenderClock, buffer: _Buffer | None = None
) -> None:
    """Let a receiver report to `clock` and stamp its frames with unwrapped RTP timestamps.

    Args:
        receiver: Before its first packet: right after `addTransceiver`.
        kind: What it receives.
        clock: Is told of every sender report.
        buffer: In place of aiortc's own; None keeps that.
    """
    handle = receiver._handle_rtcp_packet

    async def handle_and_report(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            clock.report(kind, info.ntp_timestamp, info.rtp_timestamp)
        await handle(packet)

    receiver._handle_rtcp_packet = handle_and_report  # type: ignore[method-assign]
    setattr(receiver, f"{_PRIVATE}timestamp_mapper", _Unwrapped())
    if buffer is not None:
        setattr(receiver, f"{_PRIVATE}jitter_buffer", buffer)


class PromptVideoBuffer(JitterBuffer):
    """Gives a picture out with its last packet, which the marker bit tells (RFC 7741, 4.1).

    The stock buffer waits for the next picture's first packet: a whole frame interval later.
    """

    def __init__(self) -> None:
        super().__init__(capacity=512, is_video=True)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        packets: list[RtpPacket] = []
        assert self._origin is not None  # set by `add`, the only caller
        for count in range(self.capacity):
            packet = self._packets[(self._origin + count) % self.capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                break
            packets.append(packet)
            if packet.marker:
                self.remove(count + 1)
                data = b"".join(part._data for part in packets)  # type: ignore[attr-defined]
                return JitterFrame(data=data, timestamp=packets[0].timestamp)
        return super()._remove_frame(sequence_number)


class _Unwrapped:
    """Extends 32-bit RTP timestamps past their wrap, and keeps their origin."""

    def __init__(self) -> None:
        self._last: int | None = None

    def map(self, timestamp: int) -> int:
        if self._last is not None:
            timestamp = self._last + (timestamp - self._last + 2**31) % 2**32 - 2**31
        self._last = timestamp
        return timestamp
