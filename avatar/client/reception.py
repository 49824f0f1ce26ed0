"""Receiving without the delay of aiortc's stock buffers, and with the sender's timestamps.

aiortc keeps these inside `RTCRtpReceiver`; this module is the client's one place that reaches in.
Written against aiortc 1.16.
"""

import asyncio
from operator import attrgetter

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket

from avatar.client.sender_clock import Kind, SenderClock
from avatar.rtc.receive_buffer import ReceiveBuffer

_PRIVATE = "_RTCRtpReceiver__"
_codecs = attrgetter(f"{_PRIVATE}codecs")
_decoder_queue = attrgetter(f"{_PRIVATE}decoder_queue")
_data = attrgetter("_data")  # of a packet: its payload, as depacketised by the receiver


def prepare(
    receiver: RTCRtpReceiver, kind: Kind, clock: SenderClock, *, decodes: bool = True
) -> None:
    """Let a receiver hand out frames at once, stamped with unwrapped RTP timestamps.

    Args:
        receiver: Before its first packet: right after `addTransceiver`.
        kind: What it receives.
        clock: Is told of every sender report.
        decodes: Whether pictures are decoded; else they are received, and none is handed out.
    """
    handle = receiver._handle_rtcp_packet

    async def handle_and_report(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            clock.report(kind, info.ntp_timestamp, info.rtp_timestamp)
        await handle(packet)

    receiver._handle_rtcp_packet = handle_and_report  # type: ignore[method-assign]
    stamps = _Unwrapped()
    buffer: _PromptAudio | JitterBuffer = _PromptAudio(receiver, stamps)
    if kind == "video":
        buffer = _PromptVideo() if decodes else _NoPictures()
    setattr(receiver, f"{_PRIVATE}timestamp_mapper", stamps)
    setattr(receiver, f"{_PRIVATE}jitter_buffer", buffer)


class _PromptVideo(JitterBuffer):
    """Gives a picture out with its last packet, which the marker bit tells (RFC 7741, 4.1).

    The stock buffer waits for the next picture's first packet: a whole frame interval later.
    """

    def __init__(self) -> None:
        super().__init__(capacity=512, is_video=True)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        assert self._origin is not None  # set by `add`, the only caller
        packets: list[RtpPacket] = []
        for count in range(self.capacity):
            packet = self._packets[(self._origin + count) % self.capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                break
            packets.append(packet)
            if packet.marker:
                self.remove(count + 1)
                return JitterFrame(b"".join(map(_data, packets)), packets[0].timestamp)
        return super()._remove_frame(sequence_number)


class _NoPictures(JitterBuffer):
    """Takes packets, and gives no picture out."""

    def __init__(self) -> None:
        super().__init__(capacity=1, is_video=True)

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As `JitterBuffer.add`: no picture is missed, and none is next."""
        return False, None


class _PromptAudio:
    """Gives packets out as they come, in order. Stock: four packets late, and later after a loss.

    aiortc takes one packet out for each that it puts in; those that a hole held back go to the
    decoder from here.
    """

    def __init__(self, receiver: RTCRtpReceiver, stamps: "_Unwrapped") -> None:
        self._receiver = receiver
        self._stamps = stamps
        self._buffer: ReceiveBuffer[RtpPacket] = ReceiveBuffer()

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As `JitterBuffer.add`: whether a picture must be asked for, and what is next."""
        ready = [
            each.packet for each in self._buffer.add(packet, asyncio.get_running_loop().time())
        ]
        for early in ready[:-1]:
            frame = JitterFrame(_data(early), self._stamps.map(early.timestamp))
            codec = _codecs(self._receiver)[early.payload_type]
            _decoder_queue(self._receiver).put((codec, frame))
        if not ready:
            return False, None
        return False, JitterFrame(_data(ready[-1]), ready[-1].timestamp)


class _Unwrapped:
    """Extends 32-bit RTP timestamps past their wrap, and keeps their origin."""

    def __init__(self) -> None:
        self._last: int | None = None

    def map(self, timestamp: int) -> int:
        if self._last is not None:
            timestamp = self._last + (timestamp - self._last + 2**31) % 2**32 - 2**31
        self._last = timestamp
        return timestamp
