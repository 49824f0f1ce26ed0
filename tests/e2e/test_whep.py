"""Watchers of a call, by aiortc: they see and hear it, and cost no second encoding."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from avatar.rtc import aiortc_private
from avatar.rtc.fragment import parse_fragment
from avatar.whep import Audience, IceRestartError, WatchError
from speech.errors import ServerFullError
from tests.e2e.rtc_client import SETTINGS, Client, call, connection, until

pytestmark = pytest.mark.e2e


@dataclass
class Viewer:
    """A player, and what it has seen and heard."""

    pc: RTCPeerConnection = field(default_factory=connection)
    frames: dict[str, list] = field(default_factory=lambda: {"audio": [], "video": []})
    name: str = ""

    async def offer(self) -> str:
        line = self.pc.addTransceiver("audio", "recvonly")
        aiortc_private.also_offer_host(line.sender.transport.transport, "127.0.0.1")
        self.pc.addTransceiver("video", "recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def drain(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                self.frames[track.kind].append(await track.recv())

    async def watch(self, audience: Audience, group: asyncio.TaskGroup) -> str:
        self.pc.on("track", lambda track: group.create_task(self.drain(track)))
        self.name, answer = await audience.admit(await self.offer())
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return answer

    async def has_seen(self, pictures: int) -> None:
        await until(lambda: len(self.frames["video"]) >= pictures, f"{pictures} pictures")

    def is_loud(self) -> bool:
        return any(np.abs(f.to_ndarray().astype(int)).max() > 2000 for f in self.frames["audio"])


async def an_offer() -> str:
    """Of a player that is gone again."""
    viewer = Viewer()
    try:
        return await viewer.offer()
    finally:
        await viewer.pc.close()


@contextlib.asynccontextmanager
async def watched(limit: int = 2) -> AsyncIterator[tuple[Client, Audience, list[int]]]:
    """A call that others may watch; the numbers of watchers that the person was told."""
    told: list[int] = []
    async with call() as client, asyncio.TaskGroup() as group:
        audience = Audience(limit, told.append, SETTINGS, is_shown=True)
        task = group.create_task(audience.run(client.peer.show))
        await client.has_seen(5)
        try:
            yield client, audience, told
        finally:
            task.cancel()


def test_two_watch_what_is_encoded_once_and_the_person_is_told():
    async def scenario():
        async with watched() as (client, audience, told), asyncio.TaskGroup() as group:
            first, second = Viewer(), Viewer()
            answer = await first.watch(audience, group)
            assert answer.count("a=rtcp-mux-only") == 2
            assert answer.count("a=sendonly") == 2
            await first.has_seen(10)
            await second.watch(audience, group)
            for viewer in (first, second):
                await viewer.has_seen(30)
                await until(viewer.is_loud, "a beep")
            with pytest.raises(ServerFullError, match="2 watch this call already"):
                await audience.admit(await an_offer())
            lumas = [int(f.to_ndarray()[:128].mean()) for f in second.frames["video"]]
            assert len(set(lumas)) > 10  # every picture is a little brighter than the last
            sent = client.peer.stats().video.frames
            assert sent <= client.peer._video.sent  # no picture is encoded twice
            assert audience.dismiss(first.name)
            await first.pc.close()
            await second.pc.close()
            await until(lambda: told[-1] == 0, "everybody is gone")
            assert told == [1, 2, 1, 0]
            await client.has_seen(len(client.frames["video"]) + 10)

    asyncio.run(scenario())


def test_a_player_that_names_its_addresses_later_is_reached():
    async def scenario():
        async with watched() as (_, audience, _told), asyncio.TaskGroup() as group:
            viewer = Viewer()
            viewer.pc.on("track", lambda track: group.create_task(viewer.drain(track)))
            sdp = await viewer.offer()
            bare = "".join(x for x in sdp.splitlines(True) if "candidate" not in x)
            name, answer = await audience.admit(bare)
            nowhere = "".join(x for x in answer.splitlines(True) if "candidate" not in x)
            await viewer.pc.setRemoteDescription(RTCSessionDescription(nowhere, "answer"))
            credentials, lines = parse_fragment(sdp)
            with pytest.raises(IceRestartError):
                await audience.add_candidates(name, ("other", "words"), lines)
            await audience.add_candidates(name, credentials, lines)
            await viewer.has_seen(3)
            await viewer.pc.close()

    asyncio.run(scenario())


def test_a_person_who_wants_no_watchers_has_none():
    async def scenario():
        async with watched() as (_, audience, told), asyncio.TaskGroup() as group:
            viewer = Viewer()
            await viewer.watch(audience, group)
            await viewer.has_seen(3)
            audience.forbid()
            await until(lambda: told[-1] == 0, "the watcher is gone")
            with pytest.raises(WatchError, match="does not want"):
                await audience.admit(await an_offer())
            await viewer.pc.close()

    asyncio.run(scenario())


def test_watchers_leave_with_the_call():
    async def scenario():
        async with asyncio.TaskGroup() as group:
            async with watched() as (_, audience, _told):
                viewer = Viewer()
                await viewer.watch(audience, group)
                await viewer.has_seen(3)
            assert len(audience) == 0
            with pytest.raises(WatchError):
                await audience.admit("v=0")
            await viewer.pc.close()

    asyncio.run(scenario())
