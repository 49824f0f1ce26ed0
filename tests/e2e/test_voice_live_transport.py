"""The avatar's connection of a Voice Live call, with a real peer and no models."""

import asyncio
import contextlib
from pathlib import Path

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from starlette.websockets import WebSocketState

from avatar.playout import FRAME_SAMPLES, Playout
from avatar.protocol.voice_live.signalling import unwrap
from avatar.protocol.voice_live.transport import VoiceLiveTransport
from avatar.rtc.aiortc_private import also_offer_host
from avatar.rtc.clock import MediaClock
from avatar.websocket.line import WebSocketLine
from render.types import VisemeTrack
from speech.types import AudioFrame, SpeechChunk
from tests.e2e.rtc_client import SETTINGS, pictures, until

pytestmark = pytest.mark.e2e

CHROMIUM = (Path(__file__).parents[1] / "data" / "chromium_offer.sdp").read_bytes().decode()
TONE_S = 12


class Socket:
    """A WebSocket from which nothing comes."""

    application_state = WebSocketState.CONNECTED

    async def receive_text(self):
        await asyncio.Event().wait()

    async def send_text(self, text):
        pass

    async def close(self):
        pass


class Session:
    """What the transport needs of a session and a dialect."""

    def __init__(self, clock):
        self.clock, self.answers, self.refusals = clock, asyncio.Queue(), []
        self.changes, self.moves = 0, 0

    def new_frames(self):
        return pictures(self.clock)

    def transport_changed(self):
        self.changes += 1

    def connecting(self, server_sdp):
        self.answers.put_nowait(server_sdp)

    def refuse_offer(self, message):
        self.refusals.append(message)

    def moved(self):
        self.moves += 1


class Viewer:
    """A client's end of the avatar's connection."""

    def __init__(self, tasks):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.loud, self.seen = 0, 0
        self.pc.on("track", lambda track: tasks.create_task(self.watch(track)))
        video = self.pc.addTransceiver("video", "recvonly")
        self.pc.addTransceiver("audio", "recvonly")
        also_offer_host(video.receiver.transport.transport, "127.0.0.1")

    async def watch(self, track):
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.seen += 1
                elif np.abs(frame.to_ndarray().astype(np.int32)).max() > 3000:
                    self.loud += 1

    async def connect(self, transport, session, **options):
        options = {"bitrate_bps": 300_000, "prefers_h264": False, **options}
        await self.pc.setLocalDescription(await self.pc.createOffer())
        transport.ask(unwrap(self.pc.localDescription.sdp), **options)
        answer = await session.answers.get()
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))


@contextlib.asynccontextmanager
async def speaking():
    """A call that speaks a long tone over its WebSocket."""
    clock, playout = MediaClock(), Playout(limit_s=2 * TONE_S)
    line, session = WebSocketLine(Socket()), Session(clock)
    transport = VoiceLiveTransport(line, SETTINGS).connect(playout, pictures(clock), clock)
    transport.signals = transport.stage = session
    wave = 12_000 * np.sin(2 * np.pi * 440 * np.arange(48_000 * TONE_S) / 48_000)
    chunk = SpeechChunk("Ah.", AudioFrame(wave.astype(np.int16), 48_000))
    await playout.push(chunk, VisemeTrack(np.zeros((1, 52), np.float32)))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(transport.run())
        yield transport, line, session, playout, tasks
        await transport.close()
        await running


@pytest.mark.parametrize("prefers_h264", [False, True], ids=["vp8", "h264"])
def test_sound_moves_to_the_avatars_connection_and_back_and_again(prefers_h264):
    async def scenario():
        async with speaking() as (transport, line, session, playout, tasks):
            by_message = []
            line.on_sound = lambda pcm: by_message.append(playout.position)
            await until(lambda: len(by_message) > 25, "sound by message")

            viewer = Viewer(tasks)
            await viewer.connect(transport, session, prefers_h264=prefers_h264)
            await until(lambda: viewer.seen > 20 and viewer.loud > 20, "sound and picture")
            assert (transport.is_up, transport.takes_video) == (True, True)
            codec = "video/H264" if prefers_h264 else "video/VP8"
            used = viewer.pc.getTransceivers()[0].receiver._RTCRtpReceiver__codecs
            assert next(iter(used.values())).mimeType == codec
            assert line._plays.is_set() is False

            await viewer.pc.close()
            await until(lambda: not transport.is_up, "the end of the picture")
            before = len(by_message)
            await until(lambda: len(by_message) > before + 10, "sound by message again")
            assert not transport.takes_video

            again = Viewer(tasks)
            await again.connect(transport, session)
            await until(lambda: again.seen > 5 and transport.is_up, "the picture again")
            await again.pc.close()
            await until(lambda: not transport.is_up, "its end")

            assert (np.diff(by_message) == FRAME_SAMPLES).all()  # whichever way it went
            assert session.moves == playout.position // FRAME_SAMPLES
            assert session.refusals == []

    asyncio.run(scenario())


def test_an_offer_that_can_not_be_answered_is_refused_and_the_next_one_is_taken(monkeypatch):
    async def broken(*_):
        raise AttributeError("nobody foresaw this")

    async def scenario():
        async with speaking() as (transport, _, session, _, tasks):
            transport.ask(unwrap("v=0\r\n"), bitrate_bps=300_000, prefers_h264=False)
            await until(lambda: session.refusals, "a refusal")
            with monkeypatch.context() as aiortc:
                aiortc.setattr(RTCPeerConnection, "createAnswer", broken)
                transport.ask(unwrap(CHROMIUM), bitrate_bps=300_000, prefers_h264=False)
                await until(lambda: len(session.refusals) == 2, "another")
            viewer = Viewer(tasks)
            await viewer.connect(transport, session)
            await until(lambda: transport.is_up, "the connection")
            await viewer.pc.close()

    asyncio.run(scenario())


def test_an_error_of_ours_ends_the_call_and_frees_it():
    async def scenario():
        clock = MediaClock()
        transport = VoiceLiveTransport(WebSocketLine(Socket()), SETTINGS)
        transport.connect(Playout(), pictures(clock), clock)
        transport.signals = transport.stage = session = Session(clock)
        session.new_frames = lambda: 1 / 0
        transport.ask(unwrap("v=0\r\n"), bitrate_bps=300_000, prefers_h264=False)
        with pytest.raises(ExceptionGroup):
            await transport.run()
        assert transport.closed.is_set()

    asyncio.run(scenario())
