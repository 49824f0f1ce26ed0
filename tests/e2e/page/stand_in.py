"""A small server that speaks docs/protocol.md, for tests of the page alone.

It answers real WebRTC offers with a silent voice and a moving picture, says only what a test tells
it to, and keeps what the page sent. Tests call it from their own thread.
"""

import asyncio
import email
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from fractions import Fraction
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import uvicorn
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

Mode = Literal["open", "full", "loading", "refusing", "queueing"]
WEB_CLIENT = Path(__file__).parents[3] / "web_client"
FACES = WEB_CLIENT.parent / "models" / "faces"
FACES_URL = "/v1/avatar/faces"
AVATAR = {"face": {"name": "elena", "url": f"{FACES_URL}/elena/"}}
SESSION = {"avatar": AVATAR}
TICKET = "ticket1"
RETRY_AFTER_S = 5
PICTURES_PER_S = 10
PATIENCE_S = 90.0
"""For what takes a moment where nothing else runs: a starved machine fails no test."""
REFUSAL = "The stand-in says no."
CONFIG = {
    "name": "Elena",
    "disclosure": "Elena is an AI. Her face, her voice and her words are made by a computer.",
    "languages": ["en", "es"],
    "language": "en",
    "ice_servers": [],
    "video": {"width": 512, "height": 512},
}


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = PATIENCE_S) -> None:
    """Wait in a test's thread.

    Raises:
        TimeoutError: Naming `what` did not come.
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {limit_s} s")
        time.sleep(0.02)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A plain web server for a page of another origin; yields its URL."""
    app = FastAPI()
    app.mount("/", StaticFiles(directory=folder, html=True))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "a port")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


