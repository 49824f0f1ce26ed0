"""The stages of the face. Any class with the method will do; nothing is inherited."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from render.types import FaceCues, FacePose, VideoFrame, VisemeTrack
from speech.types import SpeechChunk


class LipSync(Protocol):
    """Turns speech into mouth movement."""

    def animate(self, chunk: SpeechChunk) -> VisemeTrack:
        """Mouth movement for `chunk`, from its phonemes, or its audio where it has none."""
        ...


class Animator(Protocol):
    """Moves the whole face: mouth, eyes, brows, head, breath."""

    def pose(self, at_sample: int, cues: FaceCues) -> FacePose:
        """The face at one instant: a pure function of time, seed and cues."""
        ...

    def is_blinking(self, at_sample: int, cues: FaceCues) -> bool:
        """Whether the lids move: worth every frame, even of a face that is idle."""
        ...


class Renderer(Protocol):
    """Draws poses."""

    def render(self, poses: AsyncIterator[FacePose]) -> AsyncGenerator[VideoFrame, None]:
        """Yield one frame per pose, in order, off the event loop.

        Raises:
            RenderError: The backend failed; nothing more will come.
        """
        ...
