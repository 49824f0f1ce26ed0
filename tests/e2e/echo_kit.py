"""A loudspeaker, a room, a microphone: the avatar's voice comes back, people speak over it."""

import asyncio
from dataclasses import dataclass, field

import numpy as np

from avatar.heard import Heard, Interim, SpeechStarted, SpeechSustained, TurnEnded
from avatar.listening import Listener
from speech.audio import resample
from speech.echo import EchoRemover
from speech.endpointing import Endpointer
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame, Transcript
from tests.e2e.listening_kit import Pcm

RATE_HZ = LISTENING_RATE_HZ
_PACKET = RATE_HZ // 50


def level(pcm) -> float:
    """RMS of what sounds."""
    loud = np.abs(pcm) > 50
    return float(np.sqrt(np.mean(np.square(pcm[loud], dtype=np.float64)))) if loud.any() else 1.0


@dataclass(frozen=True)
class Room:
    """Where the voice comes back.

    Attributes:
        db: Level of the echo, relative to what is played.
        delay_s: Until the direct sound is back: network, buffers, air.
        rings_s: Time in which its ringing falls by 60 dB. The ringing carries up to 90 % of the
            energy, as it does at a metre from a loudspeaker.
        drift: Of the loudspeaker's clock, relative to the microphone's.
        seed: Which room.
        jump_s: By so much later it comes, all at once,
        jumps_at_s: then.
    """

    db: float
    delay_s: float
    rings_s: float = 0.3
    drift: float = 0.0
    seed: int = 0
    jump_s: float = 0.0
    jumps_at_s: float = 0.0

    def echo(self, played: Pcm) -> np.ndarray:
        """What the microphone hears of `played`, with its own noise."""
        rng = np.random.default_rng(self.seed)
        t = np.arange(round(self.rings_s * RATE_HZ)) / RATE_HZ
        response = 0.12 * rng.standard_normal(len(t)) * 10 ** (-3 * t / self.rings_s)
        response[0] = 1.0
        response *= 10 ** (self.db / 20) / np.linalg.norm(response)
        wet = _convolved(played, response)
        places = np.arange(len(wet)) * (1 + self.drift) - self.delay_s * RATE_HZ
        places[round(self.jumps_at_s * RATE_HZ) :] -= self.jump_s * RATE_HZ
        noise = 8 * rng.standard_normal(len(wet))
        return np.interp(places, np.arange(len(wet)), wet, left=0.0) + noise


def _convolved(played: Pcm, response: np.ndarray) -> np.ndarray:
    size = 1 << (len(played) + len(response)).bit_length()
    spectrum = np.fft.rfft(played, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[: len(played)]


class _Words:
    """Takes whatever reaches it for words."""

    interim_every_s = 0.16

    async def recognize(self, pcm, draft=None):
        return Transcript("words", "en")


class _Turns:
    async def finished(self, pcm):
        return 1.0


@dataclass
class Listened:
    """What a listener made of a microphone.

    Attributes:
        sustained_s: When the avatar was interrupted.
        started_s: When speech seemed to start, though it may have been withdrawn.
        turns_s: Where there would have been a turn, from and to.
        worded_s: When there were words so far.
    """

    sustained_s: list[float] = field(default_factory=list)
    started_s: list[float] = field(default_factory=list)
    turns_s: list[tuple[float, float]] = field(default_factory=list)
    worded_s: list[float] = field(default_factory=list)


def listen(played_48k: Pcm, microphone, detector, *, removing: bool = True) -> Listened:
    """Let a listener hear `microphone` (16 kHz) while `played_48k` is played."""
    pcm = np.clip(microphone, -32768, 32767).astype(np.int16)
    echo = EchoRemover()
    listened, at = Listened(), 0

    def note(event: Heard) -> None:
        match event:
            case SpeechStarted():
                listened.started_s.append(at / RATE_HZ)
            case SpeechSustained():
                listened.sustained_s.append(at / RATE_HZ)
            case Interim():
                listened.worded_s.append(at / RATE_HZ)
            case TurnEnded(start_sample=start, end_sample=end):
                listened.turns_s.append((start / RATE_HZ, end / RATE_HZ))

    async def frames():
        nonlocal at
        for start in range(0, len(pcm) - _PACKET + 1, _PACKET):
            echo.played(played_48k[start * 3 : (start + _PACKET) * 3])
            at = start + _PACKET
            frame = AudioFrame(pcm[start : start + _PACKET], RATE_HZ, start)
            for heard in echo.clean(frame) if removing else [frame]:
                yield heard
                await asyncio.sleep(0)

    async def run() -> None:
        listener = Listener(
            detector=detector,
            turns=_Turns(),
            recognizer=_Words(),
            endpointer=Endpointer(),
            barge_in_ms=96,
            emit=note,
            is_echoing=lambda: removing and echo.found,
        )
        await listener.run(frames())

    asyncio.run(run())
    return listened


def spoken_over(echo: np.ndarray, voice: Pcm, at_s: float, voice_level: float) -> np.ndarray:
    """The microphone when somebody speaks over the echo."""
    mixed, at = echo.copy(), round(at_s * RATE_HZ)
    voice = voice[: len(mixed) - at] * (voice_level / level(voice))
    mixed[at : at + len(voice)] += voice
    return mixed


def at_48k(pcm: Pcm) -> Pcm:
    """16 kHz as the playout has it."""
    return resample(pcm, RATE_HZ, 48_000)
