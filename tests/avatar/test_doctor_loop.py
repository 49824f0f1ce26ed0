"""Trial calls: real WebRTC on loopback, no avatar."""

import asyncio
import json

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from avatar.doctor import loop as trial
from avatar.doctor.load import measure_load
from avatar.rtc import aiortc_private
from avatar.settings import RtcSettings
from speech.errors import ServerFullError, SignallingError

SETTINGS = RtcSettings(offer_loopback=True)


class Caller:
    """A client that tries a call out."""

    def __init__(self):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.pc.createDataChannel("oai-events")
        self.replies = asyncio.Queue()
        self.tracks = {}
        self.pc.addTrack(AudioStreamTrack())
        self.pc.addTransceiver("video", "recvonly")
        self.channel.on("message", lambda text: self.replies.put_nowait(json.loads(text)))
        self.pc.on("track", lambda track: self.tracks.update({track.kind: track}))

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def accept(self, answer):
        opened = asyncio.Event()
        self.channel.on("open", opened.set)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await opened.wait()

    async def ask(self, text):
        self.channel.send(text)
        return await self.replies.get()


async def offers_loopback(caller):
    transport = caller.pc.getTransceivers()[0].sender.transport.transport
    aiortc_private.also_offer_host(transport, "127.0.0.1")


def test_a_trial_hears_speaks_shows_and_counts():
    async def scenario():
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            caller = Caller()
            await offers_loopback(caller)
            await caller.accept(await trial.Trials(SETTINGS).start(await caller.offer(), tasks))
            sound = await caller.tracks["audio"].recv()
            picture = await caller.tracks["video"].recv()
            reply = await caller.ask("x" * 200)
            while reply["heard_ms"] < 100:
                reply = await caller.ask("x" * 200)
            await caller.pc.close()
        return sound, picture, reply

    sound, picture, reply = asyncio.run(scenario())
    assert sound.sample_rate == 48_000
    assert picture.width == 160
    assert reply["type"] == "avatar.diagnosis.echo"
    assert reply["text"] == "x" * 64
    assert reply["loudest"] < 0.01  # the caller's microphone is silent


def test_a_trial_ends_by_itself_and_frees_its_place(monkeypatch):
    monkeypatch.setattr(trial, "TRIAL_S", 0.05)
    monkeypatch.setattr(trial, "MAX_TRIALS", 1)

    async def scenario():
        trials = trial.Trials(SETTINGS)
        callers = Caller(), Caller()
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            await trials.start(await callers[0].offer(), tasks)
            with pytest.raises(ServerFullError):
                await trials.start(await callers[1].offer(), tasks)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            await trials.start(await callers[1].offer(), tasks)
        for caller in callers:
            await caller.pc.close()

    asyncio.run(scenario())


def test_an_offer_that_is_none_takes_no_place(monkeypatch):
    monkeypatch.setattr(trial, "MAX_TRIALS", 1)

    async def scenario():
        trials = trial.Trials(SETTINGS)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                with pytest.raises(SignallingError):
                    await trials.start("v=0", tasks)

    asyncio.run(scenario())


def test_load_is_a_share_of_what_there_is():
    load = asyncio.run(measure_load(0.05))
    assert load.cores >= 1
    assert 0 <= load.busy <= 1
    assert load.late_ms >= 0
