"""English speech recognition with Moonshine tiny, on plain onnxruntime.

Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands" (2024):
an encoder over the raw waveform without padding to 30 s, so that short utterances cost little, and
a small autoregressive decoder.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from speech.audio import split_at_quiet, to_float
from speech.errors import ModelStoreError, RecognizerError
from speech.onnx import open_session
from speech.stages import LISTENING_RATE_HZ
from speech.types import Transcript
from speech.vad import DetectorFactory, has_speech
from speech.worker import Worker

_START, _END = 1, 2  # tokens
_HEADS, _HEAD_WIDTH = 8, 36

_TOKENS_PER_S = 6.5  # the fastest speech in print stays under it: what is beyond is a loop
_LONGEST_S = 30  # of one inference; memory grows with the square
_TAIL_S = 0.2  # of quiet that the network needs after the last word, or it drops the word

Cache = dict[str, NDArray[np.float32]]


class Moonshine:
    """A `Recognizer` for English.

    With a draft, the decoder reads all of it in one pass and goes on from where it disagrees:
    an interim transcript makes the final one cheap.

    Args:
        folder: Holds encoder_model.ort, decoder_model_merged.ort and tokenizer.bin.
        voice: Makes the detector that keeps silence and noise from the network, which would hear
            words in them ("You").

    Raises:
        ModelStoreError: A file is missing or is not what it should be.
    """

    interim_every_s = 0.16

    def __init__(self, folder: Path, voice: DetectorFactory) -> None:
        self._encoder = open_session(folder / "encoder_model.ort")
        self._decoder = open_session(folder / "decoder_model_merged.ort")
        self._vocabulary = _read_vocabulary(folder / "tokenizer.bin")
        self._voice = voice
        self._worker = Worker("moonshine")
        inputs = [i.name for i in self._decoder.get_inputs()]
        self._past = [name for name in inputs if name.startswith("past_key_values")]
        self._own_past = [name for name in self._past if ".decoder." in name]
        self._present = {name: name.replace("past_key_values", "present") for name in self._past}

    async def recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        """Transcribe one utterance, whole or so far.

        Args:
            pcm: int16 at 16 kHz, shape (samples,); any length, silence allowed.
            draft: An earlier transcript of the beginning of the same audio, verified instead of
                decoded anew.

        Raises:
            RecognizerError: The network failed.
        """
        options = onnxruntime.RunOptions()

        def cancel() -> None:
            options.terminate = True  # this run ends at its next node, and later ones at once

        return await self._worker.run(
            lambda: self._transcribe(pcm, draft.tokens if draft else (), options), cancel
        )

    def close(self) -> None:
        """Free the worker thread."""
        self._worker.close()

    def _transcribe(
        self, pcm: NDArray[np.int16], draft: Sequence[int], options: onnxruntime.RunOptions
    ) -> Transcript:
        if not has_speech(pcm, self._voice()):
            return Transcript("", "en")
        tokens: list[int] = []
        for part in split_at_quiet(pcm, LISTENING_RATE_HZ, _LONGEST_S):
            try:
                tokens += self._decode(part, draft[len(tokens) :], options)
            except Exception as error:
                # onnxruntime's errors share no base class but Exception.
                raise RecognizerError("Moonshine failed on this audio.") from error
        return Transcript(self._text(tokens), "en", tuple(tokens))

    def _decode(
        self, pcm: NDArray[np.int16], draft: Sequence[int], options: onnxruntime.RunOptions
    ) -> list[int]:
        """Greedy decoding of at most 30 s: the tokens, without start and end."""
        samples = np.pad(to_float(pcm), (0, int(_TAIL_S * LISTENING_RATE_HZ)))[None]
        # The decoder's graph divides this mask down to the encoder's rate by itself: a mask of
        # the encoder's own length works only up to about 9 s.
        mask = np.ones(samples.shape, np.int64)
        (hidden,) = self._encoder.run(
            None, {"input_values": samples, "attention_mask": mask}, options
        )
        limit = int(len(pcm) / LISTENING_RATE_HZ * _TOKENS_PER_S) + 6
        draft = [token for token in draft[:limit] if 0 <= token < len(self._vocabulary)]

        def step(
            tokens: Sequence[int], past: Cache, first: bool
        ) -> tuple[NDArray[np.int64], Cache]:
            kept = self._past if first else self._own_past
            best, *present = self._decoder.run(
                ["logits", *(self._present[name] for name in kept)],
                {
                    "input_ids": np.array([tokens], np.int64),
                    "encoder_hidden_states": hidden,
                    "encoder_attention_mask": mask,
                    "use_cache_branch": np.array([not first]),
                    **past,
                },
                options,
            )
            return best[0].argmax(axis=-1), {**past, **dict(zip(kept, present, strict=True))}

        nothing = np.zeros((1, _HEADS, 0, _HEAD_WIDTH), np.float32)
        best, past = step([_START, *draft], dict.fromkeys(self._past, nothing), True)
        agreed = 0
        while agreed < len(draft) and best[agreed] == draft[agreed]:
            agreed += 1
        for name in self._own_past:  # forget the rest of the draft
            past[name] = past[name][:, :, : agreed + 1]
        tokens, token = draft[:agreed], int(best[agreed])
        while token != _END and len(tokens) < limit:
            tokens.append(token)
            best, past = step([token], past, False)
            token = int(best[-1])
        return tokens

    def _text(self, tokens: Sequence[int]) -> str:
        pieces = b"".join(self._vocabulary[token] for token in tokens)
        return (
            pieces.decode("utf-8", errors="ignore")
            .replace("\N{LOWER ONE EIGHTH BLOCK}", " ")
            .strip()
        )


def _read_vocabulary(path: Path) -> list[bytes]:
    """Read tokenizer.bin: for each token its length (one byte, or two from 128 on) and its bytes.

    Byte tokens (`<0x41>`) become their byte, and control tokens (`<s>`) become nothing.
    """
    try:
        packed = path.read_bytes()
        vocabulary, at = [], 0
        while at < len(packed):
            length = packed[at]
            at += 1
            if length >= 128:
                length = length - 128 + packed[at] * 128
                at += 1
            vocabulary.append(_bytes_of(packed[at : at + length]))
            at += length
    except (OSError, IndexError, ValueError) as error:
        raise ModelStoreError(f"Can't read {path}. Run `presencia models verify`.") from error
    return vocabulary


def _bytes_of(piece: bytes) -> bytes:
    if piece.startswith(b"<0x") and piece.endswith(b">"):
        return bytes.fromhex(piece[3:-1].decode("ascii"))
    return b"" if piece.startswith(b"<") and piece.endswith(b">") else piece
