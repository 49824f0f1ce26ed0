"""The face as Azure's blend shapes: 55 numbers a frame, 60 frames a second.

Source of order and rate: Microsoft, "Get facial position with viseme", 3D blend shapes:
https://learn.microsoft.com/azure/ai-services/speech-service/how-to-speech-synthesis-viseme
"""

import numpy as np

from render.types import ARKIT, SPEECH_CLOCK_HZ, FacePose

FRAME_RATE_HZ = 60

FRAME_SAMPLES = SPEECH_CLOCK_HZ // FRAME_RATE_HZ

AZURE_BLENDSHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight",
    "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward",
    "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft",
    "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut", "headRoll", "leftEyeRoll", "rightEyeRoll",
)  # fmt: skip
"""ARKit's 52, in Azure's order, and three angles in radians."""

_ORDER = np.array([ARKIT.index(name) for name in AZURE_BLENDSHAPES[: len(ARKIT)]])
_ROLL = 2  # of `FacePose.head`


def blendshape_frame(pose: FacePose) -> list[float]:
    """A pose in Azure's order, to three places. Our eyes never roll."""
    weights = np.round(pose.weights[_ORDER].astype(float), 3).tolist()
    return [*weights, round(float(pose.head[_ROLL]), 3), 0.0, 0.0]
