"""What flows between the stages of the face."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

SPEECH_CLOCK_HZ = 48_000
"""Positions in a call are integer samples at this rate: Opus's own RTP clock."""

ARKIT = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft",
    "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 ARKit face blendshapes, alphabetical; the order of `FacePose.weights`.

Source: Apple, ARFaceAnchor.BlendShapeLocation.
"""


@dataclass(frozen=True, slots=True)
class FacePose:
    """How the face is at one instant.

    Attributes:
        weights: float32 in [0, 1], shape (52,), in `ARKIT` order.
        head: float32, shape (3,): yaw, pitch, roll in radians; yaw > 0 turns to the viewer's
            right, pitch > 0 looks up, roll > 0 tilts to the viewer's right.
        gaze: float32, shape (2,): yaw and pitch of the eyes in radians relative to the head,
            same signs. (0, 0) looks where the head points.
        breath: Rise of the shoulders, in [0, 1].
        at_sample: The sample on the speech clock that this instant belongs to.
        vergence: Radians between the eyes' directions: each turns in by half of it.
    """

    weights: NDArray[np.float32]
    head: NDArray[np.float32]
    gaze: NDArray[np.float32]
    breath: float
    at_sample: int
    vergence: float = 0.0


Feeling = Literal["happy", "sad", "concerned", "surprised", "thinking", "amused"]
FEELINGS: tuple[Feeling, ...] = get_args(Feeling)


@dataclass(frozen=True, slots=True)
class Emotion:
    """How much of each feeling a face shows; what they leave of 1 is neutral.

    Attributes:
        levels: In [0, 1], in the order of `FEELINGS`; their sum may not exceed 1.
    """

    levels: tuple[float, ...] = (0.0,) * len(FEELINGS)

    def __post_init__(self) -> None:
        total = sum(self.levels)
        if len(self.levels) != len(FEELINGS) or min(self.levels) < 0 or total > 1 + 1e-6:
            raise ValueError(f"not the levels of {len(FEELINGS)} feelings: {self.levels}")

    @classmethod
    def of(cls, **levels: float) -> "Emotion":
        """From names: `Emotion.of(happy=0.6, surprised=0.9)` is scaled down to a sum of 1.

        Raises:
            ValueError: There is no such feeling, or a level is below 0.
        """
        if unknown := levels.keys() - set(FEELINGS):
            raise ValueError(f"no such feeling: {', '.join(sorted(unknown))}")
        most = max(1.0, sum(levels.values()))
        return cls(tuple(levels.get(name, 0.0) / most for name in FEELINGS))

    def scaled(self, factor: float) -> "Emotion":
        """The same mixture, `factor` (in [0, 1]) as strong."""
        return Emotion(tuple(level * factor for level in self.levels))

    def __getitem__(self, name: Feeling) -> float:
        return self.levels[FEELINGS.index(name)]


NEUTRAL = Emotion()


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture.

    Attributes:
        i420: uint8, shape (height * 3 // 2, width): planar YUV 4:2:0 (BT.601, limited range).
        at_sample: The sample on the speech clock that it belongs to.
        cpu_s: CPU time that drawing it took here, in seconds.
    """

    i420: NDArray[np.uint8]
    at_sample: int
    cpu_s: float = 0.0

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.i420.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.i420.shape[0]) * 2 // 3


@dataclass(frozen=True, slots=True)
class VisemeTrack:
    """How the mouth moves for one chunk of speech.

    Attributes:
        weights: float32 in [0, 1], shape (frames, 52), in `ARKIT` order, `TRACK_RATE_HZ` frames
            a second; frame i belongs to sample `lead + i * rate / TRACK_RATE_HZ` of the chunk.
        lead: Samples on the speech clock by which frame 0 precedes the chunk's first sample
            (zero or negative: lips move before the sound).
        beats: Samples on the speech clock, from the chunk's first sample, of its stressed
            vowels: where brows and head may accent.
        seal: float32 in [0, 1], shape (frames,): how far the lips are claimed by a contact
            (p b m, f v) that no expression may open; None is never.
    """

    weights: NDArray[np.float32]
    lead: int = 0
    beats: tuple[int, ...] = ()
    seal: NDArray[np.float32] | None = None


TRACK_RATE_HZ = 100

FaceState = Literal["idle", "listening", "thinking", "speaking"]


@dataclass(frozen=True, slots=True)
class ScheduledSpeech:
    """A viseme track and its place on the speech clock.

    Attributes:
        track: The mouth's movement.
        start_sample: Where the chunk's first audio sample is (or will be) heard.
        end_sample: One past its last audio sample that is heard; moved forward by a barge-in.
        known_sample: Since when the face knows of it: it can't have prepared for it before.
        emotion: What its words feel like.
    """

    track: VisemeTrack
    start_sample: int
    end_sample: int
    known_sample: int = 0
    emotion: Emotion = NEUTRAL


@dataclass(frozen=True, slots=True)
class FaceCues:
    """All that a face knows of the conversation when it is posed.

    Attributes:
        speech: What was heard lately and what is next, in order.
        states: (first sample, state) of every change lately, in order; the last one holds now.
        nods: Samples at which to start a nod.
        moods: (first sample, emotion) of what the person said lately, in order: a listening face
            shares it for a while.
    """

    speech: tuple[ScheduledSpeech, ...] = ()
    states: tuple[tuple[int, FaceState], ...] = ((0, "idle"),)
    nods: tuple[int, ...] = ()
    moods: tuple[tuple[int, Emotion], ...] = ()
