"""Life between words: blinks, gaze, breath and the sway of the head, as functions of time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.noise import bump, drift, ease, glide, uniform

# Channels of the noise: each kind of movement has its own stream.
_BLINK, _DOUBLE, _CLAUSE, _FIX_YAW, _FIX_PITCH, _MICRO_YAW, _MICRO_PITCH, _AWAY, _AWAY_SIDE = range(
    9
)
_SWAY = 10  # three
_FIX_START, _MICRO_START, _GAZE_BLINK, _DRIFT_YAW, _DRIFT_PITCH, _BREATH, _MORE = range(20, 27)

# Blinks: one each slot, jittered, so intervals lie in [3, 6] s; with those at clause ends and gaze
# shifts about 25 a minute of talk, as in conversation (Bentivoglio et al. 1997: 26; Doughty 2001:
# 10-32), and 15 in silence.
# Lids fall in some 70 ms and rise in two to three times that (VanderWerf et al. 2003).
_BLINK_SLOT_S, _BLINK_JITTER_S = 4.5, 0.75
_CLOSING_S, _SHUT_S, _OPENING_S = 0.075, 0.028, 0.190
BLINK_S = _CLOSING_S + _SHUT_S + _OPENING_S
"""How long a blink takes."""
_DOUBLE_CHANCE, _DOUBLE_AFTER_S = 0.12, 0.42
_CLAUSE_CHANCE, _CLAUSE_AFTER_S, _APART_S = 0.45, 0.05, 1.1
# A gaze shift of some 9 degrees brings a blink along almost half of the time (Evinger et al. 1994).
_GAZE_BLINK_CHANCE = 0.4

# The main sequence: saccades take 21 ms and 2.2 ms a degree (Carpenter 1988, after Bahill, Clark &
# Stark 1975), so that a least-jerk profile peaks near 400 degrees/s at 10 degrees.
_SACCADE_S, _SACCADE_S_PER_RAD = 0.021, 0.0022 * 180 / math.pi
_FIXATION_S, _FIXATION_JITTER = 1.7, 0.5
# Microsaccades: one or two a second, under half a degree (Martinez-Conde et al. 2013); between
# them the eye drifts by some minutes of arc.
_MICRO_S, _MICRO_RAD, _DRIFT_RAD, _DRIFT_S = 0.7, 0.0045, 0.0012, 1.1
_HEAD_SHARE, _HEAD_S = 0.22, 0.45  # the head goes a part of the way, slower (Guitton & Volle 1987)
_BREATH_S = 4.2


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
    """How the face holds itself: head yaw, pitch, roll; smile, brow, squint.

    Shape (6,), in radians and weights, so that the bearings of several states can be mixed.
    """
    yaw, pitch, roll = sway(seed, at_s, manner)
    followed = _look(seed, at_s, manner, _HEAD_S)
    yaw += _HEAD_SHARE * followed[0]
    pitch += _HEAD_SHARE * followed[1]
    return np.array((yaw, pitch, roll, manner.smile, manner.brow, manner.squint))


def blink(seed: int, at_s: float, clause_ends_s: Iterable[float], more: float = 0.0) -> float:
    """How closed the lids are, in [0, 1].

    Args:
        seed: Of the face.
        at_s: When.
        clause_ends_s: Ends of clauses lately and soon: many bring a blink, unless a regular one
            is near.
        more: In [-1, 1]: above 0, of this strength, further blinks between the regular ones;
            below 0 all are so much weaker.
    """
    closed = max((_lids(at_s - start) for start in _regular(seed, at_s)), default=0.0)
    for end_s in clause_ends_s:
        start = end_s + _CLAUSE_AFTER_S
        if not 0 <= at_s - start <= BLINK_S:
            continue
        chosen = uniform(seed, _CLAUSE, round(end_s * 1000)) < _CLAUSE_CHANCE
        if chosen and all(abs(start - other) > _APART_S for other in _regular(seed, start)):
            closed = max(closed, _lids(at_s - start))
    if more > 0:
        slot = math.floor(at_s / _BLINK_SLOT_S)
        between = (slot + 0.1 * (uniform(seed, _MORE, slot) - 0.5)) * _BLINK_SLOT_S + 0.4
        closed = max(closed, more * _lids(at_s - between))
    return closed * (1 + min(more, 0.0))


def _regular(seed: int, at_s: float) -> Iterator[float]:
    """Starts of the regular blinks around a time."""
    slot = math.floor(at_s / _BLINK_SLOT_S)
    for k in (slot - 1, slot, slot + 1):
        start = (k + 0.5) * _BLINK_SLOT_S + (uniform(seed, _BLINK, k) * 2 - 1) * _BLINK_JITTER_S
        yield start
        if uniform(seed, _DOUBLE, k) < _DOUBLE_CHANCE:
            yield start + _DOUBLE_AFTER_S


def _lids(since_s: float) -> float:
    if since_s < _CLOSING_S:
        return ease(since_s / _CLOSING_S)
    rising = max(0.0, (since_s - _CLOSING_S - _SHUT_S) / _OPENING_S)
    return 1 - ease(min(1.0, rising) ** 0.8)


def gaze_blink(seed: int, at_s: float, manner: Manner) -> float:
    """How closed a blink that goes with a large gaze shift holds the lids, in [0, 1]."""
    index, start = _fixation(seed, _FIX_START, at_s, _FIXATION_S)
    shifts = _is_away(seed, index, manner) != _is_away(seed, index - 1, manner)
    if shifts and uniform(seed, _GAZE_BLINK, index) < _GAZE_BLINK_CHANCE:
        return _lids(at_s - start)
    return 0.0


def gaze(seed: int, at_s: float, manner: Manner) -> NDArray[np.float64]:
    """Where the eyes look: yaw and pitch from the camera, and whether they are off it, in [0, 1].

    Fixations joined by saccades, with microsaccades and drift in them. Shape (3,).
    """
    yaw, pitch, off = _look(seed, at_s, manner, None)
    index, start = _fixation(seed, _MICRO_START, at_s, _MICRO_S)
    for axis, channel in enumerate((_MICRO_YAW, _MICRO_PITCH)):
        before, now = (_signed(seed, channel, k) * _MICRO_RAD for k in (index - 1, index))
        moved = before + glide((at_s - start) / _SACCADE_S) * (now - before)
        moved += _DRIFT_RAD * drift(seed, (_DRIFT_YAW, _DRIFT_PITCH)[axis], at_s, _DRIFT_S)
        yaw, pitch = (yaw + moved, pitch) if axis == 0 else (yaw, pitch + moved)
    return np.array((yaw, pitch, off))


def _look(
    seed: int, at_s: float, manner: Manner, takes_s: float | None
) -> tuple[float, float, float]:
    """Yaw, pitch and being off the camera, between the last two fixations.

    Args:
        seed: Of the face.
        at_s: When.
        manner: Of the state.
        takes_s: How long the way takes; None for as long as a saccade.
    """
    index, start = _fixation(seed, _FIX_START, at_s, _FIXATION_S)
    before, now = (_target(seed, k, manner) for k in (index - 1, index))
    if takes_s is None:
        takes_s = saccade_s(math.hypot(now[0] - before[0], now[1] - before[1]))
    gone = glide((at_s - start) / takes_s)
    yaw, pitch, off = (a + gone * (b - a) for a, b in zip(before, now, strict=True))
    return yaw, pitch, off


def saccade_s(amplitude: float) -> float:
    """How long a saccade of so many radians takes."""
    return _SACCADE_S + _SACCADE_S_PER_RAD * amplitude


def _target(seed: int, index: int, manner: Manner) -> tuple[float, float, float]:
    """Where a fixation is: yaw, pitch, and 1 if it is off the camera."""
    yaw = _signed(seed, _FIX_YAW, index) * manner.wander
    pitch = _signed(seed, _FIX_PITCH, index) * manner.wander * 0.6
    if not _is_away(seed, index, manner):
        return yaw, pitch, 0.0
    side = _signed(seed, _AWAY_SIDE, index // 3)
    far = (0.7 + 0.3 * abs(side)) * math.copysign(1, side)
    return yaw + manner.away[0] * far, pitch + manner.away[1], 1.0


def _is_away(seed: int, index: int, manner: Manner) -> bool:
    return uniform(seed, _AWAY, index) < manner.away_share


def _fixation(seed: int, channel: int, at_s: float, period_s: float) -> tuple[int, float]:
    """The fixation under way and when it started, about one each `period_s`."""
    index = math.floor(at_s / period_s)
    start = (index + _FIXATION_JITTER * uniform(seed, channel, index)) * period_s
    if at_s >= start:
        return index, start
    before = index - 1
    return before, (before + _FIXATION_JITTER * uniform(seed, channel, before)) * period_s


def _signed(seed: int, channel: int, index: int) -> float:
    return uniform(seed, channel, index) * 2 - 1


def sway(seed: int, at_s: float, manner: Manner) -> tuple[float, float, float]:
    """The head's slow drift around where it rests: yaw, pitch, roll."""
    yaw, pitch, roll = (
        rest + amplitude * drift(seed, _SWAY + axis, at_s, manner.sway_s * (1 + 0.23 * axis))
        for axis, (rest, amplitude) in enumerate(zip(manner.lean, manner.sway, strict=True))
    )
    return yaw, pitch, roll


def breath(seed: int, at_s: float) -> float:
    """Rise of the shoulders, in [0, 1]: in for two fifths of about 4.2 s, out for the rest."""
    phase = (at_s / _BREATH_S + 0.22 * drift(seed, _BREATH, at_s, 13.0)) % 1.0
    return ease(phase / 0.4) if phase < 0.4 else 1 - ease((phase - 0.4) / 0.6)


def nod(since_s: float) -> float:
    """Pitch of a nod that starts at 0, as a factor: down, up and a smaller one after."""
    return -bump(since_s, 0.16, 0.24) - 0.45 * bump(since_s - 0.34, 0.15, 0.26)
