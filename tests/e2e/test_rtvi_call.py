"""SmallWebRTC and WHEP over real connections, with stages that follow a script: no models.

What the JavaScript client sends is sent by aiortc: an offer without addresses, addresses by PATCH,
and a channel named `chat`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from aiortc import RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from avatar.access.settings import AccessSettings
from avatar.calls import Calls
from avatar.routes.state import State
from avatar.rtc import aiortc_private
from avatar.server import create_app
from avatar.settings import RtcSettings, Settings, WatchingSettings
from render.types import VideoFrame
from speech.types import Transcript
from tests.e2e.rtc_client import FRAME, Microphone, connection, until
from tests.e2e.test_whep import Viewer
from tests.session.held_calls import engines

pytestmark = pytest.mark.e2e

STORY, STOP = "tell me a story", "that is enough"
LONG = (
    "Well, once upon a time there was a little boat. It sailed far across the wide blue sea. " * 4
)


class ByLoudness:
    """Hears one thing in a soft tone and another in a loud one."""

    interim_every_s = 0.32

    async def recognize(self, pcm, draft=None):
        await asyncio.sleep(0.02)
        return Transcript(STOP if np.abs(pcm).max() > 12_000 else STORY, "en")


class Grey:
    """Draws nothing but grey."""

    async def render(self, poses):
        async for pose in poses:
            yield VideoFrame(np.full((192, 128), 90, np.uint8), pose.at_sample)


@contextlib.asynccontextmanager
async def grey():
    yield Grey()


@contextlib.asynccontextmanager
async def serving(replies: list[str]) -> AsyncIterator[tuple[httpx.AsyncClient, Calls, list]]:
    """A server on loopback: its HTTP, its calls, and what its language model was asked."""
    settings = Settings(
        access=AccessSettings(keys_file=Path("/nonexistent/keys.json")),
        rtc=RtcSettings(offer_loopback=True),
        watching=WatchingSettings(enabled=True),
    )
    prompts: list = []
    hears = {"en": ByLoudness(), "es": ByLoudness()}
    stages = replace(engines(replies, prompts), recognizers=hears, renderer=grey)
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(settings, stages, tasks)
        app = create_app(settings, State(calls))
        http = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        served = tasks.create_task(http.serve())
        while not http.started:  # noqa: ASYNC110 - uvicorn tells by this flag alone
            await asyncio.sleep(0.01)
        port = http.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client, calls, prompts
        finally:
            calls.hang_up_all()
            http.should_exit = True
            await served


@dataclass
class Phone:
    """A Pipecat client: what it was told, and how loudly it speaks."""

    http: httpx.AsyncClient
    seen: list[dict] = field(default_factory=list)
    loudness: int = 0
    pc_id: str | None = None
    pictures: int = 0

    def __post_init__(self):
        self.pc = connection()
        self.channel = None

    def tone(self, n: int) -> np.ndarray:
        at = np.arange(FRAME) + n * FRAME
        return (self.loudness * np.sin(2 * np.pi * 300 * at / 48_000)).astype(np.int16)

    async def dial(self, group: asyncio.TaskGroup, *, anew: bool = False, **wishes) -> None:
        line = self.pc.addTransceiver(Microphone(self.tone), "sendrecv")
        aiortc_private.also_offer_host(line.sender.transport.transport, "127.0.0.1")
        self.pc.addTransceiver("video", "recvonly")
        self.channel = self.pc.createDataChannel("chat")
        self.channel.on("message", lambda text: self.seen.append(json.loads(text)))
        self.pc.on("track", lambda track: group.create_task(self.drain(track)))
        await self.pc.setLocalDescription(await self.pc.createOffer())
        lines = self.pc.localDescription.sdp.splitlines(True)
        found = [line for line in lines if line.startswith("a=candidate")]
        sdp = "".join(line for line in lines if "candidate" not in line)
        body = {"sdp": sdp, "type": "offer", "pc_id": self.pc_id, "restart_pc": anew}
        answer = await self.http.post("/api/offer", json=body | {"requestData": wishes})
        assert answer.status_code == 200, answer.text
        self.pc_id = answer.json()["pc_id"]
        description = RTCSessionDescription(answer.json()["sdp"], "answer")
        await self.pc.setRemoteDescription(description)
        candidates = [{"candidate": c, "sdp_mid": "0", "sdp_mline_index": 0} for c in found]
        late = {"pc_id": self.pc_id, "candidates": candidates}
        assert (await self.http.patch("/api/offer", json=late)).status_code == 200
        await until(lambda: self.channel.readyState == "open", "the channel is open")
        self.channel.send("ping: 1764345600000")

    async def drain(self, track) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()
                self.pictures += track.kind == "video"

    def sends(self, kind: str, data: dict) -> None:
        message = {"label": "rtvi-ai", "type": kind, "id": kind, "data": data}
        self.channel.send(json.dumps(message))

    def of(self, kind: str) -> list[dict]:
        return [message.get("data") for message in self.seen if message["type"] == kind]

    def said(self) -> list[str]:
        return [data["text"] for data in self.of("user-transcription") if data["final"]]

    def says_now(self, words: str) -> bool:
        return any(data["text"].startswith(words) for data in self.of("bot-output"))

    def ours(self, kind: str) -> list[dict]:
        return [data for data in self.of("server-message") if data["type"] == kind]

    async def says(self, loudness: int, seconds: float) -> None:
        self.loudness = loudness
        await asyncio.sleep(seconds)
        self.loudness = 0

    async def hears(self, kind: str, times: int = 1) -> None:
        await until(lambda: len(self.of(kind)) >= times, f"{times} of {kind}")


def test_a_spoken_conversation_is_interrupted_and_goes_on_over_a_new_connection():
    async def scenario():
        async with (
            serving([LONG, "As you like."]) as (http, calls, prompts),
            asyncio.TaskGroup() as group,
        ):
            phone = Phone(http)
            await phone.dial(group)
            phone.sends("client-ready", {"version": "2.1.0"})
            await phone.hears("bot-ready")
            await phone.hears("bot-llm-stopped")  # it has greeted
            await phone.says(6000, 1.0)
            await until(lambda: STORY in phone.said(), "the first turn")
            await until(lambda: phone.says_now("It sailed"), "the second sentence")
            await phone.says(16_000, 1.0)
            await phone.hears("bot-interrupted")
            await until(lambda: STOP in phone.said(), "the second turn")
            await phone.hears("bot-llm-stopped", 3)
            cut = [o for o in phone.of("bot-output") if o["spoken_status"] == "in-progress"]
            assert cut[0]["spoken_progress"]["remaining_text"]
            assert phone.pictures > 10
            old = phone.pc
            phone.pc = connection()
            pictures = phone.pictures
            await phone.dial(group, anew=True)
            await old.close()
            phone.sends("send-text", {"content": "Are you there?", "options": {}})
            await phone.hears("bot-llm-stopped", 4)
            await until(lambda: phone.pictures > pictures + 5, "pictures")
            words = [message.content for message in prompts[-1]]
            assert {STORY, STOP, "Are you there?"} <= set(words)
            assert len(calls) == 1
            assert phone.of("signalling") == []  # nobody said goodbye on the old connection
            phone.sends("disconnect-bot", {})
            await phone.hears("signalling")
            await until(lambda: len(calls) == 0, "the call is over")
            await phone.pc.close()

    asyncio.run(scenario())


def test_a_screen_watches_the_only_call_until_the_person_forbids_it():
    async def scenario():
        async with serving(["Fine."]) as (http, calls, _), asyncio.TaskGroup() as group:
            sdp = {"content-type": "application/sdp"}
            assert (await http.post("/whep/only", content="v=0", headers=sdp)).status_code == 409
            phone, screen = Phone(http), Viewer()
            await phone.dial(group)
            await until(lambda: phone.pictures > 5, "pictures")
            refused = await http.post("/whep/only", content="v=0", headers=sdp)
            assert "has not said that it shows" in refused.json()["error"]["message"]
            phone.sends("client-message", {"t": "avatar.update", "d": {"shows_watchers": True}})
            await until(lambda: phone.ours("avatar.session") != [], "it is known")
            screen.pc.on("track", lambda track: group.create_task(screen.drain(track)))
            answer = await http.post("/whep/only", content=await screen.offer(), headers=sdp)
            assert answer.status_code == 201, answer.text
            description = RTCSessionDescription(answer.text, "answer")
            await screen.pc.setRemoteDescription(description)
            phone.sends("client-ready", {"version": "2.1.0"})  # it greets, which the screen hears
            await screen.has_seen(10)
            await until(screen.is_loud, "the greeting")
            await until(lambda: phone.ours("avatar.watched") != [], "the person is told")
            phone.sends("client-message", {"t": "avatar.watching.forbid", "d": {}})
            await until(lambda: len(phone.ours("avatar.watched")) == 2, "told again")
            told = [data["watchers"] for data in phone.ours("avatar.watched")]
            assert told == [1, 0]
            refused = await http.post("/whep/only", content="v=0", headers=sdp)
            assert refused.json()["error"]["message"].startswith("The person in this call")
            await screen.pc.close()
            phone.sends("disconnect-bot", {})
            await until(lambda: len(calls) == 0, "the call is over")
            await phone.pc.close()

    asyncio.run(scenario())
