"""The mouth shape of each viseme, as ARKit weights, and how strongly it holds each articulator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.types import ARKIT
from speech.phonemes import VISEMES, Viseme

_SHAPES: dict[Viseme, dict[str, float]] = {
    "sil": {},
    "PP": {"mouthPress": 0.30, "mouthRollLower": 0.18, "mouthRollUpper": 0.14},
    "FF": {"jawOpen": 0.05, "mouthRollLower": 0.45, "mouthUpperUp": 0.22},
    "TH": {"jawOpen": 0.20, "mouthLowerDown": 0.34, "mouthUpperUp": 0.12, "tongueOut": 0.85},
    "DD": {"jawOpen": 0.12, "mouthLowerDown": 0.20, "mouthStretch": 0.08, "tongueOut": 0.14},
    "kk": {"jawOpen": 0.17, "mouthLowerDown": 0.14},
    "CH": {"jawOpen": 0.10, "mouthFunnel": 0.44, "mouthPucker": 0.22, "mouthLowerDown": 0.10},
    "SS": {"jawOpen": 0.05, "mouthStretch": 0.22, "mouthLowerDown": 0.26, "mouthUpperUp": 0.10},
    "nn": {"jawOpen": 0.14, "mouthLowerDown": 0.18, "mouthStretch": 0.06, "tongueOut": 0.22},
    "RR": {"jawOpen": 0.13, "mouthFunnel": 0.30, "mouthPucker": 0.24},
    "aa": {"jawOpen": 0.46, "mouthLowerDown": 0.24, "mouthUpperUp": 0.14},
    "E": {"jawOpen": 0.28, "mouthStretch": 0.22, "mouthLowerDown": 0.26, "mouthUpperUp": 0.08},
    "I": {"jawOpen": 0.13, "mouthStretch": 0.28, "mouthSmile": 0.16, "mouthLowerDown": 0.26},
    "O": {"jawOpen": 0.31, "mouthFunnel": 0.32, "mouthPucker": 0.44},
    "U": {"jawOpen": 0.12, "mouthPucker": 0.70, "mouthFunnel": 0.20},
}
"""Names without a side mean both sides. Set by eye on the baked face, after the Oculus reference
pictures; jaw openings keep the order of Cohen & Massaro (1993), table 1."""

GROUPS = ("jaw", "opening", "shape", "tongue")
"""Articulators that move at speeds of their own."""

_GROUP_OF = {
    "jawOpen": "jaw",
    "mouthLowerDown": "opening",
    "mouthUpperUp": "opening",
    "mouthPress": "opening",
    "mouthRollLower": "opening",
    "mouthRollUpper": "opening",
    "mouthFunnel": "shape",
    "mouthPucker": "shape",
    "mouthStretch": "shape",
    "mouthSmile": "shape",
    "tongueOut": "tongue",
}

_DOMINANCE: dict[Viseme, tuple[float, float, float, float]] = {
    "sil": (1.0, 1.0, 0.6, 1.0),
    "PP": (1.2, 3.0, 0.5, 0.5),
    "FF": (1.0, 2.5, 0.6, 0.5),
    "TH": (0.9, 0.9, 0.5, 4.0),
    "DD": (0.8, 0.6, 0.3, 2.0),
    "kk": (0.5, 0.4, 0.25, 0.5),
    "CH": (0.9, 0.9, 1.2, 1.0),
    "SS": (1.3, 0.9, 0.7, 1.5),
    "nn": (0.7, 0.5, 0.3, 2.0),
    "RR": (0.7, 0.6, 1.0, 0.5),
    "aa": (1.0, 1.0, 0.8, 0.5),
    "E": (1.0, 1.0, 0.9, 0.5),
    "I": (1.0, 1.0, 1.0, 0.5),
    "O": (1.0, 1.0, 1.3, 0.5),
    "U": (1.0, 1.0, 1.5, 0.5),
}
"""Per viseme, how much it insists on its jaw, opening, shape and tongue. Lip consonants insist on
contact; consonants made by the tongue leave the lips to the vowels around them."""


@dataclass(frozen=True, slots=True)
class Articulation:
    """The viseme tables as arrays, rows in the order of `VISEMES`.

    Attributes:
        targets: float32, shape (15, 52): ARKit weights.
        dominance: float32, shape (15, 4): columns in the order of `GROUPS`.
        group: int, shape (52,): index into `GROUPS` of each blendshape; "shape" if unused.
    """

    targets: NDArray[np.float32]
    dominance: NDArray[np.float32]
    group: NDArray[np.intp]


def sides(name: str) -> tuple[int, ...]:
    """Indices of a blendshape in `ARKIT`, of both its sides when the name leaves the side out."""
    if name in ARKIT:
        return (ARKIT.index(name),)
    return ARKIT.index(f"{name}Left"), ARKIT.index(f"{name}Right")


def _articulation() -> Articulation:
    targets = np.zeros((len(VISEMES), len(ARKIT)), np.float32)
    group = np.full(len(ARKIT), GROUPS.index("shape"))
    for row, viseme in enumerate(VISEMES):
        for name, weight in _SHAPES[viseme].items():
            targets[row, list(sides(name))] = weight
    for name, articulator in _GROUP_OF.items():
        group[list(sides(name))] = GROUPS.index(articulator)
    dominance = np.array([_DOMINANCE[viseme] for viseme in VISEMES], np.float32)
    return Articulation(targets, dominance, group)


ARTICULATION = _articulation()
