"""End of turn judged from the sound, with smart-turn v3.2."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from speech.audio import to_float
from speech.mel import RATE_HZ, log_mel
from speech.onnx import open_session
from speech.worker import Worker

_HEARD = 8 * RATE_HZ  # samples that the network was trained on: the last 8 s


class SmartTurn:
    """A `TurnDetector`: intonation and rhythm, in any of 23 languages. About 60 ms of CPU.

    It says "finished" too readily about fragments: a soft signal, to be weighed with silence.

    Args:
        path: smart-turn-v3.2-cpu.onnx.

    Raises:
        ModelStoreError: The file is missing or is not a model.
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self._worker = Worker("smart-turn")

    async def finished(self, pcm: NDArray[np.int16]) -> float:
        """Probability that the turn is over.

        Args:
            pcm: int16 at 16 kHz, shape (samples,), ending where the speech ended.
        """
        options = onnxruntime.RunOptions()

        def judge() -> float:
            (p,) = self._session.run(None, {"input_features": _features(pcm)[None]}, options)
            return float(p.item())

        def cancel() -> None:
            options.terminate = True

        return await self._worker.run(judge, cancel)

    def close(self) -> None:
        """Free the worker thread."""
        self._worker.close()


def _features(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Log-mel of the last 8 s, silence in front if there is less: float32, shape (80, 800)."""
    heard = pcm[-_HEARD:]
    samples = np.pad(to_float(heard), (_HEARD - len(heard), 0))
    # The network was trained on waveforms of zero mean and unit variance, padding included.
    return log_mel((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7))
