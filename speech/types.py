"""What flows between the speech stages: audio in, words, audio out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Language = Literal["en", "es"]
Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A run of mono PCM at a known place in its stream.

    Attributes:
        pcm: int16, shape (samples,).
        sample_rate: Samples per second, in Hz.
        start_sample: Index of pcm[0] since the stream began.
    """

    pcm: NDArray[np.int16]
    sample_rate: int
    start_sample: int = 0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / self.sample_rate


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one stretch of audio.

    Attributes:
        text: The words, with the recogniser's own casing and punctuation.
        language: Language that was recognised.
        tokens: The recogniser's own token ids; a later call may verify them as a draft.
    """

    text: str
    language: Language
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """What a language model may ask for.

    Attributes:
        name: Letters, digits, `_` and `-`; 64 at most.
        description: For the model: what it does, and when to use it.
        parameters: JSON schema of the arguments, which are one object.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The model must call this tool."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedTool
"""Whether the model may, must not or must call a tool, or which one it must call."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A language model asks for a tool.

    Attributes:
        call_id: Names the call; its result carries the same.
        name: Of the tool.
        arguments: A JSON object, as text, as the model wrote it.
    """

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, in the shape that chat models take.

    Attributes:
        role: Whose it is; `tool` for the result of a call.
        content: The words; may be empty beside `tool_calls`.
        tool_calls: An assistant's.
        call_id: Of a result: the call that it is the result of.
        to_be_worded: Of a result: whether it is to be put into words as the instructions say, even
            if it could be said as it stands.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    to_be_worded: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of reply short enough to speak at once.

    Attributes:
        text: As the model wrote it, for captions and history, trailing space included.
        spoken: Normalised for speech: no digits, symbols, markdown or emoji. May be empty.
    """

    text: str
    spoken: str


@dataclass(frozen=True, slots=True)
class PhonemeTiming:
    """One phoneme and when it sounds, in samples from the start of its chunk.

    Attributes:
        phoneme: IPA symbol, without stress or length marks.
        start_sample: First sample, at the chunk's own rate.
        end_sample: One past the last sample.
        stressed: True on the vowel that carries primary stress.
        starts_word: True on the first phoneme of a word.
    """

    phoneme: str
    start_sample: int
    end_sample: int
    stressed: bool = False
    starts_word: bool = False


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Speech ready to be played: a stretch of text, its audio and its phonemes.

    Attributes:
        text: The text of this chunk as displayed (`Clause.text`), so that the concatenation of
            a reply's chunks is the reply.
        audio: Mono PCM; may be empty when the text has nothing to say aloud.
        phonemes: In order, not overlapping, within the audio; empty when the backend has none.
    """

    text: str
    audio: AudioFrame
    phonemes: tuple[PhonemeTiming, ...] = ()
