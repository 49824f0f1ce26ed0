"""One WebRTC connection of a call: peer, data channels, heartbeat."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import av
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.client.poses import PoseQueue
from avatar.client.reception import prepare
from avatar.client.sender_clock import SenderClock
from avatar.rtc import aiortc_private
from presencia.client.door import TIMEOUT_S, Answer, Door, Standing
from presencia.client.media import AudioFrame, Microphone, Outgoing, VideoFrame, first_channel
from render.types import FacePose
from speech.errors import CallError

_log = logging.getLogger(__name__)

EVENTS_CHANNEL = "oai-events"
POSES_CHANNEL = "avatar.poses"
_OPEN_TIMEOUT_S = 20.0
_CLOSE_TIMEOUT_S = 3.0
_PING_EVERY_S = 1.0
_SILENCE_LIMIT_S = 5.0  # sooner than the server's own 10 s


class InLineError(CallError):
    """Every place is taken.

    Attributes:
        standing: Where this call stands in line.
    """

    def __init__(self, standing: Standing) -> None:
        super().__init__("Every place is taken; the call waits in line.")
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Ears:
    """Where what comes in goes.

    Attributes:
        hear: Sound.
        see: Pictures; None asks for none.
        pose: Poses, each as its sound comes; None asks for none.
        tell: Events, as the server sent them.
    """

    hear: Callable[[AudioFrame], None]
    see: Callable[[VideoFrame], None] | None
    pose: Callable[[FacePose], None] | None
    tell: Callable[[dict[str, Any]], None]


class Connection:
    """Made by `Connection.dial`; whoever has one awaits `lost` and then calls `close`.

    Attributes:
        lost: Set once it is gone.
    """

    def __init__(self, ears: Ears, config: dict[str, Any]) -> None:
        self.lost = asyncio.Event()
        self._ears = ears
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=_ice_servers(config)))
        self._poses = PoseQueue()
        self._channel: RTCDataChannel | None = None
        self._answer: Answer | None = None
        self._heard_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def dial(
        cls,
        door: Door,
        session: dict[str, Any],
        outgoing: Outgoing,
        ears: Ears,
        tasks: asyncio.TaskGroup,
        timeout_s: float = TIMEOUT_S,
    ) -> Self:
        """Connect.

        Args:
            door: The server's.
            session: What the call asks for, in the protocol's words.
            outgoing: What is to be sent.
            ears: Where what comes goes.
            tasks: Owns what listens.
            timeout_s: For the server's answer.

        Raises:
            InLineError: Every place is taken.
            CallError: As `Door.call`; or no way was found for sound and picture.
        """
        connection = cls(ears, await door.config())
        try:
            await connection._dial(door, session, outgoing, tasks, timeout_s)
        except BaseException:
            await connection.close(None)
            raise
        return connection

    def send(self, event: dict[str, Any]) -> None:
        """Send a client event; lost where the connection is."""
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(event))

    async def close(self, door: Door | None) -> None:
        """End it; with a door, tell the server that the call is over for good."""
        self.lost.set()
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError, CallError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                if door is not None and self._answer is not None:
                    await door.hang_up(self._answer)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._peer.close()

    async def _dial(
        self,
        door: Door,
        session: dict[str, Any],
        outgoing: Outgoing,
        tasks: asyncio.TaskGroup,
        timeout_s: float,
    ) -> None:
        self._offer_media(Microphone(outgoing), is_local=door.is_local)
        opened = self._open_channels()

        def take(track: MediaStreamTrack) -> None:
            self._tasks.append(tasks.create_task(self._take(track)))

        self._peer.on("track", take)
        self._peer.on("connectionstatechange", self._follow)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        answer = await door.call(self._peer.localDescription.sdp, session, timeout_s)
        if isinstance(answer, Standing):
            raise InLineError(answer)
        self._answer = answer
        await self._peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                await opened.wait()
        except TimeoutError:
            raise CallError(
                "The server answered, but no media path to it was found. If it is on this "
                "machine, start it with PRESENCIA_RTC__OFFER_LOOPBACK=true; else it needs TURN."
            ) from None
        self._heard_s = asyncio.get_running_loop().time()
        self._tasks.append(tasks.create_task(self._beat()))

    def _offer_media(self, microphone: Microphone, *, is_local: bool) -> None:
        clock = SenderClock()
        audio = self._peer.addTransceiver(microphone, direction="sendrecv")
        prepare(audio.receiver, "audio", clock)
        if self._ears.see is not None:
            video = self._peer.addTransceiver("video", direction="recvonly")
            prepare(video.receiver, "video", clock)
        if is_local:
            aiortc_private.also_offer_host(audio.sender.transport.transport, "127.0.0.1")

    def _open_channels(self) -> asyncio.Event:
        opened = asyncio.Event()
        self._channel = channel = self._peer.createDataChannel(EVENTS_CHANNEL)
        channel.on("open", opened.set)
        channel.on("message", self._receive)
        channel.on("close", self.lost.set)
        if self._ears.pose is not None:
            poses = self._peer.createDataChannel(POSES_CHANNEL, ordered=False, maxRetransmits=0)
            poses.on("message", self._poses.take)
            poses.on("open", lambda: self.send({"type": "avatar.face.update", "mode": "client"}))
        return opened

    def _follow(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self.lost.set()

    def _receive(self, message: str | bytes) -> None:
        self._heard_s = asyncio.get_running_loop().time()
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("type"), str):
            _log.warning("event is malformed", extra={"bytes": len(message)})
        elif body["type"] != "avatar.pong":
            self._ears.tell(body)

    async def _beat(self) -> None:
        """Ping; a server that says nothing any more is lost."""
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard_s < _SILENCE_LIMIT_S:
            self.send({"type": "avatar.ping"})
            await asyncio.sleep(_PING_EVERY_S)
        self.lost.set()

    async def _take(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, av.AudioFrame):
                    self._hear(frame)
                elif isinstance(frame, av.VideoFrame) and self._ears.see is not None:
                    self._ears.see(VideoFrame(frame, frame.pts or 0))

    def _hear(self, frame: av.AudioFrame) -> None:
        timestamp = frame.pts or 0
        self._ears.hear(AudioFrame(first_channel(frame), timestamp))
        if self._ears.pose is not None:
            for pose in self._poses.due(timestamp + frame.samples):
                self._ears.pose(pose)


def _ice_servers(config: dict[str, Any]) -> list[RTCIceServer]:
    return [
        RTCIceServer(each["urls"], each.get("username"), each.get("credential"))
        for each in config.get("ice_servers", [])
    ]
