"""The person of a recipe: does one step after the other, and listens to the avatar meanwhile."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ, Clip
from bench.corpus.recipes import Answered, Bang, Cough, Noise, Over, Pause, Recipe, Say, Send
from bench.corpus.room import Room
from speech.audio import resample
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

FRAME_S: Final = 0.02

_FRAME = round(LISTENING_RATE_HZ * FRAME_S)
_ROOM_RMS = 6.0  # of 32768: a quiet room, -75 dBFS
_LIMIT_S = 25.0  # for an answer to come
_SOUND = 100  # of 32768: -50 dBFS; below it, it is silence
_BANG_S = 0.25
_COUGH_S = (0.3, 0.12)  # each of two, and between them
_BREATH_S = 0.08  # between two words of one breath
_PING_EVERY_S = 3.0  # as every client does

Pcm = NDArray[np.int16]


@dataclass(slots=True)
class Spoken:
    """One turn of the person's, as it truly was, in seconds of the microphone's stream.

    Attributes:
        start_s: First sample of it.
        end_s: One past the last; what lies between, pauses too, is theirs.
        over: Whether they spoke over the avatar on purpose.
    """

    start_s: float
    end_s: float
    over: bool


class ScriptedPerson:
    """A `Person` who does what a recipe says.

    Args:
        recipe: What to do.
        clips: Recorded speech, by name.

    Attributes:
        spoken: Their turns, as they truly were.
        sounds: For each 20 ms of the call: whether the avatar was heard.
    """

    def __init__(self, recipe: Recipe, clips: Mapping[str, Clip]) -> None:
        self.spoken: list[Spoken] = []
        self.sounds: list[tuple[float, bool]] = []
        self._heard: list[Pcm] = []
        self._recipe = recipe
        self._clips = clips
        self._quiet_room = np.random.default_rng(0)
        speaker = recipe.loudspeaker
        self._room = Room(**speaker.model_dump()) if speaker else None
        self._sending: asyncio.Queue[str] = asyncio.Queue()
        self._playing: Pcm = np.zeros(0, np.int16)
        self._said = asyncio.Event()
        self._position = 0
        self._began_s = asyncio.get_running_loop().time()
        self._sounded_s: float | None = None
        self._finished = 0  # answers that were heard, and are over
        self._changed = asyncio.Event()
        self._turn_is_open = False
        self._comes_over = False

    @property
    def heard(self) -> Pcm:
        """All that the avatar said, int16 at 16 kHz."""
        sound = np.concatenate(self._heard) if self._heard else np.zeros(0, np.int16)
        return resample(sound, RATE_HZ, LISTENING_RATE_HZ)

    def overlap_s(self, grace_s: float) -> float:
        """Seconds for which the avatar sounded within the person's turns.

        Args:
            grace_s: What it may take to fall silent when it is spoken over on purpose.
        """
        return FRAME_S * sum(
            is_loud
            and any(
                turn.start_s + (grace_s if turn.over else 0.0) <= at_s < turn.end_s
                for turn in self.spoken
            )
            for at_s, is_loud in self.sounds
        )

    async def voice(self) -> AsyncGenerator[AudioFrame, None]:
        """A quiet room, and what the steps play into it."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = self._began_s + (self._position + _FRAME) / LISTENING_RATE_HZ
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            mixed = self._quiet_room.normal(0, _ROOM_RMS, _FRAME)
            if self._room is not None:
                mixed += self._room.echo(self._position, _FRAME)
            part, self._playing = self._playing[:_FRAME], self._playing[_FRAME:]
            mixed[: len(part)] += part
            frame = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
            yield AudioFrame(frame, LISTENING_RATE_HZ, self._position)
            self._position += _FRAME
            if not len(self._playing):
                self._said.set()

    async def messages(self) -> AsyncGenerator[str, None]:
        """What the steps send, and that the client is there."""
        while True:
            yield json.dumps({"type": "avatar.ping"})
            with suppress(TimeoutError):
                async with asyncio.timeout(_PING_EVERY_S):
                    while True:
                        yield json.dumps({"type": await self._sending.get()})

    def told(self, event: dict[str, Any]) -> None:
        """Follow when the avatar speaks."""
        match event["type"]:
            case "output_audio_buffer.started":
                self._sounded_s = asyncio.get_running_loop().time()
            case "response.done" if self._sounded_s is not None:
                self._sounded_s = None
                self._finished += event["response"]["status"] != "cancelled"
        self._changed.set()

    def hears(self, pcm: Pcm) -> None:
        """Keep what the avatar says."""
        self.sounds.append((self._now_s, int(np.abs(pcm.astype(np.int32)).max()) > _SOUND))
        self._heard.append(pcm)
        if self._room is not None:
            self._room.played(pcm)

    async def done(self) -> None:
        """Do everything."""
        for step in self._recipe.steps:
            match step:
                case Say():
                    await self._say(step)
                case Pause(pause_s=pause_s):
                    await asyncio.sleep(pause_s)
                case Noise(noise_s=noise_s, level_db=level_db):
                    await self._play(_pink(noise_s, level_db))
                case Bang(bang_db=bang_db):
                    await self._play(_bang(bang_db))
                case Cough(cough_db=cough_db):
                    await self._play(_cough(cough_db))
                case Answered():
                    self._turn_is_open = False
                    await self._one_more_answer()
                case Over(over_s=over_s):
                    self._turn_is_open = False
                    await self._until(lambda: self._sounded_s is not None)
                    await asyncio.sleep(over_s)
                    self._comes_over = True
                case Send(send=type_):
                    self._sending.put_nowait(type_)

    async def _one_more_answer(self) -> None:
        finished = self._finished
        await self._until(lambda: self._finished > finished)

    async def _say(self, step: Say) -> None:
        breath = np.zeros(round(_BREATH_S * RATE_HZ), np.int16)
        parts = [_part(self._clips[name], step) for name in step.clips]
        words = np.concatenate([part for each in parts for part in (breath, each)][1:])
        start_s = self._now_s
        if not self._turn_is_open:
            self.spoken.append(Spoken(start_s, start_s, self._comes_over))
        self._turn_is_open, self._comes_over = True, False
        await self._play(resample(words, RATE_HZ, LISTENING_RATE_HZ))
        self.spoken[-1].end_s = self._now_s

    async def _play(self, pcm: Pcm) -> None:
        self._playing = pcm
        self._said.clear()
        await self._said.wait()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for the avatar; in vain, at most so long that the outcome shows it."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    @property
    def _now_s(self) -> float:
        return self._position / LISTENING_RATE_HZ