class Picture(MediaStreamTrack):
    """The poster, swaying a little."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        poster = cv2.imread(str(WEB_CLIENT / "poster.webp"))
        assert poster is not None
        self._poster = cv2.resize(poster, (512, 512), interpolation=cv2.INTER_AREA)
        self._count = 0
        self._began_s = 0.0

    async def recv(self) -> VideoFrame:
        """Give the next of 10 frames a second: more would cost tests of the page their machine."""
        loop = asyncio.get_running_loop()
        self._began_s = self._began_s or loop.time()
        await asyncio.sleep(self._began_s + self._count / PICTURES_PER_S - loop.time())
        if self.readyState != "live":
            raise MediaStreamError
        sway = 2 * np.sin(self._count / 7)
        shift = np.array([[1, 0, sway], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(self._poster, shift, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        frame = VideoFrame.from_ndarray(moved.astype(np.uint8, copy=False), format="bgr24")
        frame.pts = self._count * 90_000 // PICTURES_PER_S
        frame.time_base = Fraction(1, 90_000)
        self._count += 1
        return frame


class StandInCall:
    """One call as the server sees it."""

    def __init__(
        self,
        call_id: str,
        loop: asyncio.AbstractEventLoop,
        language: str,
        avatar: dict[str, object],
    ) -> None:
        self.id = call_id
        self.language = language
        self.may_come_back = False  # left, not ended
        self._avatar = avatar
        self.events: list[dict[str, object]] = []
        self.has_hung_up = False
        self.poses: RTCDataChannel | None = None
        self.loudest = 0  # highest sample heard since a test last set it to 0
        self.heard = 0  # frames of sound
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._loop = loop
        self._channel: RTCDataChannel | None = None
        self._listening: asyncio.Task[None] | None = None
        self.pc.on("datachannel", self._open)
        self.pc.on("track", self._listen)

    def send(self, type_: str, **fields: object) -> None:
        """Send the page an event."""
        self.send_raw(json.dumps({"type": type_, "event_id": "event", **fields}))

    def send_raw(self, message: str | bytes) -> None:
        """Send the page anything."""
        wait_until(lambda: self._channel is not None, "the data channel")
        assert self._channel is not None
        self._loop.call_soon_threadsafe(self._channel.send, message)

    def say(self, *clauses: str, item_id: str = "answer") -> None:
        """Speak, as far as captions go."""
        self.send("avatar.state", state="speaking")
        for clause in clauses:
            self.send("response.output_audio_transcript.delta", item_id=item_id, delta=clause)

    def hear(self, words: str, item_id: str, *, final: bool = True) -> None:
        """Recognise what the person says."""
        if final:
            done = "conversation.item.input_audio_transcription.completed"
            self.send("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
            self.send(done, item_id=item_id, content_index=0, transcript=words)
        else:
            self.send("avatar.input_transcript.interim", item_id=item_id, text=words)

    @property
    def can_draw(self) -> bool:
        """Whether the page takes poses."""
        return self.poses is not None and self.poses.readyState == "open"

    def send_pose(self, message: bytes) -> None:
        """Send the page a pose, or anything in its place."""
        wait_until(lambda: self.can_draw, "the channel for poses")
        assert self.poses is not None
        self._loop.call_soon_threadsafe(self.poses.send, message)

    def show_face(self, mode: str, reason: str = "chosen", frame_rate: int = 25) -> None:
        """Say who draws the face."""
        self.send("avatar.face.updated", mode=mode, reason=reason, frame_rate=frame_rate)

    def cut_off(self) -> None:
        """Vanish, as a server that is restarted does."""
        asyncio.run_coroutine_threadsafe(self.close(), self._loop).result(PATIENCE_S)

    def received(self, type_: str) -> list[dict[str, object]]:
        """Events of this type that the page sent."""
        return [event for event in self.events if event["type"] == type_]

    async def close(self) -> None:
        """End the connection."""
        if self._listening:
            self._listening.cancel()
        await self.pc.close()

    def _open(self, channel: RTCDataChannel) -> None:
        if channel.label == "avatar.poses":
            self.poses = channel
            return
        self._channel = channel
        channel.on("message", self._receive)
        session = {"avatar": self._avatar}
        channel.send(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
        channel.send(json.dumps({"type": "avatar.state", "event_id": "e", "state": "listening"}))

    def _receive(self, message: str) -> None:
        event = json.loads(message)
        self.events.append(event)
        if event["type"] == "avatar.ping" and self._channel:
            self._channel.send(json.dumps({"type": "avatar.pong", "event_id": "e"}))

    def _listen(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._listening = self._loop.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                peak = int(np.abs(frame.to_ndarray().astype(np.int32)).max())
                self.loudest = max(self.loudest, peak)
                self.heard += 1
        except MediaStreamError:
            return


class StandIn:
    """The server. `with StandIn() as server:` runs it in a thread of its own."""

    def __init__(self) -> None:
        self.mode: Mode = "open"
        self.calls: list[StandInCall] = []
        self.offers = 0
        self.config: dict[str, object] = dict(CONFIG)
        self.session: dict[str, object] = {}  # what the newest call asked for
        self.keys: list[str] = []  # those shown, call by call
        self.resumes = False  # whether calls that were lost can be gone on with
        self.tokens: set[str] = set()
        self.connects = True  # whether a call's answer leads anywhere
        self.place = 0  # in line; 0: it is free
        self.wait_s = 120.0
        self.waiting = 0  # how many stand in line
        self._app = self._routes()
        self._server = uvicorn.Server(
            uvicorn.Config(self._app, port=0, log_level="warning", lifespan="off")
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "StandIn":
        self._thread.start()
        wait_until(lambda: self._server.started, "the stand-in's port")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    @property
    def url(self) -> str:
        """Where the page is."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/"

    @property
    def call(self) -> StandInCall:
        """The newest call, once there is one."""
        wait_until(lambda: bool(self.calls), "a call")
        return self.calls[-1]

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        finally:
            for call in self.calls:
                await call.close()

    def _routes(self) -> FastAPI:
        app = FastAPI()
        app.get("/v1/avatar/config")(lambda: self.config)
        app.get("/v1/health/ready")(self._ready)
        app.add_middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Location", "Retry-After"],
        )
        app.post("/v1/realtime/calls")(self._answer)
        app.get("/v1/realtime/queue/{ticket}")(self._standing)
        app.delete("/v1/realtime/queue/{ticket}")(self._leave_line)
        app.post("/v1/realtime/calls/{call_id}/hangup")(self._hang_up)
        app.mount(FACES_URL, StaticFiles(directory=FACES))
        app.mount("/", StaticFiles(directory=WEB_CLIENT, html=True))
        return app

    async def _ready(self) -> Response:
        if self.mode == "loading":
            return JSONResponse({"status": "loading", "detail": "speech"}, 503)
        return JSONResponse({"status": "ok"})

    async def _standing(self) -> Response:
        self.waiting = max(self.waiting, 1)
        status = "waiting" if self.place else "ready"
        body = {"status": status, "place": self.place, "expected_wait_s": self.wait_s}
        return JSONResponse({"object": "avatar.queue.ticket", "ticket": TICKET, **body})

    async def _leave_line(self) -> Response:
        self.waiting = 0
        return Response(status_code=204)

    async def _hang_up(self, call_id: str, resume: str = "") -> Response:
        for call in self.calls:
            if call.id == call_id:
                call.may_come_back = resume == "true"
                call.has_hung_up = not call.may_come_back
                await call.close()
        return Response()

    async def _answer(self, request: Request) -> Response:
        self.offers += 1
        if self.mode == "full":
            return _error(429, "server_full", {"Retry-After": str(RETRY_AFTER_S)})
        if self.mode == "loading":
            return _error(503, "not_ready", {})
        if self.mode == "refusing":
            return _error(400, "invalid_sdp", {})
        form = _parts(request.headers["content-type"], await request.body())
        self.session = session = json.loads(form["session"])
        self.keys.append(request.headers.get("authorization", ""))
        asked = session.get("avatar", {})
        if self.mode == "queueing" and (self.place or asked.get("ticket") != TICKET):
            standing = await self._standing()
            return Response(standing.body, 202, media_type="application/json")
        token = asked.get("resume_token")
        if token and token not in self.tokens:
            return _error(410, "resume_expired", {})
        asked_audio = session.get("audio", {"input": {"transcription": {"language": "en"}}})
        language = asked_audio["input"]["transcription"]["language"]
        avatar: dict[str, object] = dict(AVATAR)
        if self.resumes:
            resume = {"token": f"token of call {self.offers}", "expires_in_s": 120}
            avatar |= {"resume": resume, "resumed": bool(token)}
            self.tokens = {str(resume["token"])} | (set() if self.connects else self.tokens)
        loop = asyncio.get_running_loop()
        call = StandInCall(f"call{self.offers}", loop, language, avatar)
        self.calls.append(call)
        await call.pc.setRemoteDescription(RTCSessionDescription(form["sdp"], "offer"))
        call.pc.addTrack(AudioStreamTrack())
        if "m=video" in form["sdp"]:
            call.pc.addTrack(Picture())
        await call.pc.setLocalDescription(await call.pc.createAnswer())
        location = {"Location": f"/v1/realtime/calls/{call.id}"}
        sdp = call.pc.localDescription.sdp
        if not self.connects:
            sdp = re.sub(r"(a=ice-pwd:)\S+", r"\1" + "wrong" * 5, sdp)
        return Response(sdp, 201, location, media_type="application/sdp")


def _error(status: int, code: str, headers: dict[str, str]) -> Response:
    error = {
        "type": "server_error",
        "code": code,
        "message": REFUSAL,
        "param": None,
    }
    return JSONResponse({"error": error}, status, headers)


def _parts(content_type: str, body: bytes) -> dict[str, str]:
    """Fields of a multipart form."""
    form = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields = {}
    for part in form.get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(payload, bytes)
        fields[name] = payload.decode()
    return fields
