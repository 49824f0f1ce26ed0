"""Reads clauses one after the other with a model that reads one piece of text at a time."""

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

import numpy as np
import onnxruntime

from speech.errors import SynthesizerError
from speech.tts.shaping import RATE_HZ
from speech.types import AudioFrame, Clause, PhonemeTiming, SpeechChunk
from speech.worker import Worker

_log = logging.getLogger(__name__)

Pcm = np.ndarray[tuple[int], np.dtype[np.int16]]
Read = Callable[[str, onnxruntime.RunOptions], tuple[Pcm, tuple[PhonemeTiming, ...]]]
"""Blocking: text without digits or symbols -> int16 PCM at 24 kHz and its phonemes."""

_LONGEST = 250  # characters read at once: about 15 s; models lose quality and memory beyond


async def speak(
    clauses: AsyncIterator[Clause], read: Read, worker: Worker
) -> AsyncGenerator[SpeechChunk, None]:
    """Yield one chunk a clause, or several of a long one, each as soon as it is read.

    When the caller is cancelled, the model stops at its next step.

    Raises:
        SynthesizerError: `read` failed.
    """
    async for clause in clauses:
        if not clause.spoken:
            yield SpeechChunk(clause.text, AudioFrame(np.zeros(0, np.int16), RATE_HZ))
        for text, spoken in _pieces(clause):
            options = onnxruntime.RunOptions()

            def call(
                spoken: str = spoken, options: onnxruntime.RunOptions = options
            ) -> SpeechChunk:
                pcm, phonemes = read(spoken, options)
                return SpeechChunk("", AudioFrame(pcm, RATE_HZ), phonemes)

            def cancel(options: onnxruntime.RunOptions = options) -> None:
                options.terminate = True

            try:
                chunk = await worker.run(call, cancel)
            except Exception as error:  # onnxruntime raises unrelated classes
                _log.exception("synthesis failed", extra={"characters": len(spoken)})
                raise SynthesizerError("The voice failed. Try again, or another voice.") from error
            yield SpeechChunk(text, chunk.audio, chunk.phonemes)


def _pieces(clause: Clause) -> Iterator[tuple[str, str]]:
    """Cut a long clause: (displayed, spoken) pairs, whose displayed parts join to `clause.text`."""
    text, spoken = clause.text, clause.spoken
    while len(spoken) > _LONGEST:
        cut = _last_break(spoken)
        shown = _word_end(text, round(len(text) * cut / len(spoken)))
        yield text[:shown], spoken[:cut].strip()
        text, spoken = text[shown:], spoken[cut:]
    if spoken:
        yield text, spoken.strip()


def _last_break(spoken: str) -> int:
    """Where to cut within the limit: after punctuation, else between words, else anywhere."""
    for pattern in (r"[.!?;:] ", r", ", r" "):
        ends = [m.end() for m in re.finditer(pattern, spoken[:_LONGEST])]
        if ends and ends[-1] > _LONGEST // 3:
            return ends[-1]
    return _LONGEST


def _word_end(text: str, near: int) -> int:
    """The end of the word, and of the space after it, that stands at `near`."""
    m = re.compile(r"\S*\s*").match(text, near)
    return m.end() if m else near
