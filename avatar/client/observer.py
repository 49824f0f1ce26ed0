"""What the person at this end of the call heard and saw, and when."""

from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from avatar.client.poses import openness
from render.types import FacePose

SILENCE_PEAK = 104
"""Samples up to here, -50 dBFS, are silence: Opus leaves a few LSB around digital zero."""

MouthReader = Callable[[NDArray[np.uint8]], float]
"""How open the mouth is, from a frame's luma: uint8, shape (height, width)."""


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """A frame of sound that arrived.

    Attributes:
        arrived_s: Loop time at which it came out of the decoder.
        media_s: Its first sample's time on the sender's clock; None before the first report.
        pcm: int16 mono at 48 kHz, shape (samples,).
        loud: True where it is more than silence.
    """

    arrived_s: float
    media_s: float | None
    pcm: NDArray[np.int16]
    loud: bool


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A picture that arrived.

    Attributes:
        arrived_s: Loop time at which it came out of the decoder.
        media_s: Its time on the sender's clock; None before the first report.
        openness: Of the mouth, by the observer's `MouthReader`; NaN without one.
    """

    arrived_s: float
    media_s: float | None
    openness: float


@dataclass(frozen=True, slots=True)
class PosedFrame:
    """A pose whose sound arrived.

    Attributes:
        arrived_s: Loop time at which its sound came out of the decoder.
        media_s: Its time on the sender's clock; None before the first report.
        pose: As it was sent; `at_sample` is its sample's RTP timestamp, unwrapped.
    """

    arrived_s: float
    media_s: float | None
    pose: FacePose


class Observer:
    """Keeps every sound that arrived, and how far the mouth was open in every picture.

    A pose of a face that is drawn here counts as a picture, seen when its sound was heard.

    Args:
        read_mouth: Reads the mouth's openness; None leaves it unread.
    """

    def __init__(self, read_mouth: MouthReader | None = None) -> None:
        self.heard: list[HeardFrame] = []
        self.seen: list[SeenFrame] = []
        self.posed: list[PosedFrame] = []
        self.last_loud_s = -np.inf
        self._read_mouth = read_mouth

    @property
    def reads_mouths(self) -> bool:
        """Whether it looks at pictures."""
        return self._read_mouth is not None

    def hear(self, frame: av.AudioFrame, arrived_s: float, media_s: float | None) -> HeardFrame:
        """Note a frame of sound: s16, packed, as aiortc's Opus decoder makes it."""
        channels = frame.layout.nb_channels
        packed = frame.to_ndarray().reshape(-1, channels)
        pcm = packed[:, 0].astype(np.int16)  # a mono sender decodes to two equal channels
        loud = bool(np.abs(pcm.astype(np.int32)).max(initial=0) > SILENCE_PEAK)
        heard = HeardFrame(arrived_s, media_s, pcm, loud)
        self.heard.append(heard)
        if loud:
            self.last_loud_s = arrived_s
        return heard

    def see(self, frame: av.VideoFrame, arrived_s: float, media_s: float | None) -> SeenFrame:
        """Note a picture: yuv420p, as the VP8 and H.264 decoders make it."""
        is_open = float("nan")
        if self._read_mouth:
            plane = frame.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            is_open = self._read_mouth(rows[:, : plane.width])
        seen = SeenFrame(arrived_s, media_s, is_open)
        self.seen.append(seen)
        return seen

    def pose(self, pose: FacePose, arrived_s: float, media_s: float | None) -> None:
        """Note a pose as its sound is heard."""
        self.posed.append(PosedFrame(arrived_s, media_s, pose))
        self.seen.append(SeenFrame(arrived_s, media_s, openness(pose)))
