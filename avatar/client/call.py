"""One call to a Presencia server, as a browser makes it, without the browser."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
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

from avatar.client.microphone import Microphone
from avatar.client.observer import Observer
from avatar.client.poses import PoseQueue
from avatar.client.reception import prepare
from avatar.client.recorder import Recorder
from avatar.client.sender_clock import SenderClock
from avatar.client.signalling import Answer, Signaller, Signalling
from avatar.events import FaceMode
from avatar.rtc import aiortc_private
from avatar.rtc.poses_channel import LABEL as POSES_LABEL
from speech.errors import CallError

_log = logging.getLogger(__name__)
_CONNECT_TIMEOUT_S = 20.0
_CLOSE_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Event:
    """A server event and when it came.

    Attributes:
        at_s: Loop time of its arrival.
        type: Its `type`.
        body: The whole event.
    """

    at_s: float
    type: str
    body: dict[str, Any]


class Call:
    """A call under way. Made by `Call.connect`.

    Attributes:
        microphone: What the server hears.
        observer: What came back.
        events: Every server event, in order of arrival.
        face: Who draws the face, as the server last said.
    """

    def __init__(
        self, signaller: Signaller, observer: Observer, recorder: Recorder | None, *, sees: bool
    ) -> None:
        self.microphone = Microphone()
        self.observer = observer
        self.events: list[Event] = []
        self.face: FaceMode = "video"
        self._signaller = signaller
        self._clock = SenderClock()
        self._recorder = recorder
        self._sees = sees
        self._changed = asyncio.Event()
        self._ended = False
        self._open: set[str] = set()
        self._channel: RTCDataChannel | None = None
        self._peer: RTCPeerConnection | None = None
        self._poses = PoseQueue()
        self._poses_channel: RTCDataChannel | None = None

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        server: str | Signaller,
        observer: Observer | None = None,
        recorder: Recorder | None = None,
        *,
        sees: bool = True,
    ) -> AsyncGenerator[Self]:
        """Call a server; hang up on leaving.

        Args:
            server: A Presencia server's URL, as "http://127.0.0.1:8080", or another's signaller.
            observer: Keeps what is heard and seen; None makes one that reads no mouth.
            recorder: Gets every frame as well.
            sees: Whether pictures are decoded; they are received in any case.

        Raises:
            CallError: No server, no place, no connection, or the call was lost while it was
                waited on; the message says which.
        """
        signaller = Signalling(server) if isinstance(server, str) else server
        call = cls(signaller, observer or Observer(), recorder, sees=sees)
        try:
            async with call._connected():
                yield call
        except BaseExceptionGroup as group:
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None
            raise

    @property
    def answering(self) -> bool:
        """True while, by the server's events, an answer is being made or played."""
        return bool(self._open)

    @property
    def synchronised(self) -> bool:
        """True once sound and picture can be put on one clock: about a second into the call."""
        return self._clock.ready or (self.face != "video" and self._clock.knows("audio"))

    def send(self, event: dict[str, Any]) -> None:
        """Send a client event.

        Raises:
            CallError: The call has ended.
        """
        if self._ended or self._channel is None:
            raise CallError("The call has ended.")
        for message in self._signaller.outgoing(event):
            self._channel.send(message)

    def say_text(self, text: str) -> None:
        """Type a message and ask for an answer to it."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.send({"type": "conversation.item.create", "item": item})
        self.send({"type": "response.create", "response": {"avatar": {"interrupt": True}}})

    async def choose_language(self, language: str) -> None:
        """Tell the server what will be spoken, as "es".

        Raises:
            CallError: It refuses, or the call ended.
        """
        since = len(self.events)
        audio = {"input": {"transcription": {"language": language}}}
        self.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})

        def reply() -> Event | None:
            kinds = ("session.updated", "error")
            return next((each for each in self.events[since:] if each.type in kinds), None)

        await self.until(lambda: reply() is not None, _CONNECT_TIMEOUT_S)
        event = reply()
        if event is None or event.type == "error":
            reason = event.body["error"]["message"] if event else "it does not answer"
            raise CallError(f"The server does not take the language {language}: {reason}")

    async def choose_face(self, mode: FaceMode) -> None:
        """Have the face drawn by the server, or by this client ("client"), or not at all.

        Poses of a face drawn here go to the observer, each as its sound is heard.

        Raises:
            CallError: The server does something else, or the call ended.
        """
        if mode == "client":
            await self._open_poses()
        since = len(self.events)
        self.send({"type": "avatar.face.update", "mode": mode})
        event = await self.event("avatar.face.updated", since)
        if event is None or event.body["mode"] != mode:
            shown = f"it shows {event.body['mode']}" if event else "it does not answer"
            raise CallError(f"The server does not take the face mode {mode}: {shown}.")

    async def until(self, happened: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `happened()`: looked at on every event and every frame of sound.

        Returns:
            False when `timeout_s` passed first.

        Raises:
            CallError: The call ended first.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not happened():
                    if self._ended:
                        raise CallError("The server ended the call. Its log says why.")
                    await self._changed.wait()
        return happened()

    async def event(self, kind: str, since: int = 0, timeout_s: float = 10.0) -> Event | None:
        """Wait for the first event of type `kind` at index `since` or later; None if none came.

        Raises:
            CallError: The call ended first.
        """

        def find() -> Event | None:
            return next((event for event in self.events[since:] if event.type == kind), None)

        await self.until(lambda: find() is not None, timeout_s)
        return find()

    async def _open_poses(self) -> None:
        """Open the data channel for poses, unless it is open."""
        if self._poses_channel is not None:
            return
        if self._ended or self._peer is None:
            raise CallError("The call has ended.")
        channel = self._peer.createDataChannel(POSES_LABEL, ordered=False, maxRetransmits=0)
        self._poses_channel = channel
        channel.on("message", self._poses.take)
        channel.on("open", self._notify)
        if not await self.until(lambda: channel.readyState == "open", _CONNECT_TIMEOUT_S):
            raise CallError("The data channel for poses does not open.")

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[None]:
        config = await self._signaller.config()
        peer = RTCPeerConnection(RTCConfiguration(iceServers=_ice_servers(config)))
        self._peer = peer
        async with asyncio.TaskGroup() as tasks:
            answer: Answer | None = None
            try:
                answer = await self._dial(peer, tasks)
                pinging = tasks.create_task(self._ping())
                yield
                pinging.cancel()
            finally:
                await self._hang_up(peer, answer)

    async def _dial(self, peer: RTCPeerConnection, tasks: asyncio.TaskGroup) -> Answer:
        audio = peer.addTransceiver(self.microphone, direction="sendrecv")
        video = peer.addTransceiver("video", direction="recvonly")
        prepare(audio.receiver, "audio", self._clock)
        prepare(video.receiver, "video", self._clock, decodes=self._sees)
        if self._signaller.is_local:
            aiortc_private.also_offer_host(audio.sender.transport.transport, "127.0.0.1")
        self._channel = channel = peer.createDataChannel("oai-events")
        opened = asyncio.Event()
        channel.on("open", opened.set)
        channel.on("message", self._receive_event)
        channel.on("close", self._end)

        def listen(track: MediaStreamTrack) -> None:
            tasks.create_task(self._hear(track) if track.kind == "audio" else self._see(track))

        def follow() -> None:
            if peer.connectionState in ("failed", "closed"):
                self._end()

        peer.on("track", listen)
        peer.on("connectionstatechange", follow)
        await peer.setLocalDescription(await peer.createOffer())
        answer = await self._signaller.offer(peer.localDescription.sdp)
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await opened.wait()
        except TimeoutError:
            raise CallError(
                "The server answered, but no media path to it was found. If it is on this "
                "machine, start it with PRESENCIA_RTC__OFFER_LOOPBACK=true; else it needs TURN."
            ) from None
        return answer

    async def _hang_up(self, peer: RTCPeerConnection, answer: Answer | None) -> None:
        self._ended = True
        self.microphone.stop()
        with suppress(TimeoutError, CallError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                if answer:
                    await self._signaller.hang_up(answer)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await peer.close()

    async def _hear(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                media_s = self._clock.seconds("audio", frame.pts or 0)
                heard = self.observer.hear(frame, loop.time(), media_s)
                if self._recorder and heard.media_s is not None and self._clock.ready:
                    self._recorder.hear(heard.pcm, heard.media_s)
                for pose in self._poses.due((frame.pts or 0) + frame.samples):
                    at_s = self._clock.seconds("audio", pose.at_sample)
                    self.observer.pose(pose, loop.time(), at_s)
                self._notify()

    async def _see(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                media_s = self._clock.seconds("video", frame.pts or 0)
                self.observer.see(frame, loop.time(), media_s)
                if self._recorder and media_s is not None and self._clock.ready:
                    self._recorder.see(frame, media_s)

    async def _ping(self) -> None:
        while not self._ended:
            self.send({"type": "avatar.ping"})
            await asyncio.sleep(self._signaller.ping_every_s)

    def _receive_event(self, message: str | bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        try:
            bodies = list(self._signaller.incoming(message))
        except ValueError:
            _log.warning("event is malformed", extra={"bytes": len(message)})
            return
        for body in bodies:
            kind = body["type"]
            if kind != "avatar.pong":
                self._follow(kind, body)
                self.events.append(Event(now_s, kind, body))
                self._notify()

    def _follow(self, kind: str, body: dict[str, Any]) -> None:
        match kind:
            case "response.created":
                self._open.add(f"made {body['response']['id']}")
            case "response.done":
                self._open.discard(f"made {body['response']['id']}")
            case "output_audio_buffer.started":
                self._open.add(f"played {body['response_id']}")
            case "output_audio_buffer.stopped" | "output_audio_buffer.cleared":
                self._open.discard(f"played {body['response_id']}")
            case "avatar.face.updated":
                self.face = body["mode"]

    def _end(self) -> None:
        self._ended = True
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _ice_servers(config: dict[str, Any]) -> list[RTCIceServer]:
    return [
        RTCIceServer(
            urls=server["urls"],
            username=server.get("username"),
            credential=server.get("credential"),
        )
        for server in config.get("ice_servers", [])
    ]
