"""A room in which the avatar's voice comes back from a loudspeaker into the microphone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ
from avatar.playout import FRAME_SAMPLES
from speech.audio import resample
from speech.stages import LISTENING_RATE_HZ

_FACTOR: Final = RATE_HZ // LISTENING_RATE_HZ
_SILENCE: Final = np.zeros(FRAME_SAMPLES, np.int16)
_MARGIN_S: Final = 0.04  # on either side of what is resampled: for its filter to swing in
_DIRECT: Final = 1.0
_RINGING: Final = 0.12  # beside it, as noise that dies away: at a metre, most of the energy


class Room:
    """One loudspeaker, one microphone and the walls.

    Args:
        echo_db: Level of the echo, relative to what is played.
        delay_s: Until the direct sound is back: buffers, network, air. At least 0.1 s.
        rings_s: Time in which its ringing falls by 60 dB.
    """

    def __init__(self, echo_db: float, delay_s: float, rings_s: float) -> None:
        self._response = _response(echo_db, rings_s)
        self._delay = round(delay_s * LISTENING_RATE_HZ)
        self._played: list[NDArray[np.int16]] = []
        self._tail = np.zeros(len(self._response) - 1)

    def played(self, pcm: NDArray[np.int16]) -> None:
        """Take what leaves for the loudspeaker next: int16 at 48 kHz, 20 ms."""
        self._played.append(pcm)

    def echo(self, position: int, count: int) -> NDArray[np.float64]:
        """What comes back in the microphone's next samples.

        Args:
            position: Of the first, at 16 kHz since the call began; without gaps.
            count: How many.
        """
        direct = self._direct(position - self._delay, count)
        wet = np.convolve(direct, self._response)
        wet[: len(self._tail)] += self._tail
        self._tail = wet[count:]
        return wet[:count]

    def _direct(self, start: int, count: int) -> NDArray[np.int16]:
        """What was played then, at 16 kHz."""
        margin = round(_MARGIN_S * LISTENING_RATE_HZ)
        first, end = ((start + offset) * _FACTOR for offset in (-margin, count + margin))
        frames = range(first // FRAME_SAMPLES, -(-end // FRAME_SAMPLES))
        known = [self._played[n] if 0 <= n < len(self._played) else _SILENCE for n in frames]
        around = np.concatenate(known)[first - frames[0] * FRAME_SAMPLES :][: end - first]
        return resample(around, RATE_HZ, LISTENING_RATE_HZ)[margin : margin + count]


def _response(echo_db: float, rings_s: float) -> NDArray[np.float64]:
    at_s = np.arange(round(rings_s * LISTENING_RATE_HZ)) / LISTENING_RATE_HZ
    noise = np.random.default_rng(3).standard_normal(len(at_s))
    response = _RINGING * noise * 10 ** (-3 * at_s / rings_s)
    response[0] = _DIRECT
    return response * 10 ** (echo_db / 20) / np.linalg.norm(response)
