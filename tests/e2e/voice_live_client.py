"""A person with the official Python SDK of Azure Voice Live, and aiortc for the avatar."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from azure.ai.voicelive.aio import ConnectionClosed, VoiceLiveConnection, connect
from azure.ai.voicelive.models import ClientEventSessionAvatarConnect, FunctionCallOutputItem
from azure.core.credentials import AzureKeyCredential

from avatar.rtc.aiortc_private import also_offer_host
from tests.e2e.listening_kit import read

RATE_HZ = 24_000
_PIECE = RATE_HZ // 50
_PATIENCE_S = 180.0


def recorded(path: Path) -> np.ndarray:
    """A recording at 24 kHz, int16 (samples,)."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    frame = av.AudioFrame.from_ndarray(read(path)[None], format="s16", layout="mono")
    frame.sample_rate = 16_000
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray().reshape(-1) for part in parts])


@dataclass
class Person:
    """Speaks, listens and looks.

    Attributes:
        connection: The SDK's.
        events: All that came, as the SDK typed it, with the loop time of each.
        pictures: Luma of what the avatar's video showed, with the loop time of each.
        sound: What came by WebRTC: int16 at 48 kHz, a run a packet, with the loop time of each.
    """

    connection: VoiceLiveConnection
    events: list[tuple[float, object]] = field(default_factory=list)
    pictures: list[tuple[float, np.ndarray]] = field(default_factory=list)
    sound: list[tuple[float, np.ndarray]] = field(default_factory=list)
    pc: RTCPeerConnection | None = None
    _to_say: list[np.ndarray] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: asyncio.TaskGroup | None = None

    def of(self, kind: str) -> list:
        """Events of a type, in order."""
        return [event for _, event in self.events if event.type == kind]

    def say(self, path: Path) -> None:
        """Say a recording, when what is being said is over."""
        self._to_say.append(recorded(path))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what events bring about."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            kinds = [event.type for _, event in self.events if not event.type.endswith("delta")]
            raise AssertionError(f"in vain: {what}; came: {kinds[-40:]}") from None

    async def answered(self, number: int) -> None:
        """Wait until so many answers are over, since the beginning."""
        await self.until(lambda: len(self.of("response.done")) >= number, f"{number} answers")

    def transcripts(self) -> list[str]:
        """What was understood, lower case."""
        kind = "conversation.item.input_audio_transcription.completed"
        return [event.transcript.lower() for event in self.of(kind)]

    async def run_tool(self, call: object, output: object) -> None:
        """Give a tool's result, and have the conversation go on."""
        item = FunctionCallOutputItem(call_id=call.call_id, output=json.dumps(output))
        await self.connection.conversation.item.create(item=item)
        await self.connection.response.create()

    async def connect_avatar(self) -> None:
        """Set the avatar's connection up, as the session says."""
        avatar = self.of("session.updated")[-1].session.avatar
        servers = [
            RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
            for server in avatar.ice_servers
        ]
        self.pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        pc.on("track", self._receive)
        video = pc.addTransceiver("video", "recvonly")
        pc.addTransceiver("audio", "recvonly")
        also_offer_host(video.receiver.transport.transport, "127.0.0.1")
        await pc.setLocalDescription(await pc.createOffer())
        offer = {"type": "offer", "sdp": pc.localDescription.sdp}
        client_sdp = base64.b64encode(json.dumps(offer).encode()).decode()
        before = len(self.of("session.avatar.connecting"))
        await self.connection.send(ClientEventSessionAvatarConnect(client_sdp=client_sdp))
        await self.until(
            lambda: len(self.of("session.avatar.connecting")) > before, "the avatar's answer"
        )
        answer = json.loads(
            base64.b64decode(self.of("session.avatar.connecting")[-1].server_sdp).decode()
        )
        await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))

    async def hang_up_avatar(self) -> None:
        """Close the avatar's connection; the call goes on."""
        if self.pc is not None:
            await self.pc.close()
            self.pc = None

    async def speak(self) -> None:
        """Send the microphone in real time: what is to be said, or silence."""
        loop = asyncio.get_running_loop()
        begun_s, sent = loop.time(), 0
        rest = np.zeros(0, np.int16)
        while True:
            if not len(rest) and self._to_say:
                rest = self._to_say.pop(0)
            piece = np.zeros(_PIECE, np.int16)
            piece[: len(rest[:_PIECE])] = rest[:_PIECE]
            rest = rest[_PIECE:]
            text = base64.b64encode(piece.astype("<i2").tobytes()).decode()
            await self.connection.input_audio_buffer.append(audio=text)
            sent += _PIECE
            await asyncio.sleep(max(0, begun_s + sent / RATE_HZ - loop.time()))

    async def listen(self) -> None:
        """Keep what comes."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                event = await self.connection.recv()
                self.events.append((asyncio.get_running_loop().time(), event))
                self._changed.set()

    def _receive(self, track: MediaStreamTrack) -> None:
        self._tasks.create_task(self._watch(track), name=f"client-{track.kind}")

    async def _watch(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    luma = frame.to_ndarray(format="gray")
                    self.pictures.append((loop.time(), luma))
                else:
                    self.sound.append((loop.time(), frame.to_ndarray().reshape(-1, 2)[:, 0]))
                self._changed.set()


@contextlib.asynccontextmanager
async def calling(url: str, **session: object) -> AsyncIterator[Person]:
    """A person whose session is agreed on; hangs up in the end."""
    async with (
        connect(
            endpoint=url, credential=AzureKeyCredential("none-needed"), model="presencia"
        ) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        person = Person(connection, _tasks=tasks)
        listening = tasks.create_task(person.listen(), name="client-listens")
        await person.until(lambda: person.of("session.created"), "the session")
        await connection.session.update(session=session)
        await person.until(lambda: person.of("session.updated"), "what was agreed on")
        speaking = tasks.create_task(person.speak(), name="client-speaks")
        try:
            yield person
        finally:
            await person.hang_up_avatar()
            speaking.cancel()
            listening.cancel()
