"""Speech recognition in many languages with Whisper, through CTranslate2.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022). Whisper always
reads 30 s, which costs a second here whatever was said; this reads a window that fits.
"""

import functools
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from speech.audio import split_at_quiet, to_float
from speech.errors import ModelStoreError, RecognizerError
from speech.mel import log_mel
from speech.stages import LISTENING_RATE_HZ
from speech.types import Language, Transcript
from speech.vad import DetectorFactory, has_speech
from speech.worker import Worker

_SHORTEST_WINDOW_S = 8  # with less context it repeats itself: WER 70 %
_WINDOW_STEP_S = 2
_WINDOW_S = 30  # that it was trained on
_TAIL_S = 0.5  # of silence that closes the last word
_TOKENS_PER_S = 9  # the fastest speech stays under it: what is beyond is a loop
_END_OF_TEXT = {True: 50257, False: 50256}  # by multilingual or not: no text from here on

# When not to believe it: section 4.5 of the paper.
_NO_SPEECH = 0.6
_UNSURE = -1.0  # mean log probability of the tokens
_REPETITIVE = 2.4  # bytes of text to bytes of the same text, deflated


@dataclass(frozen=True, slots=True)
class _Guess:
    tokens: tuple[int, ...]
    text: str
    mean_log_probability: float
    no_speech: float

    @property
    def repeats_itself(self) -> bool:
        encoded = self.text.encode()
        return len(encoded) > _REPETITIVE * len(zlib.compress(encoded))

    @property
    def credible(self) -> bool:
        return self.mean_log_probability > _UNSURE and not self.repeats_itself

    @property
    def imagined(self) -> bool:
        return self.no_speech > _NO_SPEECH and self.mean_log_probability < _UNSURE


class Whisper:
    """A `Recognizer` for one language. Drafts do not help it: each call decodes anew.

    Args:
        folder: A CTranslate2 Whisper model: model.bin, config.json, vocabulary.txt.
        language: That is spoken.
        voice: Makes the detector that keeps silence and noise from the network, which would hear
            words in them ("Subtitles by ...").

    Raises:
        ModelStoreError: A file is missing or is not what it should be.
    """

    interim_every_s = 1.0

    def __init__(self, folder: Path, language: Language, voice: DetectorFactory) -> None:
        try:
            # int8 against float32: half the CPU time, the same words (measured on x86-64).
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise ModelStoreError(f"Can't load {folder}. Run `presencia models verify`.") from error
        multilingual = self._model.is_multilingual
        self._language: Language = language
        asked = [f"<|{language}|>", "<|transcribe|>"] if multilingual else []
        self._prompt = ["<|startoftranscript|>", *asked, "<|notimestamps|>"]
        self._end_of_text = _END_OF_TEXT[multilingual]
        self._voice = voice
        self._worker = Worker("whisper")

    async def recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        """Transcribe one utterance, whole or so far.

        Args:
            pcm: int16 at 16 kHz, shape (samples,); any length, silence allowed.
            draft: Not used.

        Raises:
            RecognizerError: The network failed.
        """
        cancelled = threading.Event()
        return await self._worker.run(lambda: self._transcribe(pcm, cancelled), cancelled.set)

    def close(self) -> None:
        """Free the worker thread."""
        self._worker.close()

    def _transcribe(self, pcm: NDArray[np.int16], cancelled: threading.Event) -> Transcript:
        heard: list[_Guess] = []
        if has_speech(pcm, self._voice()):
            for part in split_at_quiet(pcm, LISTENING_RATE_HZ, _WINDOW_S - _TAIL_S):
                if cancelled.is_set():
                    break
                heard.append(self._hear(part, cancelled))
        return Transcript(
            " ".join(guess.text for guess in heard if guess.text),
            self._language,
            tuple(token for guess in heard for token in guess.tokens),
        )

    def _hear(self, pcm: NDArray[np.int16], cancelled: threading.Event) -> _Guess:
        """Transcribe at most 30 s: in a window that fits, and if that went wrong, in a full one."""
        seconds = len(pcm) / LISTENING_RATE_HZ
        window_s = -(-(seconds + _TAIL_S) // _WINDOW_STEP_S) * _WINDOW_STEP_S
        window_s = min(max(window_s, _SHORTEST_WINDOW_S), _WINDOW_S)
        guess = self._decode(pcm, int(window_s), 0, cancelled)
        if not (guess.imagined or guess.credible or cancelled.is_set()):
            guess = self._decode(pcm, _WINDOW_S, 4, cancelled)
        return replace(guess, tokens=(), text="") if guess.imagined else guess

    def _decode(
        self, pcm: NDArray[np.int16], window_s: int, no_repeat: int, cancelled: threading.Event
    ) -> _Guess:
        """Decode greedily, never twice the same `no_repeat` tokens in a row (0: no such rule)."""
        samples = to_float(pcm)
        samples = np.pad(samples, (0, window_s * LISTENING_RATE_HZ - len(samples)))
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(log_mel(samples)[None]))
        limit = len(self._prompt) + 8 + int(len(pcm) / LISTENING_RATE_HZ * _TOKENS_PER_S)
        try:
            encoded = self._model.encode(features)
            if cancelled.is_set():  # neither call can be stopped; each is half of the time
                return _Guess((), "", 0.0, 0.0)
            (result,) = self._model.generate(
                encoded,
                [self._prompt],
                beam_size=1,
                max_length=limit,
                no_repeat_ngram_size=no_repeat,
                return_scores=True,
                return_no_speech_prob=True,
            )
        except (RuntimeError, ValueError) as error:
            raise RecognizerError("Whisper failed on this audio.") from error
        tokens = tuple(token for token in result.sequences_ids[0] if token < self._end_of_text)
        text = _text(result.sequences[0][: len(tokens)])
        return _Guess(tokens, text, result.scores[0], result.no_speech_prob)


def _text(pieces: Sequence[str]) -> str:
    """Join byte-level BPE tokens: each character of them stands for one byte."""
    table = _byte_of()
    packed = bytes(table[character] for piece in pieces for character in piece)
    return packed.decode("utf-8", errors="ignore").strip()


@functools.cache
def _byte_of() -> dict[str, int]:
    """GPT-2's alphabet (Radford et al. 2019): printable Latin-1 is itself, the rest from U+0100."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in printable]
    shifted = {chr(256 + place): byte for place, byte in enumerate(hidden)}
    return shifted | {chr(byte): byte for byte in printable}
