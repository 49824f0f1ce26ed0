"""One client's WebSocket, as the transport of a call."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Self

import numpy as np
from fastapi import WebSocket
from numpy.typing import NDArray
from starlette.websockets import WebSocketDisconnect, WebSocketState

from avatar.playout import FRAME_SAMPLES
from avatar.rtc.clock import MediaClock
from avatar.rtc.microphone import MicrophoneStats
from avatar.rtc.peer import PeerStats
from avatar.rtc.sender import SenderStats
from avatar.rtc.tracks import FrameSource
from avatar.websocket.microphone import LineMicrophone
from render.types import SPEECH_CLOCK_HZ, VideoFrame
from speech.types import AudioFrame

logger = logging.getLogger(__name__)

LEAD_SAMPLES = SPEECH_CLOCK_HZ // 5
"""How much sound leaves before it is due, so that the network's jitter makes no gaps: 200 ms.

What left is taken for heard, so this is by how much an interrupted answer's words are overrated
where the client doesn't say what it played.
"""

UNREAD_LIMIT_CHARS = 8 << 20
"""Of the client's messages that may wait for the call; then the socket is read no further."""

LAST_WORDS_S = 3.0
"""For what is still to be sent when a call ends, and for the goodbye after it."""

UNSENT_LIMIT_CHARS = 4 << 20
"""That a client may leave unread before it is given up: a minute of sound and more."""


def _unheard(_pcm: NDArray[np.int16]) -> None:
    """Nobody puts the sound into messages yet."""


