"""A character's body: the base mesh shaped by its traits and posed by ARKit weights.

Numpy alone: Blender's Python uses it too.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from render.bake.lids import BLINKS, met
from render.bake.source import Floats, Ints, Move, Source

EYES_AT = (-0.1105, 0.6690)
"""(y, z) of the point between the eyeballs, for every character: so one camera suits all."""
_AGES = ((1.0, "baby"), (10.0, "child"), (25.0, "young"), (90.0, "old"))
"""Years at which MakeHuman's age targets hold; between them it mixes two."""
_ARM_DOWN_DEG, _SHOULDER_DOWN_DEG = 38.0, 7.0
_ARM_BONES = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
_LANDMARKS = {
    "nose": 5054,
    "nasion": 132,
    "mouth": 493,
    "chin": 733,
    "jaw": 991,
    "forehead": 3750,
    "neck": 797,
}
"""Vertices of the base mesh, whose numbers no target changes."""


class Figure:
    """A character's vertices. Metres, z up, facing -y, x > 0 is its left.

    Args:
        source: MPFB's data.
        character: The character file as a dict: `body` and `rest` are read.

    Attributes:
        neutral: float (n, 3), without expression.
        rest: float (n, 3), with the resting expression.
        faces: int (f, 4), quads.
        face_uvs: int (f, 4), rows of `uv`.
        uv: float (m, 2).
        groups: f names: body, helper-l-eye, helper-tongue...
        eyes: Centres of the left and right eyeball, (2, 3), and their radius.
        landmarks: Named points of the resting face, each (3,).
    """

    def __init__(self, source: Source, character: Mapping[str, Any]) -> None:
        mesh = source.mesh
        self.source = source
        self.faces, self.face_uvs = mesh.faces, mesh.face_uvs
        self.uv, self.groups = mesh.uv, mesh.groups
        self._resting = {k: float(v) for k, v in (character.get("rest") or {}).items()}
        neutral = mesh.vertices.copy()
        for name, weight in body_targets(source, character["body"]):
            _add(neutral, source.target(name), weight)
        neutral = _lower_arms(neutral, source)
        centres, radius = _eyeballs(neutral, self)
        middle = centres.mean(0)
        shift = np.array([0.0, *EYES_AT]) - np.array([0.0, *middle[1:]])
        self.neutral: Floats = neutral + shift
        self.eyes: tuple[Floats, float] = (centres + shift, radius)
        rest = self.neutral.copy()
        for name, weight in self._resting.items():
            _add(rest, source.face_units[name], weight)
        self.rest: Floats = rest
        self._blinks = {
            name: met(rest, source.face_units[name], eye, self.headroom(name))
            for eye, name in enumerate(BLINKS)
        }

    def posed(self, weights: Mapping[str, float]) -> Floats:
        """Vertices, (n, 3), in an expression on top of the resting one."""
        out = self.rest.copy()
        for name, weight in weights.items():
            move = self._blinks.get(name) or self.source.face_units[name]
            _add(out, move, weight * self.headroom(name))
        return out

    def headroom(self, name: str) -> float:
        """How much of a blendshape is left to add to the resting expression."""
        return 1.0 - max(self._resting.get(name, 0.0), 0.0)

    def mask_path(self, name: str) -> Path:
        """A mask over the texture space: lips, eyelids, inside-mouth, ears, face."""
        return self.source.texture(name)

    def members(self, *groups: str) -> Ints:
        """Vertices of the faces of some groups."""
        chosen = [group in groups for group in self.groups]
        return np.unique(self.faces[chosen])

    @cached_property
    def landmarks(self) -> dict[str, Floats]:
        """Named points of the resting face."""
        out = {name: self.rest[vertex] for name, vertex in _LANDMARKS.items()}
        body = self.rest[self.members("body")]
        out["top"] = body[body[:, 2].argmax()]
        out["eye_left"], out["eye_right"] = self.eyes[0]
        return out


