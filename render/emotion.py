"""Feelings as they show in a face: weights, bearing, and how they share the mouth with speech.

The expressions follow the action units that FACS gives for the basic emotions (Ekman & Friesen
1978; Ekman, Friesen & Hager 2002), translated to ARKit's blendshapes: happy 6+12, sad
1+4+15, surprised 1+2+5+26; concerned is the brow of sadness over a calm mouth, amused a happy
face that narrows its eyes, thinking 4+7 with lips drawn aside. Strengths were set by eye on the
baked faces, for somebody who talks to you and not for an actor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.types import ARKIT, FEELINGS, Feeling
from render.visemes import sides

Weights = NDArray[np.float32]

_FACES: dict[Feeling, dict[str, float]] = {
    "happy": {
        "mouthSmile": 0.72, "cheekSquint": 0.46, "eyeSquint": 0.16, "mouthDimple": 0.12,
        "browOuterUp": 0.14,
    },
    "sad": {
        "browInnerUp": 0.62, "browDown": 0.14, "mouthFrown": 0.42, "mouthShrugLower": 0.16,
        "eyeSquint": 0.10, "eyeBlink": 0.10,
    },
    "concerned": {
        "browInnerUp": 0.52, "browDown": 0.26, "mouthFrown": 0.14, "eyeSquint": 0.10,
        "mouthPress": 0.08,
    },
    "surprised": {
        "browInnerUp": 0.66, "browOuterUp": 0.62, "eyeWide": 0.52, "jawOpen": 0.16,
        "mouthFunnel": 0.06,
    },
    "thinking": {
        "browDownLeft": 0.30, "browDownRight": 0.16, "browOuterUpRight": 0.16, "eyeSquint": 0.24,
        "mouthPress": 0.16, "mouthLeft": 0.14, "mouthPucker": 0.10,
    },
    "amused": {
        "mouthSmileLeft": 0.64, "mouthSmileRight": 0.38, "cheekSquint": 0.46, "eyeSquint": 0.36,
        "browOuterUpLeft": 0.30, "browOuterUpRight": 0.08, "mouthDimple": 0.16, "mouthPress": 0.08,
    },
}  # fmt: skip
"""Names without a side mean both sides."""


@dataclass(frozen=True, slots=True)
class Carriage:
    """What a feeling does to head and eyes, at its full level.

    Attributes:
        head: Yaw, pitch and roll added, in radians.
        gaze: Yaw and pitch added to where the eyes look, in radians.
        blinks: Blinks added; below 0, left out.
        energy: Added to how far head and brows move with speech, as a factor above 1.
    """

    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    blinks: float = 0.0
    energy: float = 0.0


_CARRIAGES: dict[Feeling, Carriage] = {
    "happy": Carriage((0.0, 0.012, 0.022), energy=0.25),
    "sad": Carriage((0.012, -0.050, 0.030), (0.0, -0.050), blinks=0.5, energy=-0.55),
    "concerned": Carriage((0.0, -0.022, 0.045), blinks=0.2, energy=-0.35),
    "surprised": Carriage((0.0, 0.034, 0.0), blinks=-1.0, energy=0.35),
    "thinking": Carriage((-0.030, 0.020, -0.030), (0.10, 0.09), blinks=0.4, energy=-0.40),
    "amused": Carriage((0.014, 0.010, 0.040), blinks=0.2, energy=0.30),
}

_BEARINGS = np.array(
    [(*c.head, *c.gaze, c.blinks, c.energy) for c in (_CARRIAGES[f] for f in FEELINGS)]
)

_OPENERS = [
    i for name in ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(name)
]
_MOUTH = np.array([name.startswith(("mouth", "jaw")) for name in ARKIT])
_SHAPERS = [i for i in np.flatnonzero(_MOUTH).tolist() if i not in _OPENERS]
_SMILE = list(sides("mouthSmile"))
_ROUNDING = [ARKIT.index("mouthPucker"), ARKIT.index("mouthFunnel")]
_UNFELT = 0.4  # of an expression's mouth, that speech takes away
_SEALED = 0.5  # the same, that a contact of the lips takes away
_WIDENING = 0.3  # of a vowel's rounding, that a full smile takes away


def _faces() -> Weights:
    out = np.zeros((len(FEELINGS), len(ARKIT)), np.float32)
    for row, feeling in enumerate(FEELINGS):
        for name, weight in _FACES[feeling].items():
            out[row, list(sides(name))] = weight
    return out


FACES: Weights = _faces()
"""float32, shape (6, 52): the whole expression of each of `FEELINGS`."""


def expression(levels: NDArray[np.float64]) -> Weights:
    """ARKit weights, float32 of shape (52,), of a mixture of feelings, shape (6,)."""
    out: Weights = levels.astype(np.float32) @ FACES
    return out


def carriage(levels: NDArray[np.float64]) -> Carriage:
    """The bearing of a mixture of feelings, shape (6,)."""
    yaw, pitch, roll, eye_yaw, eye_pitch, blinks, energy = (levels @ _BEARINGS).tolist()
    return Carriage((yaw, pitch, roll), (eye_yaw, eye_pitch), blinks, energy)


def blended(speech: Weights, felt: Weights, talking: float, seal: float) -> Weights:
    """An expression over a speaking mouth, such that the words stay readable.

    Brows, eyes and cheeks add up. What opens the mouth is left to speech while it lasts. What
    shapes it is weakened by speech, by rounded vowels and by contacts; a smile widens vowels in
    turn. At a full contact nothing of the expression parts the lips.

    Args:
        speech: float32, shape (52,): the mouth of speech.
        felt: float32, shape (52,): the expression.
        talking: How much the face is talking, in [0, 1].
        seal: How far a contact claims the lips, in [0, 1]; see `VisemeTrack.seal`.
    """
    out = speech.copy()
    rounded = min(1.0, 1.4 * float(speech[_ROUNDING].sum()))
    smile = float(felt[_SMILE].mean())
    out[_ROUNDING] *= 1 - _WIDENING * smile
    felt = felt.copy()
    felt[_OPENERS] *= (1 - talking) * (1 - seal)
    felt[_SHAPERS] *= (1 - _UNFELT * talking) * (1 - _SEALED * seal) * (1 - 0.7 * rounded)
    return np.clip(out + felt, 0, 1, out=out)