class WebSocketLine:
    """A `Transport` that carries sound in its messages.

    The route that accepted the socket owns the line and awaits `run`. Sound is pulled from the
    call's playout in real time, `LEAD_SAMPLES` early, and handed to `on_sound`: the dialect puts
    it into a message, and calls `microphone_in.hear` with what it takes out of the client's.

    Args:
        socket: Accepted.

    Attributes:
        answer_sdp: Empty: there was no offer.
        closed: Set when the client is gone, or was hung up on.
        microphone_in: The client's voice.
        on_sound: Called with every 20 ms of the avatar's sound: int16, 48 kHz, shape (960,).
    """

    def __init__(self, socket: WebSocket) -> None:
        self.answer_sdp = ""
        self.closed = asyncio.Event()
        self.microphone_in = LineMicrophone()
        self.on_sound: Callable[[NDArray[np.int16]], None] = _unheard
        self._socket = socket
        self._source: FrameSource | None = None
        self._frames: AsyncGenerator[VideoFrame, None] | None = None
        self._clock: MediaClock | None = None
        self._position = 0
        self._plays = asyncio.Event()
        self._plays.set()
        self._received: deque[str] = deque()
        self._unread = 0
        self._unsent: deque[str] = deque()
        self._unsent_chars = 0
        self._arrived, self._taken, self._to_send = (
            asyncio.Event(),
            asyncio.Event(),
            asyncio.Event(),
        )

    def connect(
        self, source: FrameSource, frames: AsyncGenerator[VideoFrame, None], clock: MediaClock
    ) -> Self:
        """Carry a call's sound; its pictures find no place here. A `Connect`."""
        self._source, self._frames, self._clock = source, frames, clock
        return self

    def pause(self) -> None:
        """Leave the sound to another transport until `resume`; messages go on."""
        self._plays.clear()

    def resume(self, position: int) -> None:
        """Carry the sound again, from the sample on that the playout has next."""
        self._position = position
        self._plays.set()

    async def run(self) -> None:
        """Carry sound and messages until either side ends; then close the socket."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read(), name="ws-read")
                playing = group.create_task(self._play(), name="ws-play")
                writing = group.create_task(self._write(), name="ws-write")
                await self.closed.wait()
                reading.cancel()
                playing.cancel()
                await asyncio.wait([writing], timeout=LAST_WORDS_S)  # what is said last, is sent
                writing.cancel()
        finally:
            self._end()  # whatever ended it, the call is to know
        if self._socket.application_state is WebSocketState.CONNECTED:
            try:
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._socket.close()
            except (
                RuntimeError,
                WebSocketDisconnect,
                OSError,
            ):  # the client was faster, or is gone
                logger.debug("The socket was closed already")

    @property
    def takes_video(self) -> bool:
        """False: a WebSocket carries no pictures."""
        return False

    @property
    def takes_poses(self) -> bool:
        """False, likewise."""
        return False

    def microphone(self) -> AsyncGenerator[AudioFrame, None]:
        """The client's voice: int16 mono at 16 kHz; ends when the client is gone."""
        return self.microphone_in.frames()

    async def events_in(self) -> AsyncGenerator[str, None]:
        """The client's messages, in order, until it is gone. For one reader."""
        while True:
            while self._received:
                message = self._received.popleft()
                self._unread -= len(message)
                self._taken.set()
                yield message
            if self.closed.is_set():
                return
            self._arrived.clear()
            await self._arrived.wait()

    def send(self, text: str) -> None:
        """Send a message. Never waits; a client that reads nothing is given up."""
        if self.closed.is_set():
            return
        self._unsent.append(text)
        self._unsent_chars += len(text)
        self._to_send.set()
        if self._unsent_chars > UNSENT_LIMIT_CHARS:
            logger.info("The client reads nothing: it is given up")
            self._unsent.clear()
            self._end()

    def send_poses(self, _message: bytes) -> bool:
        """False: there is nobody to draw them."""
        return False

    def audio_timestamp(self, _sample: int) -> int | None:
        """None: there is no RTP."""
        return None

    def send_keyframe(self) -> None:
        """Do nothing: there are no pictures."""

    def stats(self) -> PeerStats:
        """What the connection cost and lost: nothing that is counted."""
        return PeerStats(
            audio=SenderStats(),
            video=None,
            video_dropped=0,
            microphone=MicrophoneStats(0, 0, 0, 0, 0.0, 0.0),
            round_trip_s=None,
            clock_held_s=self._clock.held_s if self._clock else 0.0,
        )

    async def close(self) -> None:
        """Hang up, and let go of the pictures. May be called again."""
        self._end()
        frames, self._frames = self._frames, None
        if frames is not None:
            await frames.aclose()

    def _end(self) -> None:
        self.closed.set()
        self.microphone_in.end()
        for event in (self._arrived, self._taken, self._to_send):
            event.set()

    async def _read(self) -> None:
        try:
            while True:
                message = await self._socket.receive_text()
                self._received.append(message)
                self._unread += len(message)
                self._arrived.set()
                while self._unread > UNREAD_LIMIT_CHARS and not self.closed.is_set():
                    self._taken.clear()
                    await self._taken.wait()
        except WebSocketDisconnect:
            self._end()
        except (KeyError, RuntimeError):  # Starlette's, for a binary message
            logger.info("The client sent bytes, or was gone: it is hung up on")
            self._end()

    async def _write(self) -> None:
        try:
            while True:
                while self._unsent:
                    text = self._unsent.popleft()
                    self._unsent_chars -= len(text)
                    await self._socket.send_text(text)
                if self.closed.is_set():
                    return
                self._to_send.clear()
                await self._to_send.wait()
        except (WebSocketDisconnect, RuntimeError, OSError):
            self._end()  # the client is gone: the reader may not know yet

    async def _play(self) -> None:
        source, clock = self._source, self._clock
        if source is None or clock is None:
            raise RuntimeError("A line is connected to a call before it runs")
        clock.start()
        while True:
            await self._plays.wait()
            await clock.reach(max(0, self._position - LEAD_SAMPLES))
            if not self._plays.is_set():
                continue
            sound = source.next_frame()
            self._position += FRAME_SAMPLES
            clock.send_next(self._position)
            self.on_sound(sound)
