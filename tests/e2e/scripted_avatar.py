"""A small server that answers by script: a known tone, a known mouth, after known times."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame
from fastapi import FastAPI, Request, Response

from avatar.client.reception import prepare
from avatar.client.sender_clock import SenderClock

RATE_HZ = 48_000
SIZE = 128
FPS = 25
LOUD = 1000


@dataclass
class Script:
    """How the avatar behaves; times in seconds."""

    answers_after_s: float = 0.3
    answer_lasts_s: float = 3.0
    stops_after_s: float = 0.12
    mouth_closes_later_s: float = 0.08
    sound_ahead_s: float = 0.0
    silent: bool = False
    refuses: int | None = None
    transcript: str = "hello there"


@dataclass
class ScriptedAvatar:
    """One call's far end: its sound and mouth at any loop time."""

    script: Script
    origin_s: float = 0.0
    spans: list[list[float]] = field(default_factory=list)  # [start, end] of each answer
    loud_s: float = -1e9
    began_s: float = -1e9
    channel: object = None
    sounded_s: list[float] = field(default_factory=list)  # when each loud packet left
    opened_s: list[float] = field(default_factory=list)  # when each picture with an open mouth left
    closed_s: list[float] = field(default_factory=list)
    late: list[tuple[float, float]] = field(default_factory=list)  # when, and by how much, in s

    def note_lateness(self, due_s):
        now_s = asyncio.get_running_loop().time()
        self.late.append((now_s, now_s - due_s))

    def punctual(self, begin_s, end_s):
        """Whether all that left in a stretch of time left when the script says."""
        return all(late_s < 0.02 for now_s, late_s in self.late if begin_s < now_s < end_s)

    def loudness(self, at_s, *, closing_s=0.0):
        """Syllables, irregular so that only the right lag fits; in [0, 1]."""
        if not any(start <= at_s < end + closing_s for start, end in self.spans):
            return 0.0
        return 0.3 + 0.7 * (0.5 - 0.5 * np.cos(2 * np.pi * (3 * at_s + 0.9 * np.sin(1.7 * at_s))))

    def send(self, kind, **fields):
        self.channel.send(json.dumps({"type": kind, "event_id": "e", **fields}))

    @property
    def answering(self):
        return bool(self.spans) and asyncio.get_running_loop().time() < self.spans[-1][1]

    def hear(self, pcm):
        """Follow the caller's speech: its end, or its start over an answer."""
        now_s = asyncio.get_running_loop().time()
        if np.abs(pcm).max() > LOUD:
            if now_s - self.loud_s > 0.3:
                self.began_s = now_s
            self.loud_s = now_s
            if self.answering and now_s - self.began_s >= self.script.stops_after_s - 0.02:
                self.spans[-1][1] = now_s
                self.finish()
        elif self.began_s > 0 and now_s - self.loud_s > 0.2:
            self.began_s = -1e9
            self.send(
                "conversation.item.input_audio_transcription.completed",
                item_id="i", content_index=0, transcript=self.script.transcript,
            )  # fmt: skip
            if not self.script.silent:
                self.answer(self.loud_s + self.script.answers_after_s)

    def answer(self, start_s):
        end_s = start_s + self.script.answer_lasts_s
        self.spans.append([start_s, end_s])
        self.send("response.created", response={"id": "r"})
        self.send("output_audio_buffer.started", response_id="r")
        rows = {"turn_ended": 90, "final_transcript": 60, "llm_first_token": 100}
        rows |= {"first_clause": 200, "tts_first_audio": 250}
        self.send("avatar.timeline", response_id="r", rows=rows, targets={})

    def finish(self):
        self.send("response.output_audio_transcript.done", item_id="a", transcript="A tone.")
        self.send("output_audio_buffer.stopped", response_id="r")
        self.send("response.done", response={"id": "r", "status": "completed"})

    def receive(self, message):
        event = json.loads(message)
        now_s = asyncio.get_running_loop().time()
        match event["type"]:
            case "avatar.ping":
                self.send("avatar.pong")
            case "response.create":
                self.answer(now_s + self.script.answers_after_s)
            case "session.update":
                self.send("session.updated", session=event["session"])
            case "response.cancel" if self.answering:
                self.spans[-1][1] = now_s
                self.finish()

    async def listen(self, track):
        try:
            while True:
                frame = await track.recv()
                self.hear(frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int32))
                if self.spans and not self.answering and self.spans[-1][1] > self.finished_s:
                    self.finished_s = self.spans[-1][1]
                    if self.channel.readyState == "open":
                        self.finish()
        except MediaStreamError:
            return

    finished_s: float = -1e9


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, avatar):
        super().__init__()
        self.avatar, self.sample = avatar, 0

    async def recv(self):
        loop = asyncio.get_running_loop()
        at_s = self.avatar.origin_s + self.sample / RATE_HZ
        await asyncio.sleep(max(0, at_s - loop.time()))
        self.avatar.note_lateness(at_s)
        if self.readyState != "live":
            raise MediaStreamError
        times = at_s + np.arange(960) / RATE_HZ
        levels = [self.avatar.loudness(t) for t in times[::96]]
        sound = np.repeat(levels, 96) * 8000 * np.sin(2 * np.pi * 1000 * times)
        frame = AudioFrame.from_ndarray(sound.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), self.sample
        self.sample += 960
        if max(levels):
            self.avatar.sounded_s.append(loop.time())
        return frame


