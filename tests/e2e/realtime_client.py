"""A person with the official Python SDK of OpenAI, its sound in the events of a WebSocket."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from speech import g711
from speech.audio import resample
from tests.avatar.realtime_kit import judge
from tests.e2e.browser_call import read_wav

PATIENCE_S = 180.0
_PIECE_S = 0.02


def recorded(path: Path, rate_hz: int) -> np.ndarray:
    """A recording, int16 (samples,)."""
    source_hz, pcm = read_wav(path)
    return resample(pcm, source_hz, rate_hz)


@dataclass
class Coding:
    """How sound is coded in events, in either direction."""

    type: str = "audio/pcm"

    @property
    def rate_hz(self) -> int:
        return 24_000 if self.type == "audio/pcm" else g711.RATE_HZ

    @property
    def law(self) -> g711.Law:
        return "mu" if self.type == "audio/pcmu" else "a"

    def encode(self, pcm: np.ndarray) -> str:
        data = pcm.astype("<i2").tobytes()
        if self.type != "audio/pcm":
            data = g711.encode(pcm, self.law)
        return base64.b64encode(data).decode()

    def decode(self, text: str) -> np.ndarray:
        data = base64.b64decode(text)
        return (
            np.frombuffer(data, "<i2") if self.type == "audio/pcm" else g711.decode(data, self.law)
        )


@dataclass
class Person:
    """Speaks and listens; plays what comes as it comes, and tells how much was played when cut.

    Attributes:
        connection: The SDK's.
        events: All that came, as the SDK typed it, with the loop time of each.
        sound: What came of every answer's message, by item: int16 (samples,) a delta.
    """

    connection: AsyncRealtimeConnection
    coding: Coding
    events: list[tuple[float, object]] = field(default_factory=list)
    sound: dict[str, list[np.ndarray]] = field(default_factory=dict)
    _began_s: dict[str, float] = field(default_factory=dict)
    _playing: str = ""
    _to_say: list[np.ndarray] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, kind: str) -> list:
        """Events of a type, in order."""
        return [event for _, event in self.events if event.type == kind]

    def say(self, path: Path) -> None:
        """Begin to say a recording."""
        pcm, piece = recorded(path, self.coding.rate_hz), round(_PIECE_S * self.coding.rate_hz)
        self._to_say += [pcm[i : i + piece] for i in range(0, len(pcm), piece)]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is true, as far as events make it so."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            seen = [event.type for _, event in self.events if not event.type.endswith(".delta")]
            raise AssertionError(f"waited for {what}; errors {self.of('error')}; {seen}") from None

    async def said_all(self) -> None:
        """Wait until what there was to say was sent."""
        await self.until(lambda: not self._to_say, "the last word")

    async def answered(self, answers: int) -> None:
        """Wait until so many answers are over."""
        await self.until(lambda: len(self.of("response.done")) >= answers, f"answer {answers}")

    def transcripts(self) -> list[str]:
        """What the person was understood to say."""
        kind = "conversation.item.input_audio_transcription.completed"
        return [event.transcript for event in self.of(kind) if event.transcript]

    def spoken(self) -> list[str]:
        """What the avatar was heard to say."""
        return [e.transcript for e in self.of("response.output_audio_transcript.done")]

    async def speak(self) -> None:
        """Send the microphone in real time, silence too."""
        loop = asyncio.get_running_loop()
        silence = np.zeros(round(_PIECE_S * self.coding.rate_hz), np.int16)
        due_s = loop.time()
        while True:
            piece = self._to_say.pop(0) if self._to_say else silence
            await self.connection.input_audio_buffer.append(audio=self.coding.encode(piece))
            if not self._to_say:
                self._changed.set()
            due_s = max(due_s + _PIECE_S, loop.time() - 0.2)
            await asyncio.sleep(due_s - loop.time())

    async def listen(self) -> None:
        """Take in every event; each is judged by the SDK's types."""
        loop = asyncio.get_running_loop()
        while True:
            raw = await self.connection.recv_bytes()
            judge(raw.decode())
            event = self.connection.parse_event(raw)
            self.events.append((loop.time(), event))
            if event.type == "response.output_audio.delta":
                self._began_s.setdefault(event.item_id, loop.time())
                self._playing = event.item_id
                self.sound.setdefault(event.item_id, []).append(self.coding.decode(event.delta))
            elif event.type == "input_audio_buffer.speech_started" and self._playing:
                await self._stop_playing(loop.time())
            self._changed.set()

    async def _stop_playing(self, now_s: float) -> None:
        """What official clients do when the person speaks."""
        item_id, self._playing = self._playing, ""
        came_ms = sum(map(len, self.sound[item_id])) * 1000 // self.coding.rate_hz
        played_ms = int((now_s - self._began_s[item_id]) * 1000)
        if played_ms < came_ms:
            await self.connection.conversation.item.truncate(
                item_id=item_id, content_index=0, audio_end_ms=played_ms
            )


@asynccontextmanager
async def calling(url: str, coding: str = "audio/pcm", **session: object) -> AsyncIterator[Person]:
    """A call, its session updated."""
    client = AsyncOpenAI(api_key="none-needed", base_url=f"{url}/v1")
    async with (
        client.realtime.connect(model="presencia") as connection,
        asyncio.TaskGroup() as tasks,
    ):
        person = Person(connection, Coding(coding))
        running = [tasks.create_task(person.listen())]
        kind = {"type": coding}
        audio = {"input": {"format": kind}, "output": {"format": kind}}
        audio["input"] |= session.pop("input", {})
        await connection.session.update(session={"type": "realtime", "audio": audio, **session})
        await person.until(lambda: person.of("session.updated"), "the session")
        running.append(tasks.create_task(person.speak()))
        try:
            yield person
        finally:
            for task in running:
                task.cancel()
