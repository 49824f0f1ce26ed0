"""A Voice Live call: messages by WebSocket, the avatar by WebRTC once it is asked for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from avatar.playout import Playout
from avatar.protocol.voice_live.signalling import WrappedOffer
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import VIDEO_CODECS, Peer, PeerStats
from avatar.settings import RtcSettings
from avatar.websocket.line import WebSocketLine
from render.types import VideoFrame
from speech.errors import SignallingError
from speech.types import AudioFrame


class Signals(Protocol):
    """Who tells the client of the avatar's connection: the dialect."""

    def connecting(self, server_sdp: str) -> None:
        """The client's offer was answered."""
        ...

    def refuse_offer(self, message: str) -> None:
        """It can't be answered."""
        ...

    def moved(self) -> None:
        """20 ms more of the sound left."""
        ...


class Stage(Protocol):
    """The session, as far as the avatar's connection needs it."""

    def new_frames(self) -> AsyncGenerator[VideoFrame, None]:
        """Pictures of the face, for as long as they are pulled."""
        ...

    def transport_changed(self) -> None:
        """Find out anew who draws the face."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    offer: WrappedOffer
    bitrate_bps: int
    prefers_h264: bool


class _Sound:
    """The playout, as one of the transports plays it."""

    def __init__(self, playout: Playout, left: Callable[[NDArray[np.int16]], None]) -> None:
        self._playout = playout
        self._left = left

    def next_frame(self) -> NDArray[np.int16]:
        """The next 20 ms."""
        frame = self._playout.next_frame()
        self._left(frame)
        return frame


class _LentSound:
    """The playout, lent to the avatar's connection by the WebSocket."""

    def __init__(
        self, playout: Playout, line: WebSocketLine, left: Callable[[NDArray[np.int16]], None]
    ) -> None:
        self._playout = playout
        self._line = line
        self._sound = _Sound(playout, left)
        self._is_lent = True
        self._was_taken = False

    def take(self) -> int:
        """Stop the WebSocket's sound; the sample that comes next."""
        self._was_taken = True
        self._line.pause()
        return self._playout.position

    def next_frame(self) -> NDArray[np.int16]:
        """The next 20 ms."""
        if not self._is_lent:
            raise MediaStreamError  # a connection that is slow to close pulls no more
        return self._sound.next_frame()

    def give_back(self) -> None:
        """Let the WebSocket carry the sound again."""
        self._is_lent = False
        if self._was_taken:
            self._line.resume(self._playout.position)


class VoiceLiveTransport:
    """A `Transport`, and the dialect's `AvatarLink`. The route that owns it awaits `run`.

    The sound goes over the WebSocket until the avatar's connection takes it, and again when that
    is gone: every sample leaves once.

    Args:
        line: The client's WebSocket.
        settings: ICE servers, the most that the video may cost.

    Attributes:
        answer_sdp: Empty: a call begins without an offer.
        closed: Set when the client is gone.
        signals: Tells the client.
        stage: Whose face is shown.
    """

    signals: Signals
    stage: Stage

    def __init__(self, line: WebSocketLine, settings: RtcSettings) -> None:
        self.answer_sdp = ""
        self.closed = line.closed
        self._line = line
        self._settings = settings
        self._playout: Playout | None = None
        self._clock = MediaClock()
        self._peer: Peer | None = None
        self._is_up = False
        self._wish: _Wish | None = None
        self._asked = asyncio.Event()

    def connect(
        self, playout: Playout, frames: AsyncGenerator[VideoFrame, None], clock: MediaClock
    ) -> Self:
        """Carry a call. A `Connect`."""
        self._playout, self._clock = playout, clock
        self._line.connect(_Sound(playout, lambda _: self.signals.moved()), frames, clock)
        return self

    async def run(self) -> None:
        """Carry the call until either side ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(self._show(), name="voice-live-avatar")
                await self._line.run()
                showing.cancel()
        finally:
            await self.close()  # whatever ended it, the session is to know

    @property
    def is_up(self) -> bool:
        """Whether sound and picture go by WebRTC."""
        return self._is_up

    def ask(self, offer: WrappedOffer, *, bitrate_bps: int, prefers_h264: bool) -> None:
        """Connect the avatar anew, as the client offers."""
        self._wish = _Wish(offer, bitrate_bps, prefers_h264)
        self._asked.set()

    @property
    def takes_video(self) -> bool:
        """Whether the avatar is connected, and its picture wanted."""
        return self._is_up and self._peer is not None and self._peer.takes_video

    @property
    def takes_poses(self) -> bool:
        """False: clients of Voice Live get the face's numbers in events."""
        return False

    def microphone(self) -> AsyncGenerator[AudioFrame, None]:
        """The client's voice: int16 mono at 16 kHz; ends when the client is gone."""
        return self._line.microphone()

    def events_in(self) -> AsyncGenerator[str, None]:
        """The client's messages, in order, until it is gone."""
        return self._line.events_in()

    def send(self, text: str) -> None:
        """Send a message. Never waits."""
        self._line.send(text)

    def send_poses(self, _message: bytes) -> bool:
        """False: there is nobody to draw them."""
        return False

    def audio_timestamp(self, sample: int) -> int | None:
        """RTP timestamp of a sample's audio; None while it goes over the WebSocket."""
        return self._peer.audio_timestamp(sample) if self._is_up and self._peer else None

    def send_keyframe(self) -> None:
        """Make the next picture a complete one."""
        if self._is_up and self._peer is not None:
            self._peer.send_keyframe()

    def stats(self) -> PeerStats:
        """What the avatar's connection cost so far: the last one, if there were several."""
        return self._line.stats() if self._peer is None else self._peer.stats()

    async def close(self) -> None:
        """Hang up and free everything."""
        if self._peer is not None:
            await self._peer.close()
        await self._line.close()

    async def _show(self) -> None:
        """Connect the avatar whenever the client asks for it."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self._wish is not None:
                await self._hold(self._wish)

    async def _hold(self, wish: _Wish) -> None:
        """One connection of the avatar, from its offer until it goes or the client asks anew."""
        if self._playout is None:
            raise RuntimeError("The transport is connected to a call before it runs")
        sound = _LentSound(self._playout, self._line, self._left)
        try:
            self._peer = peer = await self._answer(wish, sound)
        except SignallingError as error:
            self.signals.refuse_offer(str(error))
            return
        self.signals.connecting(wish.offer.wrap(peer.answer_sdp))
        try:
            await _any(peer.connected, peer.closed, self._asked)
            if peer.connected.is_set():
                self._is_up = True
                self.stage.transport_changed()
                await _any(peer.closed, self._asked)
        finally:
            self._is_up = False
            await peer.close()
            sound.give_back()
            self.stage.transport_changed()

    async def _answer(self, wish: _Wish, sound: _LentSound) -> Peer:
        return await Peer.answer(
            wish.offer.sdp,
            audio=sound,
            video=self.stage.new_frames(),
            clock=self._clock,
            settings=self._settings.model_copy(update={"video_bitrate_bps": wish.bitrate_bps}),
            take_over=sound.take,
            video_codecs=VIDEO_CODECS[::-1] if wish.prefers_h264 else VIDEO_CODECS,
        )

    def _left(self, frame: NDArray[np.int16]) -> None:
        self.signals.moved()
        self._line.on_sound(frame)  # for whom it may concern: it is counted, and may be audited


async def _any(*events: asyncio.Event) -> None:
    """Wait for the first of some events."""
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(event.wait()) for event in events]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
