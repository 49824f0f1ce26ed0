"""Sound in messages: base64 of 16-bit PCM at 24 kHz, or of G.711 at 8 kHz."""

import base64
import binascii
from typing import Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from render.types import SPEECH_CLOCK_HZ
from speech import g711

Coding = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

_LAWS: Final[dict[Coding, g711.Law]] = {"audio/pcmu": "mu", "audio/pcma": "a"}
PCM_RATE_HZ: Final = 24_000


def rate_of(coding: Coding) -> int:
    """Samples a second, in Hz."""
    return PCM_RATE_HZ if coding == "audio/pcm" else g711.RATE_HZ


def decode(text: str, coding: Coding) -> NDArray[np.int16]:
    """What a client's message says.

    Args:
        text: Base64.
        coding: Of the bytes.

    Returns:
        int16, shape (samples,), at `rate_of(coding)`.

    Raises:
        ValueError: It is no base64, or no whole samples; the message is for a person.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the audio is no base64") from error
    if coding != "audio/pcm":
        return g711.decode(data, _LAWS[coding])
    if len(data) % 2:
        raise ValueError("16-bit audio has an even number of bytes")
    return np.frombuffer(data, "<i2").astype(np.int16)


class Encoder:
    """Turns the avatar's sound into the text of messages.

    Args:
        coding: Of the bytes.
        rate_hz: Of PCM, where a client wants another than 24 kHz.
    """

    def __init__(self, coding: Coding, rate_hz: int | None = None) -> None:
        self._coding = coding
        self._rate_hz = rate_hz or rate_of(coding)
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate_hz)

    def encode(self, pcm: NDArray[np.int16]) -> str:
        """Code what follows the last piece; may be empty.

        Args:
            pcm: int16 mono at 48 kHz, shape (samples,).
        """
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SPEECH_CLOCK_HZ
        return self._text(self._resampler.resample(frame))

    def flush(self) -> str:
        """Code what the filter still holds. After it, nothing more is coded."""
        return self._text(self._resampler.resample(None))

    def _text(self, frames: list[av.AudioFrame]) -> str:
        if not frames:
            return ""
        pcm = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
        law = _LAWS.get(self._coding)
        data = pcm.astype("<i2").tobytes() if law is None else g711.encode(pcm, law)
        return base64.b64encode(data).decode()
