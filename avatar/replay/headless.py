"""A call's far end without a network: a person who speaks, and ears and eyes for the avatar."""

import asyncio
import json
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar.playout import Playout
from avatar.rtc.clock import MediaClock
from avatar.rtc.encoders import vp8_encoder
from avatar.rtc.microphone import MicrophoneStats
from avatar.rtc.peer import PeerStats
from avatar.rtc.sender import SenderStats
from avatar.rtc.tracks import AudioOut, VideoOut
from render.types import VideoFrame
from speech.types import AudioFrame


class Person(Protocol):
    """Who calls: what they say and do, in their own time."""

    def voice(self) -> AsyncGenerator[AudioFrame, None]:
        """Their microphone, frame by frame, each when it comes; without an end."""
        ...

    def messages(self) -> AsyncGenerator[str, None]:
        """What their client sends, each when it is sent."""
        ...

    def told(self, event: dict[str, Any]) -> None:
        """Take note of what the server tells their client."""
        ...

    def hears(self, pcm: NDArray[np.int16]) -> None:
        """Take note of 20 ms of the avatar's sound: int16 at 48 kHz, shape (960,)."""
        ...

    async def done(self) -> None:
        """Return when they will say and do nothing more."""
        ...


class _Ears:
    """What the person hears, on its way to them."""

    def __init__(self, playout: Playout, person: Person) -> None:
        self._playout = playout
        self._person = person

    def next_frame(self) -> NDArray[np.int16]:
        pcm = self._playout.next_frame()
        self._person.hears(pcm)
        return pcm


class HeadlessPeer:
    """A `Transport` that ends here. Sound and pictures are pulled at the pace of the call's clock.

    Pictures are drawn and encoded as for a client with video, so that the processor has what it
    has in a call: all but the network.

    Args:
        person: Who calls.
        playout: The avatar's sound.
        frames: The avatar's pictures.
        clock: The call's.
        bitrate_bps: Of the pictures; None for a client that draws the face itself.
    """

    def __init__(
        self,
        person: Person,
        playout: Playout,
        frames: AsyncGenerator[VideoFrame, None],
        clock: MediaClock,
        bitrate_bps: int | None,
    ) -> None:
        self.answer_sdp = ""
        self.closed = asyncio.Event()
        self.state = "listening"
        self._person = person
        self._audio = AudioOut(_Ears(playout, person), clock)
        self._frames = frames
        self._clock = clock
        self._bitrate_bps = bitrate_bps
        self._changed = asyncio.Event()

    @property
    def takes_video(self) -> bool:
        """Whether the client takes video."""
        return self._bitrate_bps is not None

    @property
    def takes_poses(self) -> bool:
        """Whether the client can draw the face: always."""
        return True

    def microphone(self) -> AsyncGenerator[AudioFrame, None]:
        """The person's voice."""
        return self._person.voice()

    def events_in(self) -> AsyncGenerator[str, None]:
        """The messages of the person's client."""
        return self._person.messages()

    def send(self, text: str) -> None:
        """Tell the person's client."""
        event = json.loads(text)
        if event["type"] == "avatar.state":
            self.state = event["state"]
            self._changed.set()
        self._person.told(event)

    def send_poses(self, message: bytes) -> bool:
        """Take poses, which nobody looks at."""
        del message
        return True

    def audio_timestamp(self, sample: int) -> int | None:
        """RTP timestamp of a sample's audio; None before the clock runs."""
        return self._clock.stamp(sample) % 2**32 if self._clock.is_started else None

    def send_keyframe(self) -> None:
        """Nothing is lost here, so no picture has to be complete."""

    def stats(self) -> PeerStats:
        """What a connection would have cost: nothing."""
        return PeerStats(
            audio=SenderStats(),
            video=None,
            video_dropped=0,
            microphone=MicrophoneStats(0, 0, 0, 0, 0.0, 0.0),
            round_trip_s=None,
            clock_held_s=self._clock.held_s,
        )

    async def close(self) -> None:
        """Stop listening and looking; `run` ends."""
        self.closed.set()

    async def settled(self, quiet_s: float, limit_s: float) -> None:
        """Return when the avatar has been listening for `quiet_s`, or after `limit_s`."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + limit_s
        while loop.time() < end_s:
            self._changed.clear()
            wait_s = quiet_s if self.state == "listening" else end_s - loop.time()
            try:
                async with asyncio.timeout(min(wait_s, end_s - loop.time())):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def run(self) -> None:
        """Hear and see the avatar until the call is over."""
        async with aclosing(self._frames), asyncio.TaskGroup() as tasks:
            senses = [tasks.create_task(self._hear(), name="ears")]
            if self._bitrate_bps is not None:
                senses.append(tasks.create_task(self._see(self._bitrate_bps), name="eyes"))
            await self.closed.wait()
            for sense in senses:
                sense.cancel()

    async def _hear(self) -> None:
        while True:
            await self._audio.recv()

    async def _see(self, bitrate_bps: int) -> None:
        video = VideoOut(self._frames, self._clock)
        encoder = vp8_encoder(bitrate_bps)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="replay-encode") as thread:
            while True:
                encode = partial(encoder.encode, await video.recv(), keyframe=False)
                await loop.run_in_executor(thread, encode)
