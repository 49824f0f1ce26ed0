"""What a call needs of whatever carries it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from avatar.playout import Playout
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import PeerStats
from render.types import VideoFrame
from speech.types import AudioFrame


class Transport(Protocol):
    """One client's connection: `avatar.rtc.peer.Peer`, or a stand-in for it in a replay.

    Attributes:
        closed: Set when the client is gone.
    """

    closed: asyncio.Event

    @property
    def answer_sdp(self) -> str:
        """The answer to the client's offer."""
        ...

    @property
    def takes_video(self) -> bool:
        """Whether the client takes video."""
        ...

    @property
    def takes_poses(self) -> bool:
        """Whether the client draws the face."""
        ...

    def microphone(self) -> AsyncGenerator[AudioFrame, None]:
        """The client's voice: int16 mono at 16 kHz; ends when the client is gone."""
        ...

    def events_in(self) -> AsyncGenerator[str, None]:
        """The client's messages, in order, until it is gone."""
        ...

    def send(self, text: str) -> None:
        """Send a message. Never waits."""
        ...

    def send_poses(self, message: bytes) -> bool:
        """Send poses, if the client takes them. Never waits."""
        ...

    def audio_timestamp(self, sample: int) -> int | None:
        """RTP timestamp of a sample's audio; None before any left."""
        ...

    def send_keyframe(self) -> None:
        """Make the next picture a complete one."""
        ...

    def stats(self) -> PeerStats:
        """What the connection cost and lost so far."""
        ...

    async def close(self) -> None:
        """Hang up and free everything."""
        ...


Connect = Callable[[Playout, AsyncGenerator[VideoFrame, None], MediaClock], Transport]
"""Makes a transport for a call's sound and pictures, paced by its clock."""
