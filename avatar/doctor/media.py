"""Media: the codecs of a call, and a call without an avatar from this machine to the server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from fractions import Fraction

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from avatar.doctor.findings import Finding, failed, good
from avatar.rtc import aiortc_private
from avatar.rtc.encoders import OpusEncoder, video_encoder
from avatar.rtc.tracks import FRAME_SAMPLES, VIDEO_CLOCK_HZ
from render.types import SPEECH_CLOCK_HZ

_CONNECTS_WITHIN_S = 12.0
_HEARS_WITHIN_S = 8.0
_HEARD_MS = 200
_SIZE_PX = 128

Answer = Callable[[str], Awaitable[str]]


def codecs() -> Finding:
    """Encode a moment with every codec that a call may use."""
    broken = []
    sound = av.AudioFrame.from_ndarray(np.zeros((1, FRAME_SAMPLES), np.int16), "s16", "mono")
    sound.sample_rate, sound.time_base, sound.pts = SPEECH_CLOCK_HZ, Fraction(1, SPEECH_CLOCK_HZ), 0
    picture = av.VideoFrame.from_ndarray(
        np.full((_SIZE_PX * 3 // 2, _SIZE_PX), 128, np.uint8), "yuv420p"
    )
    picture.time_base, picture.pts = Fraction(1, VIDEO_CLOCK_HZ), 0
    try:
        OpusEncoder().encode(sound, keyframe=False)
    except av.FFmpegError as error:
        broken.append(f"Opus: {error}")
    for mime_type in ("video/VP8", "video/H264"):
        try:
            encoded = video_encoder(mime_type, 500_000).encode(picture, keyframe=True)
            if not encoded.payloads:
                broken.append(f"{mime_type}: nothing came out")
        except av.FFmpegError as error:
            broken.append(f"{mime_type}: {error}")
    if broken:
        fix = "Install PyAV's own wheel again: pip install --force-reinstall av."
        return failed("codecs", "; ".join(broken), fix)
    return good("codecs", "Opus, VP8 and H.264 encode")


async def webrtc_loop(answer: Answer, *, offer_loopback: bool) -> Finding:
    """Call, hear the tone, see a picture, and ask what was heard at the other end.

    Args:
        answer: Gives the server's answer to an offer; raises PresenciaError where it can't.
        offer_loopback: Also try 127.0.0.1, for a server on this machine.
    """
    caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        async with asyncio.timeout(_CONNECTS_WITHIN_S):
            trial = await _Trial.begin(caller, answer, offer_loopback=offer_loopback)
        connected_ms = 1000 * (loop.time() - began_s)
        async with asyncio.timeout(_HEARS_WITHIN_S):
            await trial.hear_both_ways()
    except (TimeoutError, MediaStreamError):
        return _blocked(caller)
    finally:
        await caller.close()
    return good("webrtc over udp", f"sound and picture both ways, {connected_ms:.0f} ms to connect")


class _Trial:
    """One call's near end."""

    def __init__(self, caller: RTCPeerConnection) -> None:
        self._channel = caller.createDataChannel("oai-events")
        self._opened = asyncio.Event()
        self._replies: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._tracks: list[MediaStreamTrack] = []
        self._channel.on("open", self._opened.set)
        self._channel.on("message", lambda text: self._replies.put_nowait(json.loads(text)))
        caller.on("track", self._tracks.append)

    @classmethod
    async def begin(
        cls, caller: RTCPeerConnection, answer: Answer, *, offer_loopback: bool
    ) -> "_Trial":
        """Call, and wait until the data channel is open."""
        trial = cls(caller)
        caller.addTrack(AudioStreamTrack())
        caller.addTransceiver("video", "recvonly")
        if offer_loopback:
            transport = caller.getTransceivers()[0].sender.transport.transport
            aiortc_private.also_offer_host(transport, "127.0.0.1")
        await caller.setLocalDescription(await caller.createOffer())
        sdp = await answer(caller.localDescription.sdp)
        await caller.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await trial._opened.wait()
        return trial

    async def hear_both_ways(self) -> None:
        """Wait for sound and picture here, and for the other end to have heard us."""
        for track in self._tracks:
            await track.recv()
        heard_ms = 0
        while heard_ms < _HEARD_MS:
            self._channel.send("heard?")
            heard_ms = int(str((await self._replies.get())["heard_ms"]))
            await asyncio.sleep(_HEARD_MS / 4000)


def _blocked(caller: RTCPeerConnection) -> Finding:
    if caller.connectionState == "connected":
        return failed(
            "webrtc over udp",
            "connected, but sound or picture stayed away",
            "Look at the server's log with --verbose, and at what else this machine computes.",
        )
    return failed(
        "webrtc over udp",
        "no packet found a way from this machine to the server",
        "Let UDP to the ephemeral ports in at the firewall; on a machine without a network "
        "interface set rtc.offer_loopback = true (docs/network.md).",
    )
