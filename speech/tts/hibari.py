# ruff: noqa: RUF001  # IPA has letters that look like others
"""English voices of hibari (https://github.com/MMWilliams/hibari): small, a hundredth of real time.

Each is distilled from one voice of Kokoro-82M and reads the same alphabet, which is misaki's: IPA
with capitals for diphthongs.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
from hibari import dsp  # type: ignore[import-untyped]  # it ships no types
from hibari.g2p import G2P  # type: ignore[import-untyped]

from speech.errors import SynthesizerError
from speech.onnx import open_session
from speech.tts.shaping import RATE_HZ, Utterance, gain_for, shape, speech_level
from speech.tts.speaking import Pcm, speak
from speech.types import Clause, PhonemeTiming, SpeechChunk
from speech.worker import Worker

_DURATIONS = "/Cast_32_output_0"  # tensor inside the graph: each token's length
_UNIT = 600  # samples of a duration's unit
_ALIGNMENT_LAG = RATE_HZ * 50 // 1000  # the sound comes this much before its token
_CALIBRATION = "The quick brown fox jumps over the lazy dog, and nobody minds."
_SPELLED = re.compile(r"\b[A-Z](?: [A-Z])+s?\b")

MISAKI = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "ʤ": "dʒ", "ʧ": "tʃ",
    "ᵊ": "ə", "ᵻ": "ɪ", "T": "ɾ", "ʦ": "ts", "ʣ": "dz",
}  # fmt: skip
"""IPA of the symbols of misaki's alphabet that are not IPA."""


class HibariVoice:
    """Reads English aloud. Shared by all sessions: nothing is kept between two pieces of text."""

    def __init__(self, model_path: Path, speed: float = 1.0, *, british: bool = False) -> None:
        """Load the voice and make it speak once.

        Args:
            model_path: A voice of hibari as ONNX.
            speed: 1 is the voice's own pace, 2 twice as fast.
            british: Whether it is a British voice, which reads words by British rules.

        Raises:
            ModelStoreError: The file is missing or is not a model.
            SynthesizerError: It is a model, but not a voice of hibari.
        """
        self._session = open_session(model_path, _DURATIONS)
        assets = resources.files("hibari") / "assets" / "vocab.json"
        self._ids: dict[str, int] = json.loads(assets.read_text("utf-8"))
        self._g2p = G2P(british=british)
        self._speed = np.array([speed], np.float32)
        self._worker = Worker("hibari")
        try:
            heard = self._synthesize(_CALIBRATION, onnxruntime.RunOptions())
        except Exception as error:
            raise SynthesizerError(f"{model_path} is not a voice of hibari.") from error
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
        # The lexicon reads "USB" letter by letter, but a lone "A" as the article.
        text = _SPELLED.sub(lambda m: m[0].replace(" ", ""), spoken)
        symbols = [symbol for symbol in self._g2p(text) if symbol in self._ids]
        if not any(symbol.isalpha() for symbol in symbols):
            return Utterance(np.zeros(0, np.float32), (), np.zeros(0, np.int64))
        ids = np.array([[0, *(self._ids[symbol] for symbol in symbols), 0]], np.int64)
        *spectrum, durations = self._session.run(None, {"ids": ids, "speed": self._speed}, options)
        # A generator of its own: the same text sounds the same in every session.
        samples = dsp.synth(*(part[0] for part in spectrum), np.random.default_rng(0))
        ends = np.cumsum(durations.reshape(-1)).astype(np.int64) * _UNIT
        if ends[-1] != len(samples):
            raise SynthesizerError("The voice's timings don't fit its sound.")
        return Utterance(samples, ["", *symbols, ""], np.maximum(0, ends - _ALIGNMENT_LAG))