class Mouth(MediaStreamTrack):
    """A grey picture whose middle is as bright as the sound is loud."""

    kind = "video"

    def __init__(self, avatar):
        super().__init__()
        self.avatar, self.number = avatar, 0

    async def recv(self):
        at_s = self.avatar.origin_s + self.number / FPS
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0, at_s - loop.time()))
        self.avatar.note_lateness(at_s)
        if self.readyState != "live":
            raise MediaStreamError
        script = self.avatar.script
        openness = self.avatar.loudness(
            at_s - script.sound_ahead_s, closing_s=script.mouth_closes_later_s
        )
        picture = np.full((SIZE * 3 // 2, SIZE), 128, np.uint8)
        picture[32:96, 32:96] = int(40 + 160 * openness)
        frame = VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts, frame.time_base = self.number * 90_000 // FPS, Fraction(1, 90_000)
        self.number += 1
        (self.avatar.opened_s if openness else self.avatar.closed_s).append(loop.time())
        return frame


def read_mouth(luma):
    """How bright the middle of the picture is."""
    return float(luma[40:88, 40:88].mean() - 40) / 160


def application(script):
    """The server's HTTP door, and the peers it has open."""
    app = FastAPI()
    app.state.peers = peers = []
    app.state.avatars = avatars = []

    @app.get("/v1/avatar/config")
    def config():
        return {"name": "Tone", "ice_servers": [], "video": {"width": SIZE, "height": SIZE}}

    @app.get("/v1/avatar/metrics")
    def metrics():
        return {"face_ms_per_frame_cpu": 1.5, "encode_ms_per_frame_cpu": 2.5, "rss_mb": 100.0}

    @app.post("/v1/realtime/calls/1/hangup")
    async def hang_up():
        if not peers:
            return Response(status_code=404)
        await peers.pop().close()
        return Response(status_code=200)

    @app.post("/v1/realtime/calls")
    async def call(request: Request):
        if script.refuses:
            body = {"error": {"code": "x", "message": "Refused by the script."}}
            return Response(json.dumps(body), script.refuses, media_type="application/json")
        avatar = ScriptedAvatar(script, asyncio.get_running_loop().time())
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(peer)
        avatars.append(avatar)

        @peer.on("datachannel")
        def opened(channel):
            avatar.channel = channel
            channel.on("message", avatar.receive)

        tasks = []

        @peer.on("track")
        def listen(track):
            if track.kind == "audio":
                tasks.append(asyncio.get_running_loop().create_task(avatar.listen(track)))

        offer = RTCSessionDescription((await request.body()).decode(), "offer")
        await peer.setRemoteDescription(offer)
        for transceiver in peer.getTransceivers():
            if transceiver.kind == "audio":
                prepare(transceiver.receiver, "audio", SenderClock())
            track = Tone(avatar) if transceiver.kind == "audio" else Mouth(avatar)
            transceiver.sender.replaceTrack(track)
            transceiver.direction = "sendrecv" if transceiver.kind == "audio" else "sendonly"
        await peer.setLocalDescription(await peer.createAnswer())
        location = {"Location": "/v1/realtime/calls/1"}
        sdp = peer.localDescription.sdp
        return Response(sdp, 201, location, media_type="application/sdp")

    return app


@asynccontextmanager
async def serving(script):
    """Serve the script; yields the URL, and what is open and was done."""
    app = application(script)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn tells by this flag alone
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}", app.state
        finally:
            server.should_exit = True
            await task
