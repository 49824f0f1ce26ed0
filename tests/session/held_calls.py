"""Calls as the server holds them, on made-up time: real sessions, scripted stages, no network."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np

from avatar.access.settings import AccessSettings
from avatar.calls import NOBODY, Calls
from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.replay.headless import HeadlessPeer
from avatar.settings import ServerSettings, Settings
from speech.types import AudioFrame
from tests.session.scripted_engines import FRAME, MIC_HZ, Model, scripted_engines

WORDS = {4000: "tell me a story", 4010: "what happened then"}


def engines(replies, prompts):
    """Scripted ones; what each call's model is asked goes to `prompts`."""
    return scripted_engines(WORDS, lambda: Model(replies, prompts=prompts))


class Client:
    """A client that pings until it vanishes; it says a loudness when it is told to."""

    def __init__(self, pings=True):
        self.events = []
        self.loudness = 0
        self.peer = None
        self.call_id = ""
        self._outbox = asyncio.Queue()
        self._pings = pings

    def connect(self, playout, frames, clock):
        self.peer = HeadlessPeer(self, playout, frames, clock, None)
        return self.peer

    def send(self, kind, **fields):
        self._outbox.put_nowait({"type": kind, **fields})

    def vanish(self):
        """The network is gone: nothing comes from here any more."""
        self._pings = False

    def close(self):
        """The connection ends with a word: a tab that is reloaded."""
        self.peer.closed.set()

    async def voice(self):
        for n in range(10**6):
            await asyncio.sleep(FRAME / MIC_HZ)
            yield AudioFrame(np.full(FRAME, self.loudness, np.int16), MIC_HZ, n * FRAME)

    async def messages(self):
        if self._pings:
            yield json.dumps({"type": "avatar.ping"})
        while True:
            message = None
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    message = await self._outbox.get()
            if message is not None:
                yield json.dumps(message)
            elif self._pings:
                yield json.dumps({"type": "avatar.ping"})

    def told(self, event):
        self.events.append(event)

    def hears(self, pcm):
        pass

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    @property
    def avatar(self):
        """What the session says about the avatar, as it was told last."""
        told = [e for e in self.events if e["type"] in ("session.created", "session.updated")]
        return told[-1]["session"]["avatar"]

    @property
    def token(self):
        return self.avatar["resume"]["token"]

    @property
    def heard(self):
        done = self.of("response.output_audio_transcript.done")
        return [event["transcript"] for event in done]


class House:
    """A server's calls, and what its language models were asked."""

    def __init__(self, tasks, settings, replies):
        self.prompts = []
        self.tasks = tasks
        self.calls = Calls(settings, engines(replies, self.prompts), tasks)

    async def call(self, config=None, caller=NOBODY, client=None):
        client = client or Client()
        entry = await self.calls.enter(config or CallConfig(), caller)
        session = self.calls.hold(client.connect, entry.config, Realtime, entry)
        client.call_id = session.call_id
        self.tasks.create_task(client.peer.run())
        await asyncio.sleep(0.1)
        return client


def settings(max_calls=1, **access):
    access.setdefault("keys_file", Path("/nonexistent/keys.json"))
    return Settings(server=ServerSettings(max_calls=max_calls), access=AccessSettings(**access))


@asynccontextmanager
async def house(given=None, replies=()):
    async with asyncio.TaskGroup() as tasks:
        held = House(tasks, given or settings(), list(replies))
        yield held
        held.calls.hang_up_all()
