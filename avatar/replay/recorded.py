"""The person of a recorded call, who says and does everything again."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.recording.reading import RecordedCall
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

FRAME_SAMPLES = LISTENING_RATE_HZ // 50

_NOT_AGAIN = {"avatar.ping"}
"""Pings say that a client is alive: a replay ends when it is over, not when they cease."""


class RecordedPerson:
    """Speaks the recorded voice and sends the recorded messages, at their times.

    Once the recording is over they are silent. What refers to an answer by its name, which is
    another one each time, refers to the answer under way.
    """

    def __init__(self, call: RecordedCall) -> None:
        self._call = call
        self._spoken = 0  # samples of the voice
        self._has_spoken = asyncio.Event()
        self._began_s = asyncio.get_running_loop().time()

    async def voice(self) -> AsyncGenerator[AudioFrame, None]:
        """Every frame when it came, then silence."""
        end, at_s = 0, 0.0
        for arrival in self._call.arrivals:
            await self._until(arrival.at_s)
            yield arrival.frame
            end, at_s = arrival.frame.start_sample + len(arrival.frame.pcm), arrival.at_s
            self._note_spoken(end)
        while True:
            at_s += FRAME_SAMPLES / LISTENING_RATE_HZ
            await self._until(at_s)
            yield AudioFrame(np.zeros(FRAME_SAMPLES, np.int16), LISTENING_RATE_HZ, end)
            end += FRAME_SAMPLES
            self._note_spoken(end)

    async def messages(self) -> AsyncGenerator[str, None]:
        """Every message when it came."""
        committed = (e.body["at_sample"] for e in self._call.entries if e.type == "Committed")
        for entry in self._call.entries:
            if entry.source == "client" and entry.type not in _NOT_AGAIN:
                await self._until(entry.at_s)
                if entry.type == "input_audio_buffer.commit":
                    await self._until_spoken(next(committed, 0))
                yield _message(entry.type, entry.body)

    def told(self, event: dict[str, Any]) -> None:
        """A recording listens to nobody."""

    def hears(self, pcm: NDArray[np.int16]) -> None:
        """A recording listens to nobody."""

    async def done(self) -> None:
        """Return when the recording is over."""
        await self._until(self._call.length_s)

    def _note_spoken(self, end_sample: int) -> None:
        self._spoken = end_sample
        self._has_spoken.set()

    async def _until_spoken(self, sample: int) -> None:
        """Wait for the voice: a client that sends it in messages may have been ahead of it."""
        while self._spoken < sample:
            self._has_spoken.clear()
            await self._has_spoken.wait()

    async def _until(self, at_s: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._began_s + at_s - loop.time()))


def _message(type_: str, body: dict[str, Any]) -> str:
    if type_ == "malformed":
        return str(body["text"])
    kept = {name: value for name, value in body.items() if name != "response_id"}
    return json.dumps({"type": type_, **kept})
