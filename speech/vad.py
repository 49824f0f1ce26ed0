"""Voice activity detection with Silero VAD v6."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech.audio import to_float
from speech.onnx import open_session
from speech.stages import VoiceDetector

WINDOW = 512
"""Samples at 16 kHz that one probability is about: 32 ms."""

_CONTEXT = 64  # samples of the window before, which the network expects in front of each window
_STATE = (1, 1, 128)

DetectorFactory = Callable[[], VoiceDetector]


class SileroModel:
    """The network, loaded once for all microphones.

    Args:
        path: silero_vad_v6.onnx.

    Raises:
        ModelStoreError: The file is missing or is not a model.
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)

    def detector(self) -> "SileroVad":
        """Make a detector for one microphone, or for one recording."""
        return SileroVad(self)

    def run(
        self, samples: NDArray[np.float32], h: NDArray[np.float32], c: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        """Run one step of the recurrent network.

        Args:
            samples: float32, shape (1, 64 + 512): context and window.
            h: LSTM output state, float32, shape (1, 1, 128).
            c: LSTM cell state, float32, shape (1, 1, 128).

        Returns:
            Probability of speech, and the next h and c.
        """
        p, h, c = self._session.run(None, {"input": samples, "h": h, "c": c})
        return float(p.item()), h, c


class SileroVad:
    """A `VoiceDetector`. One window takes 0.14 ms of CPU: call it on the event loop."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._input = np.zeros((1, _CONTEXT + WINDOW), np.float32)
        self._h = np.zeros(_STATE, np.float32)
        self._c = np.zeros(_STATE, np.float32)

    def probability(self, window: NDArray[np.float32]) -> float:
        """Probability that `window` is speech.

        Args:
            window: float32 in [-1, 1], shape (512,), 16 kHz, following the last one.

        Raises:
            ValueError: `window` does not hold 512 samples.
        """
        if window.shape != (WINDOW,):
            raise ValueError(f"Silero takes windows of {WINDOW} samples, not {window.shape}")
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = window
        p, self._h, self._c = self._model.run(self._input, self._h, self._c)
        return p


def has_speech(pcm: NDArray[np.int16], detector: VoiceDetector, threshold: float = 0.5) -> bool:
    """True if somebody speaks anywhere in `pcm`.

    Stops at the first window that is speech, so that an utterance which an endpointer has cut
    costs a few windows, and only silence is read to its end.

    Args:
        pcm: int16 at 16 kHz, shape (samples,).
        detector: A fresh one.
        threshold: Probability from which a window is speech.
    """
    padded = np.pad(pcm, (0, -len(pcm) % WINDOW))
    windows = to_float(padded).reshape(-1, WINDOW)
    return any(detector.probability(window) >= threshold for window in windows)
