"""Encoders for what a call sends: Opus for the voice, VP8 or H.264 for the face.

They replace aiortc's, whose settings suit a camera: its Opus is 96 kbps stereo, its H.264 costs
several times what a fast preset does, and both its video encoders start anew, with a keyframe,
at every wobble of the receiver's bandwidth estimate. Here the bitrate is what was configured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar

import av
from aiortc.codecs.base import Encoder as AiortcEncoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from render.types import SPEECH_CLOCK_HZ

OPUS_BITRATE_BPS = 32_000
"""Speech is transparent at this rate in mono full band (RFC 7587, section 3.1.1: 28-40 kbps)."""

EXPECTED_LOSS_PERCENT = 10
"""How much loss Opus arms itself against: its in-band FEC needs to be told."""

NO_PERIODIC_KEYFRAME = 1_000_000
"""GOP length that is never reached: a keyframe is a burst, sent when a receiver asks for one."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One encoded frame.

    Attributes:
        payloads: RTP payloads, in order; empty when the encoder holds the frame back.
        timestamp: RTP time since media time 0, at the codec's clock rate. May be negative: Opus
            delays the sound by its lookahead, and the timestamp says so.
        is_keyframe: True for a complete picture.
    """

    payloads: list[bytes]
    timestamp: int
    is_keyframe: bool = False


FrameT = TypeVar("FrameT", bound=av.AudioFrame | av.VideoFrame, contravariant=True)


class MediaEncoder(Protocol[FrameT]):
    """Encodes the frames of one track. Blocking; called from one thread."""

    def encode(self, frame: FrameT, *, keyframe: bool) -> Encoded:
        """Encode one frame, as a complete picture if `keyframe`."""
        ...


class OpusEncoder:
    """20 ms frames of 48 kHz mono s16 to Opus, tuned for speech, with in-band FEC."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("libopus", "w")
        self._codec.sample_rate = SPEECH_CLOCK_HZ
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.time_base = Fraction(1, SPEECH_CLOCK_HZ)
        self._codec.bit_rate = OPUS_BITRATE_BPS
        self._codec.options = {
            "application": "voip",
            "fec": "1",
            "packet_loss": str(EXPECTED_LOSS_PERCENT),
        }

    def encode(self, frame: av.AudioFrame, *, keyframe: bool) -> Encoded:
        """Encode one frame; `keyframe` means nothing here."""
        del keyframe
        packets = self._codec.encode(frame)
        if not packets:
            return Encoded([], frame.pts or 0)
        return Encoded([bytes(packet) for packet in packets], packets[0].pts or 0)


class VideoEncoder:
    """I420 pictures to RTP payloads, at any frame rate, through one codec context per size."""

    def __init__(
        self, open_codec: Callable[[int, int], VideoCodecContext], packetizer: AiortcEncoder
    ) -> None:
        self._open_codec = open_codec
        self._packetizer = packetizer
        self._codec: VideoCodecContext | None = None

    def encode(self, frame: av.VideoFrame, *, keyframe: bool) -> Encoded:
        """Encode one picture."""
        size = (frame.width, frame.height)
        if self._codec is None or (self._codec.width, self._codec.height) != size:
            self._codec = self._open_codec(*size)
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        payloads: list[bytes] = []
        is_keyframe = False
        for packet in self._codec.encode(frame):
            payloads += self._packetizer.pack(packet)[0]
            is_keyframe |= packet.is_keyframe
        return Encoded(payloads, frame.pts or 0, is_keyframe)


def vp8_encoder(bitrate_bps: int) -> VideoEncoder:
    """A real-time VP8 encoder at a constant bitrate."""

    def open_codec(width: int, height: int) -> VideoCodecContext:
        codec = av.CodecContext.create("libvpx", "w")
        _set_up(codec, width, height, bitrate_bps)
        codec.qmin = 2
        codec.qmax = 56
        codec.options = {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "minrate": str(bitrate_bps),  # minrate = maxrate = bit_rate means constant bitrate
            "maxrate": str(bitrate_bps),
            "bufsize": str(bitrate_bps),  # one second
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "static-thresh": "1",
            "noise-sensitivity": "0",  # a drawn face has no camera noise to remove
        }
        return codec

    return VideoEncoder(open_codec, Vp8Encoder())


def h264_encoder(bitrate_bps: int) -> VideoEncoder:
    """A real-time H.264 encoder: constrained baseline, no frame held back."""

    def open_codec(width: int, height: int) -> VideoCodecContext:
        codec = av.CodecContext.create("libx264", "w")
        _set_up(codec, width, height, bitrate_bps)
        codec.profile = "Baseline"
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "sc_threshold": "0",  # no keyframe of its own accord
            "maxrate": str(bitrate_bps),
            "bufsize": str(bitrate_bps),
        }
        return codec

    return VideoEncoder(open_codec, H264Encoder())


def _set_up(codec: VideoCodecContext, width: int, height: int, bitrate_bps: int) -> None:
    codec.width = width
    codec.height = height
    codec.pix_fmt = "yuv420p"
    codec.time_base = VIDEO_TIME_BASE
    codec.framerate = Fraction(
        25
    )  # the rate that budgets are set for; timestamps tell the real one
    codec.bit_rate = bitrate_bps
    codec.gop_size = NO_PERIODIC_KEYFRAME
    codec.thread_count = 1  # 1080p takes less than half a core; and its cost can be told


def video_encoder(mime_type: str, bitrate_bps: int) -> VideoEncoder:
    """The encoder for a negotiated codec, 'video/VP8' or 'video/H264' in any case."""
    encoders = {"video/vp8": vp8_encoder, "video/h264": h264_encoder}
    return encoders[mime_type.lower()](bitrate_bps)
