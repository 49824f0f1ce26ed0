"""A microphone that plays recordings, and knows when each sample left."""

import asyncio
import contextlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ, Clip
from speech.errors import CallError

PACKET = RATE_HZ // 50
"""Samples in a packet: 20 ms, what browsers send."""

_NOISE_RMS = 4.0  # -78 dBFS: a quiet room. A real microphone never sends digital silence.


@dataclass(slots=True)
class _Playing:
    clip: Clip
    position: int
    started: asyncio.Future[float]
    finished: asyncio.Future[float]


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance on its way: await its ends.

    Attributes:
        clip: What is said.
        started: Loop time at which the packet with the first speech sample left. Fails with a
            `CallError` if the call ended before.
        finished: The same of the last speech sample.
    """

    clip: Clip
    started: asyncio.Future[float]
    finished: asyncio.Future[float]


class Microphone(MediaStreamTrack):
    """Sends room noise at real pace, and recordings over it when told to.

    A packet leaves when a real microphone would have its last sample, on the loop's clock.

    Args:
        seed: Of the room noise.
    """

    kind = "audio"

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)
        self._sent = 0
        self._start_s: float | None = None
        self._playing: _Playing | None = None

    def play(self, clip: Clip) -> Utterance:
        """Say `clip`, from the next packet on. Anything still being said is cut.

        A cut utterance's unreached futures are cancelled.
        """
        self._cut()
        loop = asyncio.get_running_loop()
        utterance = Utterance(clip, loop.create_future(), loop.create_future())
        self._playing = _Playing(clip, 0, utterance.started, utterance.finished)
        return utterance

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due.

        Raises:
            MediaStreamError: The track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._start_s is None:
            self._start_s = loop.time()
        due_s = self._start_s + (self._sent + PACKET) / RATE_HZ
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        frame = AudioFrame.from_ndarray(self._next_packet(loop.time())[None], "s16", "mono")
        frame.sample_rate = RATE_HZ
        frame.time_base = Fraction(1, RATE_HZ)
        frame.pts = self._sent
        self._sent += PACKET
        return frame

    def stop(self) -> None:
        """End the track, as aiortc does when the call ends: waiting for an utterance fails."""
        if self._playing:
            for future in (self._playing.started, self._playing.finished):
                _fail(future)
            self._playing = None
        super().stop()

    def _next_packet(self, now_s: float) -> NDArray[np.int16]:
        packet = self._random.normal(0, _NOISE_RMS, PACKET)
        if playing := self._playing:
            clip, begin = playing.clip, playing.position
            piece = clip.pcm[begin : begin + PACKET]
            packet[: len(piece)] += piece
            playing.position = end = begin + PACKET
            if end > clip.speech_start:
                _settle(playing.started, now_s)
            if end >= clip.speech_end:
                _settle(playing.finished, now_s)
            if end >= len(clip.pcm):
                self._playing = None
        return np.clip(packet, -32768, 32767).astype(np.int16)

    def _cut(self) -> None:
        if self._playing:
            self._playing.started.cancel()
            self._playing.finished.cancel()
            self._playing = None


def _fail(future: asyncio.Future[float]) -> None:
    if not future.done():
        future.set_exception(CallError("The call ended while something was being said."))
        future.exception()  # nobody need wait for it


def _settle(future: asyncio.Future[float], value: float) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # settled before, or nobody waits
        future.set_result(value)
