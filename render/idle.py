"""Life between words: blinks, gaze, breath and the sway of the head, as functions of time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.noise import bump, drift, ease, uniform

# Channels of the noise: each kind of movement has its own stream.
_BLINK, _DOUBLE, _CLAUSE, _FIXATE_YAW, _FIXATE_PITCH, _MICRO, _AWAY, _AWAY_SIDE, _SWAY = range(9)

# Blinks: one each slot, jittered, so intervals lie in [3, 6] s; durations after Bentivoglio et al.
# (1997) and VanderWerf et al. (2003): closing is fast, opening about twice as long.
_BLINK_SLOT_S, _BLINK_JITTER_S = 4.5, 0.75
_CLOSING_S, _SHUT_S, _OPENING_S = 0.085, 0.030, 0.170
BLINK_S = _CLOSING_S + _SHUT_S + _OPENING_S
_DOUBLE_CHANCE, _DOUBLE_AFTER_S = 0.15, 0.42
_CLAUSE_CHANCE, _CLAUSE_CLEAR_S = 0.6, 1.5

_SACCADE_S = 0.045  # a few degrees of eye movement take about this long
_FIXATION_S = 1.7
_MICRO_S = 0.6


@dataclass(frozen=True, slots=True)
class Manner:
    """How a face behaves in one state. Angles in radians; see `FacePose` for signs.

    Attributes:
        sway: Amplitude of the head's drift: yaw, pitch, roll.
        sway_s: Its period.
        lean: Where the head rests: yaw, pitch, roll.
        wander: How far fixations are from the camera.
        away: Where the eyes go when they leave the camera: yaw (either side), pitch.
        away_share: How much of the time they are there.
        smile: Weight of a faint smile.
        brow: Weight of raised inner brows.
        squint: Weight of narrowed eyes.
    """

    sway: tuple[float, float, float]
    sway_s: float
    lean: tuple[float, float, float]
    wander: float
    away: tuple[float, float]
    away_share: float
    smile: float
    brow: float
    squint: float


def bearing(seed: int, at_s: float, manner: Manner) -> NDArray[np.float64]:
    """How the face holds itself: head yaw, pitch, roll; gaze yaw, pitch; smile, brow, squint.

    Shape (8,), in radians and weights, so that the bearings of several states can be mixed.
    """
    held = (*sway(seed, at_s, manner), *gaze(seed, at_s, manner))
    return np.array((*held, manner.smile, manner.brow, manner.squint))


def blink(seed: int, at_s: float, clause_ends_s: Iterable[float]) -> float:
    """How closed the lids are, in [0, 1].

    Args:
        seed: Of the face.
        at_s: When.
        clause_ends_s: Ends of clauses lately and soon: most of them bring a blink, which takes the
            place of the regular ones around it.
    """
    clauses = [
        end + 0.05
        for end in clause_ends_s
        if uniform(seed, _CLAUSE, round(end * 1000)) < _CLAUSE_CHANCE
    ]
    starts = list(clauses)
    slot = math.floor(at_s / _BLINK_SLOT_S)
    for k in (slot - 1, slot, slot + 1):
        start = (k + 0.5) * _BLINK_SLOT_S + (uniform(seed, _BLINK, k) * 2 - 1) * _BLINK_JITTER_S
        if all(abs(start - other) > _CLAUSE_CLEAR_S for other in clauses):
            starts.append(start)
            if uniform(seed, _DOUBLE, k) < _DOUBLE_CHANCE:
                starts.append(start + _DOUBLE_AFTER_S)
    return max((_lids(at_s - start) for start in starts), default=0.0)


def _lids(since_s: float) -> float:
    if since_s < _CLOSING_S:
        return ease(since_s / _CLOSING_S)
    return 1 - ease((since_s - _CLOSING_S - _SHUT_S) / _OPENING_S)


def gaze(seed: int, at_s: float, manner: Manner) -> tuple[float, float]:
    """Where the eyes look, yaw and pitch from the camera: fixations joined by saccades."""
    yaw = _fixated(seed, _FIXATE_YAW, at_s, _FIXATION_S) * manner.wander
    pitch = _fixated(seed, _FIXATE_PITCH, at_s, _FIXATION_S) * manner.wander * 0.6
    micro = 0.004
    yaw += _fixated(seed, _MICRO, at_s, _MICRO_S) * micro
    if manner.away_share:
        away = _stepped(seed, _AWAY, at_s, _FIXATION_S, manner.away_share)
        side = _fixated(seed, _AWAY_SIDE, at_s, 3 * _FIXATION_S)
        yaw += away * manner.away[0] * (1 if side > 0 else -1) * (0.7 + 0.3 * abs(side))
        pitch += away * manner.away[1]
    return yaw, pitch


def _slot(seed: int, channel: int, at_s: float, period_s: float) -> tuple[int, float]:
    """The fixation under way and how far its saccade has gone, in [0, 1]."""
    index = math.floor(at_s / period_s)
    start = (index + 0.4 * uniform(seed, channel + 100, index)) * period_s
    return index, ease((at_s - start) / _SACCADE_S)


def _fixated(seed: int, channel: int, at_s: float, period_s: float) -> float:
    """A value in [-1, 1] that jumps once a period, as eyes do."""
    index, gone = _slot(seed, channel, at_s, period_s)
    before, now = (uniform(seed, channel, k) * 2 - 1 for k in (index - 1, index))
    return before + gone * (now - before)


def _stepped(seed: int, channel: int, at_s: float, period_s: float, share: float) -> float:
    """0 or 1, by fixation, 1 for about `share` of the time."""
    index, gone = _slot(seed, channel, at_s, period_s)
    before, now = (float(uniform(seed, channel, k) < share) for k in (index - 1, index))
    return before + gone * (now - before)


def sway(seed: int, at_s: float, manner: Manner) -> tuple[float, float, float]:
    """The head's slow drift around where it rests: yaw, pitch, roll."""
    yaw, pitch, roll = (
        rest + amplitude * drift(seed, _SWAY + axis, at_s, manner.sway_s * (1 + 0.23 * axis))
        for axis, (rest, amplitude) in enumerate(zip(manner.lean, manner.sway, strict=True))
    )
    return yaw, pitch, roll


def breath(at_s: float) -> float:
    """Rise of the shoulders, in [0, 1]: in for two fifths of 4.2 s, out for the rest."""
    phase = at_s / 4.2 % 1.0
    return ease(phase / 0.4) if phase < 0.4 else 1 - ease((phase - 0.4) / 0.6)


def nod(since_s: float) -> float:
    """Pitch of a nod that starts at 0, as a factor: down, up and a smaller one after."""
    return -bump(since_s, 0.16, 0.24) - 0.45 * bump(since_s - 0.34, 0.15, 0.26)
