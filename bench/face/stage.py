"""A face on a stage of its own: poses in states, poses that speak, frames of them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.face.library import face_folder
from avatar.store import ModelStore
from render.animator import FaceAnimator
from render.baked.asset import BakedFace
from render.baked.compositor import Compositor
from render.baked.renderer import compositor, warm
from render.lipsync import PhonemeLipSync
from render.types import (
    ARKIT,
    NEUTRAL,
    SPEECH_CLOCK_HZ,
    Emotion,
    FaceCues,
    FacePose,
    FaceState,
    ScheduledSpeech,
)
from render.visemes import sides
from speech.types import SpeechChunk

FPS = 25
FRAME = SPEECH_CLOCK_HZ // FPS
SEED = 7
_START = 10 * SPEECH_CLOCK_HZ
_AROUND = SPEECH_CLOCK_HZ * 3 // 5


@dataclass(frozen=True, slots=True)
class Actor:
    """A face that can be drawn in any size.

    Attributes:
        name: Of its folder.
        folder: Where it is.
        face: Loaded.
    """

    name: str
    folder: Path
    face: BakedFace

    @classmethod
    def load(cls, name: str) -> "Actor":
        """Load a face by its name or path.

        Raises:
            ConfigError: There is no such face.
            RenderError: Its files are damaged.
        """
        folder = face_folder(name)
        return cls(folder.name, folder, BakedFace.load(folder))

    def stage(self, width: int, height: int) -> Compositor:
        """What draws it in one size, warm."""
        warm(self.face, width, height, ModelStore.default().cache / "kernels")
        return compositor(self.face, width, height)


@dataclass(frozen=True, slots=True)
class Performance:
    """Chunks said one right after the other, and how the face moves with them.

    Attributes:
        chunks: At 48 kHz.
        starts: Sample on the speech clock at which each begins.
        cues: What the face knows.
        poses: One per frame at 25 fps, from before the first sound to after the last.
    """

    chunks: Sequence[SpeechChunk]
    starts: Sequence[int]
    cues: FaceCues
    poses: list[FacePose] = field(repr=False)

    @property
    def first_sample(self) -> int:
        """Of the sound."""
        return self.starts[0]


def perform(
    chunks: Sequence[SpeechChunk], *, phase: int = 0, emotion: Emotion = NEUTRAL
) -> Performance:
    """Move a face with speech.

    Args:
        chunks: At 48 kHz, in order.
        phase: Samples from a frame to the first sound, in [0, FRAME).
        emotion: What the words feel like.
    """
    lips = PhonemeLipSync()
    starts, speech, at = [], [], _START + phase
    for chunk in chunks:
        end = at + len(chunk.audio.pcm)
        starts.append(at)
        speech.append(ScheduledSpeech(lips.animate(chunk), at, end, emotion=emotion))
        at = end
    cues = FaceCues(
        tuple(speech), ((0, "listening"), (starts[0] - FRAME, "speaking"), (at, "listening"))
    )
    animator = FaceAnimator(SEED)
    first = _START - _AROUND // FRAME * FRAME
    poses = [animator.pose(n, cues) for n in range(first, at + _AROUND, FRAME)]
    return Performance(chunks, starts, cues, poses)


def resting(state: FaceState, seconds: float, start_s: float = 100.0) -> list[FacePose]:
    """Poses of a state without speech, at 25 fps."""
    animator, cues = FaceAnimator(SEED), FaceCues((), ((0, state),))
    first = round(start_s * SPEECH_CLOCK_HZ)
    return [animator.pose(first + k * FRAME, cues) for k in range(round(seconds * FPS))]


def still(
    weights: dict[str, float] | NDArray[np.float32] | None = None,
    head_deg: tuple[float, float, float] = (0, 0, 0),
    gaze_deg: tuple[float, float] = (0, 0),
) -> FacePose:
    """A pose from a few weights (a name without a side means both) or all 52, and degrees."""
    array = np.zeros(len(ARKIT), np.float32)
    if isinstance(weights, np.ndarray):
        array[:] = weights
    else:
        for name, weight in (weights or {}).items():
            array[list(sides(name))] = weight
    head, gaze = (np.radians(angles).astype(np.float32) for angles in (head_deg, gaze_deg))
    return FacePose(array, head, gaze, breath=0.0, at_sample=0)


def drawn(stage: Compositor, poses: Iterable[FacePose]) -> Iterator[NDArray[np.uint8]]:
    """I420 frames of poses."""
    for pose in poses:
        yield stage.draw(pose)


def cpu_ms(stage: Compositor, poses: Sequence[FacePose]) -> list[float]:
    """This thread's CPU time for each pose, after the first few."""
    for pose in poses[:5]:
        stage.draw(pose)
    spent = []
    for pose in poses[5:]:
        started_s = time.thread_time()
        stage.draw(pose)
        spent.append((time.thread_time() - started_s) * 1e3)
    return spent
