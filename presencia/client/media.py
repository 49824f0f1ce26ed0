"""Sound on its way to the server and back, as arrays."""

import asyncio
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, Self, TypeVar

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from numpy.typing import NDArray

T = TypeVar("T")

RATE_HZ = 48_000
"""Of all sound here: WebRTC's own rate for Opus."""

PACKET = RATE_HZ // 50
_AHEAD = RATE_HZ // 2  # what may wait to be sent: more, and an interruption comes late


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """Sound of the avatar.

    Attributes:
        pcm: int16 mono at 48 kHz, shape (samples,).
        timestamp: RTP timestamp of its first sample, in samples; poses have the same scale.
    """

    pcm: NDArray[np.int16]
    timestamp: int


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A picture of the avatar.

    Attributes:
        frame: As it was decoded.
        timestamp: RTP timestamp, at 90 kHz.
    """

    frame: av.VideoFrame
    timestamp: int

    def rgb(self) -> NDArray[np.uint8]:
        """uint8, shape (height, width, 3)."""
        return self.frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


class Outgoing:
    """Sound that waits to be sent; outlives connections."""

    def __init__(self) -> None:
        self._waiting: deque[NDArray[np.int16]] = deque()
        self._samples = 0
        self._moved = asyncio.Event()
        self._resampler: av.AudioResampler | None = None
        self._rate_hz = RATE_HZ

    async def put(self, pcm: NDArray[np.int16], sample_rate_hz: int) -> None:
        """Add sound, and wait while half a second is waiting already."""
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise TypeError("Sound is int16 mono, of shape (samples,).")
        pcm = self._resampled(pcm, sample_rate_hz)
        self._waiting.append(pcm)
        self._samples += len(pcm)
        while self._samples > _AHEAD:
            self._moved.clear()
            await self._moved.wait()

    def take(self) -> NDArray[np.int16]:
        """The next 20 ms; silence where nothing waits."""
        packet = np.zeros(PACKET, np.int16)
        filled = 0
        while self._waiting and filled < PACKET:
            piece = self._waiting.popleft()
            used = min(len(piece), PACKET - filled)
            packet[filled : filled + used] = piece[:used]
            filled += used
            if used < len(piece):
                self._waiting.appendleft(piece[used:])
        self._samples -= filled
        self._moved.set()
        return packet

    def _resampled(self, pcm: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
        if rate_hz == RATE_HZ:
            return pcm
        if self._resampler is None or rate_hz != self._rate_hz:
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            self._rate_hz = rate_hz
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[None], "s16", "mono")
        frame.sample_rate = rate_hz
        parts = [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)


class Microphone(MediaStreamTrack):
    """Sends what waits, at a real microphone's pace."""

    kind = "audio"

    def __init__(self, outgoing: Outgoing) -> None:
        super().__init__()
        self._outgoing = outgoing
        self._sent = 0
        self._start_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, when they are due.

        Raises:
            MediaStreamError: The track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._start_s is None:
            self._start_s = loop.time()
        await asyncio.sleep(self._start_s + (self._sent + PACKET) / RATE_HZ - loop.time())
        frame = av.AudioFrame.from_ndarray(self._outgoing.take()[None], "s16", "mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._sent
        self._sent += PACKET
        return frame


class Feed(Generic[T]):
    """What comes in, for one reader: the oldest is left out where it reads too slowly."""

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._changed = asyncio.Event()
        self._error: Exception | None = None
        self._ended = False

    def put(self, item: T) -> None:
        """Add one."""
        self._items.append(item)
        self._changed.set()

    def end(self, error: Exception | None = None) -> None:
        """Nothing more comes; once all is read, reading ends or raises `error`."""
        self._ended, self._error = True, error
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()


def first_channel(frame: av.AudioFrame) -> NDArray[np.int16]:
    """Sound as aiortc's Opus decoder makes it, packed, as mono: int16, shape (samples,)."""
    packed: NDArray[Any] = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    return packed[:, 0].astype(np.int16)  # a mono sender decodes to two equal channels
