"""Coarticulation: how neighbouring phonemes share the mouth.

Dominance functions after Cohen & Massaro, "Modeling coarticulation in synthetic visual speech"
(1993): every segment pulls each articulator towards its target with a strength that decays
exponentially with distance in time, and the pose is the average of targets so weighted. Added to
the model: contacts. An average never quite closes the lips, so segments that need contact (p b m,
f v) are enforced afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.types import ARKIT, TRACK_RATE_HZ
from render.visemes import ARTICULATION, sides
from speech.phonemes import VISEMES, Viseme

Weights = NDArray[np.float32]
Times = NDArray[np.float64]

PREROLL_S = 0.25
"""The mouth may leave rest this long before the first sound."""

POSTROLL_S = 0.30
"""The mouth is back at rest this long after the last one."""

# Jaw, opening, shape: lips lead sound. Dominance itself spreads before a segment as well, so with
# these the opening seen in pixels and the sound correlate best within 10 ms (`skew_s`).
_LEAD_S = np.array([0.010, 0.030, 0.050])
_DECAY_S = np.array([0.042, 0.026, 0.042])  # time constants: jaws are slow, lips are fast
_CORE = 0.3  # of its length on both sides of its middle, a segment holds at full strength
_CONTACT_BEFORE_S, _CONTACT_AFTER_S = (
    0.050,
    0.022,
)  # held around the middle: covers a frame at 25 fps
_CLOSING_S, _OPENING_S = 0.060, 0.045
_MIN_GAP_S = 0.03

_JAW = list(sides("jawOpen"))
_PARTING = [i for name in ("mouthLowerDown", "mouthUpperUp") for i in sides(name)]
_ROUNDING = [i for name in ("mouthFunnel", "mouthStretch") for i in sides(name)]
_LOWER_PARTING = list(sides("mouthLowerDown"))
_CLOSED_JAW, _TUCKED_JAW = 0.02, 0.06  # the most that the jaw may open in p b m, and in f v


@dataclass(frozen=True, slots=True)
class Segment:
    """A viseme and when it sounds.

    Attributes:
        viseme: The mouth shape.
        start_s: From the chunk's first sample.
        end_s: The same.
        strength: Factor on the shape: above 1 stressed, below 1 reduced.
    """

    viseme: Viseme
    start_s: float
    end_s: float
    strength: float = 1.0

    @property
    def middle_s(self) -> float:
        """Half-way through it."""
        return (self.start_s + self.end_s) / 2


def frame_times(duration_s: float) -> Times:
    """Times of a track's frames, from the chunk's first sample: from pre-roll to post-roll."""
    first, last = -round(PREROLL_S * TRACK_RATE_HZ), np.ceil(duration_s * TRACK_RATE_HZ)
    return np.arange(first, last + round(POSTROLL_S * TRACK_RATE_HZ) + 1) / TRACK_RATE_HZ


def coarticulate(segments: Sequence[Segment], times: Times) -> Weights:
    """Blend segments into a trajectory of the mouth.

    Args:
        segments: In order; gaps are silence.
        times: Seconds, shape (frames,).

    Returns:
        float32 in [0, 1], shape (frames, 52).
    """
    if not segments:
        return np.zeros((len(times), len(ARKIT)), np.float32)
    filled = _with_rests(segments)
    rows = [VISEMES.index(s.viseme) for s in filled]
    targets = ARTICULATION.targets[rows] * np.array([[s.strength] for s in filled], np.float32)
    middle = np.array([s.middle_s for s in filled])
    core = _CORE * np.array([s.end_s - s.start_s for s in filled])
    out = np.empty((len(times), len(ARKIT)), np.float32)
    for group, (lead, decay) in enumerate(zip(_LEAD_S, _DECAY_S, strict=True)):
        distance = np.maximum(np.abs(times[:, None] + lead - middle) - core, 0)
        # Floored so that far from everything the nearest segments still share the mouth evenly.
        pull = np.exp(-np.minimum(distance / decay, 60)) * ARTICULATION.dominance[rows, group]
        share = pull / pull.sum(1, keepdims=True)
        columns = ARTICULATION.group == group
        out[:, columns] = share @ targets[:, columns]
    return out


def enforce_contacts(weights: Weights, segments: Sequence[Segment], times: Times) -> None:
    """Make the lips meet in p b m, and lower lip and teeth in f v. Changes `weights` in place."""
    closed, tucked = (_contact(segments, times, viseme) for viseme in ("PP", "FF"))
    touching = np.maximum(closed, tucked)
    for columns, contact in (
        (_PARTING, closed),
        (_LOWER_PARTING, tucked),
        (_ROUNDING, 0.7 * closed),
    ):
        weights[:, columns] *= 1 - contact[:, None]
    limit = np.where(closed >= tucked, _CLOSED_JAW, _TUCKED_JAW)[:, None]
    jaw = weights[:, _JAW]
    weights[:, _JAW] = jaw + touching[:, None] * (np.minimum(jaw, limit) - jaw)
    for viseme, contact in (("PP", closed), ("FF", tucked)):
        target = ARTICULATION.targets[VISEMES.index(viseme)]
        seal = target * (ARTICULATION.group == 1)
        np.maximum(weights, contact[:, None] * seal, out=weights)


def _contact(segments: Sequence[Segment], times: Times, viseme: str) -> NDArray[np.float32]:
    """How closed the contact of a viseme is at each time, in [0, 1]."""
    contact = np.zeros(len(times))
    for segment in segments:
        if segment.viseme == viseme:
            since = times - segment.middle_s
            closing = 1 - (-_CONTACT_BEFORE_S - since) / _CLOSING_S
            opening = 1 - (since - _CONTACT_AFTER_S) / _OPENING_S
            ramp = np.clip(np.minimum(closing, opening), 0, 1)
            contact = np.maximum(contact, ramp * ramp * (3 - 2 * ramp))
    return contact.astype(np.float32)


def _with_rests(segments: Sequence[Segment]) -> list[Segment]:
    """The segments with silence before, between and after them."""
    out = [Segment("sil", segments[0].start_s - 1, segments[0].start_s)]
    for segment in segments:
        if segment.start_s - out[-1].end_s > _MIN_GAP_S:
            out.append(Segment("sil", out[-1].end_s, segment.start_s))
        out.append(segment)
    return [*out, Segment("sil", out[-1].end_s, out[-1].end_s + 1)]
