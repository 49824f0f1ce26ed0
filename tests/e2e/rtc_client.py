"""A WebRTC client of our own, for tests: an aiortc peer that calls a `Peer` in the same process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket, RtpPacket

from avatar.rtc import aiortc_private
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from avatar.settings import RtcSettings
from render.types import VideoFrame

FRAME = 960
SETTINGS = RtcSettings(offer_loopback=True)
PATIENCE_S = 120.0
"""For what takes a moment where nothing else runs: a starved machine fails no test."""


async def until(condition: Callable[[], bool], what: str, limit_s: float = PATIENCE_S) -> None:
    """Wait for what has no event to wait for."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + limit_s
    while not condition():
        assert loop.time() < deadline_s, f"not within {limit_s} s: {what}"
        await asyncio.sleep(0.02)


def beep_at(frame: int) -> bool:
    """Whether the frame with this number holds a beep: one of 20 ms every 200 ms."""
    return frame % 10 == 0


def beeps(frame: int) -> np.ndarray:
    """20 ms of audio: a 1 kHz beep or silence, int16 (960,)."""
    tone = 12_000 * np.sin(2 * np.pi * 1000 * np.arange(FRAME) / 48_000)
    return (tone if beep_at(frame) else np.zeros(FRAME)).astype(np.int16)


class Beeps:
    """The avatar's voice: a beep every 200 ms."""

    def __init__(self) -> None:
        self.frames = 0

    def next_frame(self) -> np.ndarray:
        self.frames += 1
        return beeps(self.frames - 1)


class Microphone(MediaStreamTrack):
    """The person's microphone: a beep every 200 ms, or whatever `sound` gives."""

    kind = "audio"

    def __init__(self, sound: Callable[[int], np.ndarray] = beeps) -> None:
        super().__init__()
        self._sound = sound
        self.sent_s: list[float] = []

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        n = len(self.sent_s)
        if n:
            await asyncio.sleep(max(0, self.sent_s[0] + n * 0.02 - loop.time()))
        self.sent_s.append(loop.time())
        frame = av.AudioFrame.from_ndarray(self._sound(n)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, n * FRAME
        return frame


async def pictures(clock: MediaClock, fps: int = 25, size: int = 128):
    """Grey pictures that grow brighter, paced by the clock; white at every beep."""
    await clock.started()
    n = 0
    while True:
        sample = n * 48_000 // fps
        await clock.reach(sample)
        yield VideoFrame(np.full((size * 3 // 2, size), 40 + n % 100, np.uint8), sample)
        n += 1


@dataclass
class Client:
    """What the client's end of a call has and has seen."""

    pc: RTCPeerConnection
    peer: Peer
    microphone: Microphone
    clock: MediaClock
    messages: list[str]
    frames: dict[str, list[tuple[float, av.AudioFrame | av.VideoFrame]]] = field(
        default_factory=lambda: {"audio": [], "video": []}
    )
    packets: dict[str, list[RtpPacket]] = field(default_factory=lambda: {"audio": [], "video": []})
    reports: dict[str, list[tuple[float, RtcpSrPacket]]] = field(
        default_factory=lambda: {"audio": [], "video": []}
    )
    arrived: list[int] = field(default_factory=list)
    """Sequence numbers of the microphone's packets, as they came to the peer."""
    lost: int = 0
    """RTP packets that were sent and never arrived."""

    async def has_seen(self, pictures: int) -> None:
        """Wait until so many pictures have come, since the beginning."""
        seen = self.frames["video"]
        await until(lambda: len(seen) >= pictures, f"{pictures} pictures")

    def watch(self, kind: str) -> None:
        """Note every packet and sender report of one kind of media."""
        receiver = next(r for r in self.pc.getReceivers() if r.track and r.track.kind == kind)
        take_rtp, take_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def note_rtp(packet: RtpPacket, arrival_time_ms: int) -> None:
            self.packets[kind].append(packet)
            await take_rtp(packet, arrival_time_ms)

        async def note_rtcp(packet: object) -> None:
            if isinstance(packet, RtcpSrPacket):
                self.reports[kind].append((asyncio.get_running_loop().time(), packet))
            await take_rtcp(packet)

        receiver._handle_rtp_packet, receiver._handle_rtcp_packet = note_rtp, note_rtcp

    def note_arrivals(self) -> None:
        """Fill `arrived`; from before the first packet, so that its places are packets' numbers."""
        take = self.peer._microphone.take

        def note(packet: RtpPacket) -> None:
            self.arrived.append(packet.sequence_number)
            take(packet)

        self.peer._microphone.take = note

    async def drain(self, track: MediaStreamTrack) -> None:
        """Keep what arrives on a track until it ends."""
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.frames[track.kind].append((asyncio.get_running_loop().time(), frame))


async def offer(
    pc: RTCPeerConnection,
    microphone: Microphone | None,
    video: str | None = "video/VP8",
    messages: list[str] | None = None,
) -> str:
    """Make the offer that our page makes: audio, the face, the event channel.

    The channel is made last: aiortc drops a bundle whose transport the channel made.
    """
    line = pc.addTransceiver(microphone or "audio", "sendrecv" if microphone else "recvonly")
    aiortc_private.also_offer_host(line.sender.transport.transport, "127.0.0.1")
    if video:
        face = pc.addTransceiver("video", "recvonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        face.setCodecPreferences([c for c in codecs if c.mimeType in (video, "video/rtx")])
    channel = pc.createDataChannel("oai-events")
    channel.on("message", [].append if messages is None else messages.append)
    channel.on("open", lambda: channel.send("hello"))
    await pc.setLocalDescription(await pc.createOffer())
    return pc.localDescription.sdp


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )


@contextlib.asynccontextmanager
async def call(
    *,
    sound: Callable[[int], np.ndarray] = beeps,
    video: str | None = "video/VP8",
    lose: Callable[[int], bool] = lambda n: False,
    settings: RtcSettings = SETTINGS,
) -> AsyncIterator[Client]:
    """A connected call. `lose` says which of the client's RTP packets never arrive."""
    pc, microphone, clock = connection(), Microphone(sound), MediaClock()
    messages: list[str] = []
    sdp = await offer(pc, microphone, video, messages)
    face = pictures(clock) if video else None
    peer = await Peer.answer(sdp, audio=Beeps(), video=face, clock=clock, settings=settings)
    client = Client(pc, peer, microphone, clock, messages)
    client.note_arrivals()
    _drop(client, lose)
    try:
        async with asyncio.TaskGroup() as group:
            pc.on("track", lambda track: group.create_task(client.drain(track)))
            pc.on("track", lambda track: client.watch(track.kind))
            await pc.setRemoteDescription(RTCSessionDescription(peer.answer_sdp, "answer"))
            await asyncio.wait_for(peer.connected.wait(), PATIENCE_S)
            yield client
            await pc.close()
            await peer.close()
    finally:
        await pc.close()
        await peer.close()


def _drop(client: Client, lose: Callable[[int], bool]) -> None:
    transport = client.pc.getSenders()[0].transport
    send, count = transport._send_rtp, iter(range(10**9))

    async def send_or_lose(data: bytes) -> None:
        is_rtp = not 192 <= data[1] <= 223  # RFC 5761, section 4
        if is_rtp and lose(next(count)):
            client.lost += 1
        else:
            await send(data)

    transport._send_rtp = send_or_lose