def _part(clip: Clip, step: Say) -> Pcm:
    start = clip.speech_start if step.from_s is None else round(step.from_s * RATE_HZ)
    end = clip.speech_end if step.to_s is None else round(step.to_s * RATE_HZ)
    return clip.pcm[start:end]


def _pink(length_s: float, level_db: float) -> Pcm:
    """Noise as fans make it: as much power in each octave."""
    samples = round(length_s * LISTENING_RATE_HZ)
    white = np.fft.rfft(np.random.default_rng(1).standard_normal(samples))
    noise = np.fft.irfft(white / np.sqrt(np.maximum(1, np.arange(len(white)))), samples)
    rms = 32768 * 10 ** (level_db / 20)
    return _pcm(noise * rms / np.sqrt(np.mean(noise**2)))


def _bang(level_db: float) -> Pcm:
    """A door: a burst of noise that a room's walls damp, the higher the faster."""
    samples = round(_BANG_S * LISTENING_RATE_HZ)
    at_s = np.arange(samples) / LISTENING_RATE_HZ
    white = np.random.default_rng(2).standard_normal(samples)
    low = np.convolve(white, np.ones(64) / 64, mode="same")  # below about 250 Hz
    burst = white * np.exp(-at_s / 0.01) + 4 * low * np.exp(-at_s / 0.06)
    return _pcm(burst * 32767 * 10 ** (level_db / 20) / np.abs(burst).max())


def _cough(level_db: float) -> Pcm:
    """Two coughs: air that bursts out of a throat, and what a voice adds as it dies away."""
    burst_s, between_s = _COUGH_S
    at_s = np.arange(round(burst_s * LISTENING_RATE_HZ)) / LISTENING_RATE_HZ
    white = np.random.default_rng(4).standard_normal(len(at_s))
    air = np.convolve(white, np.ones(6) / 6, mode="same")  # below about 2.5 kHz
    voice = np.sign(np.sin(2 * np.pi * 140 * at_s * (1 - 0.4 * at_s))) * (at_s > 0.06)
    one = (air + 0.15 * voice) * np.exp(-at_s / 0.07)
    between = np.zeros(round(between_s * LISTENING_RATE_HZ))
    both = np.concatenate([one, between, 0.7 * one])
    return _pcm(both * 32767 * 10 ** (level_db / 20) / np.abs(both).max())


def _pcm(samples: NDArray[np.float64]) -> Pcm:
    return np.asarray(np.rint(samples), np.int16)