def body_targets(source: Source, body: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Targets that make a body, and their weights.

    As MakeHuman mixes its macro targets: a target named by several traits weighs their product.

    Args:
        source: MPFB's data.
        body: sex, age (years), ancestry, build (muscle, weight, proportions: 0..1) and shape
            (target -> weight).
    """
    sex = body["sex"]
    ancestry = {k: float(v) for k, v in body["ancestry"].items() if v}
    build = body.get("build") or {}
    total = sum(ancestry.values())
    for age, share in age_mix(float(body["age"])):
        for race, part in ancestry.items():
            yield f"macrodetails/{race}-{sex}-{age}", share * part / total
        for muscle, m in _thirds("muscle", float(build.get("muscle", 0.5))):
            for fat, w in _thirds("weight", float(build.get("weight", 0.5))):
                form = f"{sex}-{age}-{muscle}-{fat}"
                yield f"macrodetails/universal-{form}", share * m * w
                ideal = f"macrodetails/proportions/{form}-idealproportions"
                if source.has_target(ideal):
                    yield ideal, share * m * w * float(build.get("proportions", 0.5))
    for name, weight in (body.get("shape") or {}).items():
        for target in sided(source, name):
            yield target, float(weight)


def age_mix(years: float) -> list[tuple[str, float]]:
    """The two ages that an age lies between, and their weights, which sum to 1."""
    years = min(max(years, _AGES[0][0]), _AGES[-1][0])
    for (a, younger), (b, older) in pairwise(_AGES):
        if years <= b:
            t = (years - a) / (b - a)
            return [(name, w) for name, w in ((younger, 1 - t), (older, t)) if w > 0]
    raise AssertionError("the last age bounds the years")


def sided(source: Source, name: str) -> list[str]:
    """The target `name`, or its left and right halves: `eyes/eye-scale-incr` moves both eyes.

    Raises:
        KeyError: There is no such target.
    """
    if source.has_target(name):
        return [name]
    folder, _, leaf = name.rpartition("/")
    halves = [f"{folder}/{side}-{leaf}" for side in "lr"]
    if all(source.has_target(half) for half in halves):
        return halves
    raise KeyError(name)


def _thirds(trait: str, value: float) -> list[tuple[str, float]]:
    low, high = max(1 - 2 * value, 0.0), max(2 * value - 1, 0.0)
    mix = (("min", low), ("average", 1 - low - high), ("max", high))
    return [(level + trait, share) for level, share in mix if share > 0]


def _add(points: Floats, move: Move, weight: float) -> None:
    points[move.vertices] += weight * move.by


def _eyeballs(points: Floats, figure: Figure) -> tuple[Floats, float]:
    balls = [points[figure.members(f"helper-{side}-eye")] for side in "lr"]
    centres = np.array([(ball.min(0) + ball.max(0)) / 2 for ball in balls])
    return centres, float(np.ptp(balls[0][:, 0]) / 2)


def _lower_arms(points: Floats, source: Source) -> Floats:
    """Arms down from MakeHuman's A pose, and the shoulders a little with them."""
    for side, sign in (("L", 1.0), ("R", -1.0)):
        arm, shoulder = np.zeros(len(points)), np.zeros(len(points))
        for bone, weights in source.bone_weights.items():
            part = bone.removesuffix(f".{side}")
            share = {"shoulder01": 1.0, "clavicle": 0.5}.get(part, 0.0)
            limb = part.startswith(_ARM_BONES)
            if part == bone or not (share or limb):
                continue
            at, by = np.array(weights).T
            np.add.at(arm if limb else shoulder, at.astype(int), by if limb else share * by)
        shoulder = np.clip(shoulder + arm, 0, 1)
        arm = np.clip(arm, 0, 1)
        joint = points[(arm > 0.35) & (arm < 0.65)].mean(0)
        collar = points[(shoulder > 0.2) & (shoulder < 0.5)].mean(0)
        points = _turned(points, joint, sign * _ARM_DOWN_DEG, arm)
        points = _turned(points, collar, sign * _SHOULDER_DOWN_DEG, shoulder)
    return points


def _turned(points: Floats, pivot: Floats, degrees: float, share: Floats) -> Floats:
    """Points turned about the y axis through `pivot`, each by its share of the way."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x, y, z = (points - pivot).T
    there = np.stack([x * c + z * s, y, -x * s + z * c], 1) + pivot
    return points + share[:, None] * (there - points)
