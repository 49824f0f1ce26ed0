"""The speech stages. A backend is any class with the method; nothing is inherited.

Construction loads the model (and may be slow: call it in a thread); `close` is not needed unless
a class says so. Blocking inference runs in short steps in one worker thread per model.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from speech.types import (
    Clause,
    Language,
    Message,
    SpeechChunk,
    Tool,
    ToolCall,
    ToolChoice,
    Transcript,
)

LISTENING_RATE_HZ = 16_000


class VoiceDetector(Protocol):
    """Tells speech from everything else. Stateful: one per microphone."""

    def probability(self, window: NDArray[np.float32]) -> float:
        """Probability that `window` is speech.

        Args:
            window: float32 in [-1, 1], shape (512,), 16 kHz, following the last one.
        """
        ...


class TurnDetector(Protocol):
    """Judges from the sound alone whether a speaker has finished."""

    async def finished(self, pcm: NDArray[np.int16]) -> float:
        """Probability that the turn is over.

        Args:
            pcm: int16 at 16 kHz, shape (samples,), ending where the speech ended.
        """
        ...


class ClosingJudge(Protocol):
    """Judges from the words whether somebody has finished."""

    async def closes(self, text: str, language: Language) -> float:
        """How likely a sentence or all that they say ends behind these words.

        Args:
            text: As recognised, up to a pause.
            language: Of the words.

        Raises:
            StageError: The backend failed.
        """
        ...


class Recognizer(Protocol):
    """Writes down what was said.

    Attributes:
        interim_every_s: Seconds of new speech after which words so far are worth what they cost.
    """

    interim_every_s: float

    async def recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        """Transcribe one utterance, whole or so far.

        Args:
            pcm: int16 at 16 kHz, shape (samples,); any length, silence allowed.
            draft: An earlier transcript of the beginning of the same audio, to verify instead
                of decoding anew, by backends that can.

        Raises:
            RecognizerError: The backend failed.
        """
        ...


class LanguageModel(Protocol):
    """Writes the reply."""

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the reply as text deltas, in order, and the tool calls that it wants, whole.

        Closing the generator stops the model. It calls nothing itself: the results come in
        `messages`, and the model is asked again.

        Args:
            messages: The conversation.
            tools: That it may ask for. Names and arguments of what it asks for are unchecked.
            tool_choice: Whether it may, or must.

        Raises:
            LanguageModelError: The backend failed; nothing more will come.
        """
        ...

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> bool:
        """Read `messages` ahead, so that a reply to them, or to them and more, starts sooner.

        A hint: backends that can't, return at once. Cancellable.

        Returns:
            Whether it is of no use to ask for the same again; not if it gave way to something.
        """
        ...


class Synthesizer(Protocol):
    """Reads clauses aloud."""

    def speak(self, clauses: AsyncIterator[Clause]) -> AsyncGenerator[SpeechChunk, None]:
        """Yield one or more chunks per clause, in order, as soon as each is ready.

        Raises:
            SynthesizerError: The backend failed; nothing more will come.
        """
        ...
