"""PCM in events at the other rates that Voice Live knows than the 24 kHz of the Realtime API."""

import base64

import av
import numpy as np

from avatar.websocket.coding import PCM_RATE_HZ, decode


class RateChange:
    """Brings the audio of one event after another to another rate, without a seam.

    Args:
        from_hz: As it comes.
        to_hz: As it is wanted.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)

    def convert(self, audio: str) -> str:
        """What follows the last piece; may be empty.

        Args:
            audio: Base64 of 16-bit PCM, mono.

        Raises:
            ValueError: It is no such thing; the message is for a person.
        """
        pcm = decode(audio, "audio/pcm")
        if not len(pcm):
            return ""
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = self._from_hz
        return _text(self._resampler.resample(frame))

    def flush(self) -> str:
        """What the filter still holds. After it, nothing more is converted."""
        return _text(self._resampler.resample(None))


def to_realtime(rate_hz: int) -> RateChange | None:
    """For a client's audio; None where nothing is to be done."""
    return None if rate_hz == PCM_RATE_HZ else RateChange(rate_hz, PCM_RATE_HZ)


def from_realtime(rate_hz: int) -> RateChange | None:
    """For the avatar's audio; None where nothing is to be done."""
    return None if rate_hz == PCM_RATE_HZ else RateChange(PCM_RATE_HZ, rate_hz)


def _text(frames: list[av.AudioFrame]) -> str:
    parts = [frame.to_ndarray().reshape(-1).astype("<i2").tobytes() for frame in frames]
    return base64.b64encode(b"".join(parts)).decode()
