"""Spanish voices of Kokoro-82M (https://huggingface.co/hexgrad/Kokoro-82M), int8 ONNX export."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from speech.errors import ModelStoreError, SynthesizerError
from speech.onnx import open_session
from speech.text.spanish_phonemes import spanish_phonemes
from speech.tts.hibari import MISAKI
from speech.tts.shaping import RATE_HZ, Utterance, gain_for, shape, speech_level
from speech.tts.speaking import Pcm, speak
from speech.types import Clause, Language, PhonemeTiming, SpeechChunk
from speech.worker import Worker

_DURATIONS = "/encoder/Clip_output_0"  # tensor inside the graph: each token's length
_UNIT = 600  # samples of a duration's unit
_ALIGNMENT_LAG = RATE_HZ * 50 // 1000  # the sound comes this much before its token
_STYLE = 256  # numbers of a style vector; a voice has one for every number of tokens
_SHORT = 20  # symbols; so short a text loses its end ("Hola" is heard as "Golad") without...
_TAIL = ", ."  # ...more punctuation after it
_CALIBRATION = "El perro corre por el parque, y nadie lo mira."
_PHONEMES = {"es": spanish_phonemes}


class KokoroVoice:
    """Reads Spanish aloud. Shared by all sessions: nothing is kept between two pieces of text."""

    def __init__(
        self, folder: Path, voice: str = "ef_dora", language: Language = "es", speed: float = 1.0
    ) -> None:
        """Load the voice and make it speak once.

        Args:
            folder: Holds model.onnx, config.json (for its "vocab") and the voice's .bin: float32,
                shape (token counts, 1, 256).
            voice: Name of a .bin in the folder.
            language: Of the text, and of the voice: a key of `_PHONEMES`.
            speed: 1 is the voice's own pace, 2 twice as fast.

        Raises:
            ModelStoreError: A file is missing or is not what it should be.
            SynthesizerError: No rules for this language, or the model can't be used.
        """
        if language not in _PHONEMES:
            raise SynthesizerError(f"Kokoro can't read {language} here. Choose another voice.")
        self._phonemes = _PHONEMES[language]
        self._session = open_session(folder / "model.onnx", _DURATIONS)
        self._ids, self._styles = _read_folder(folder, voice)
        self._speed = np.array([speed], np.float32)
        self._worker = Worker("kokoro")
        try:
            heard = self._synthesize(_CALIBRATION, onnxruntime.RunOptions())
        except Exception as error:
            raise SynthesizerError(f"{folder} holds no Kokoro that can be used.") from error
        self._gain = gain_for(speech_level(heard.samples))

    def speak(self, clauses: AsyncIterator[Clause]) -> AsyncGenerator[SpeechChunk, None]:
        """Yield a chunk of 24 kHz audio with phonemes for each clause; see `Synthesizer`."""
        return speak(clauses, self._read, self._worker)

    def close(self) -> None:
        """Free the worker thread."""
        self._worker.close()

    def _read(
        self, spoken: str, options: onnxruntime.RunOptions
    ) -> tuple[Pcm, tuple[PhonemeTiming, ...]]:
        utterance = self._synthesize(spoken, options)
        return shape(utterance, self._gain, spoken[-1:], MISAKI)

    def _synthesize(self, spoken: str, options: onnxruntime.RunOptions) -> Utterance:
        symbols = [symbol for symbol in self._phonemes(spoken) if symbol in self._ids]
        if not any(symbol.isalpha() for symbol in symbols):
            return Utterance(np.zeros(0, np.float32), (), np.zeros(0, np.int64))
        if len(symbols) < _SHORT:
            symbols += _TAIL
        symbols = symbols[: len(self._styles) - 1]
        inputs = {
            "tokens": np.array([[0, *(self._ids[symbol] for symbol in symbols), 0]], np.int64),
            "style": self._styles[len(symbols)],
            "speed": self._speed,
        }
        samples, durations = self._session.run(None, inputs, options)
        ends = np.cumsum(durations.reshape(-1)).astype(np.int64) * _UNIT
        if ends[-1] != len(samples):
            raise SynthesizerError("The voice's timings don't fit its sound.")
        return Utterance(samples, ["", *symbols, ""], np.maximum(0, ends - _ALIGNMENT_LAG))


def _read_folder(folder: Path, voice: str) -> tuple[dict[str, int], NDArray[np.float32]]:
    """Ids of the phoneme symbols, and the voice's styles of shape (token counts, 1, 256)."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        styles = np.fromfile(folder / f"{voice}.bin", np.float32)
        return config["vocab"], styles.reshape(-1, 1, _STYLE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"No voice {voice} in {folder}. Run `presencia models verify`."
        raise ModelStoreError(message) from error
