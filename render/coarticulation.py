"""Coarticulation: how neighbouring phonemes share the mouth.

Dominance functions after Cohen & Massaro, "Modeling coarticulation in synthetic visual speech"
(1993). Segment s pulls articulator p with D = a exp(-t / d), where t is the time to the segment,
a its dominance over p, and d the articulator's time constant, one before and one after the segment
(their theta for either side; their exponent c is 1). The pose is the mean of the targets weighted
by D, so that a segment that insists (large a) is reached and one that does not yields to its
neighbours, before it as well as after it.

Three things are added. Each articulator is low-passed to its own inertia: the jaw, which is heavy,
moves slower than the lips (Nelson, Perkell & Westbury 1984 find jaw movements above 6 Hz shrinking;
the cut here is there). Lips lead sound. And an average of targets never quite closes the lips, so
contacts (p b m, f v) are enforced afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from render.types import ARKIT, TRACK_RATE_HZ
from render.visemes import ARTICULATION, GROUPS, sides
from speech.phonemes import VISEMES, Viseme

Weights = NDArray[np.float32]
Times = NDArray[np.float64]

PREROLL_S = 0.25
"""The mouth may leave rest this long before the first sound."""

POSTROLL_S = 0.30
"""The mouth is back at rest this long after the last one."""

# Jaw, opening, shape, tongue. Dominance itself spreads before a segment as well, so with these the
# lips set off 60-120 ms before sound that follows silence, and within speech opening and loudness
# correlate best at 0 +- 20 ms, as in people (Schwartz & Savariaux 2014: preparatory gestures lead
# by some 150 ms, those within speech range from 20 ms after the sound to 70 ms before it).
_LEAD_S = np.array([0.020, 0.040, 0.050, 0.020])
_BEFORE_S = np.array([0.046, 0.028, 0.070, 0.022])  # rounding spreads early
_AFTER_S = np.array([0.046, 0.026, 0.042, 0.018])
_INERTIA_S = np.array([0.026, 0.015, 0.022, 0.013])  # standard deviation of a Gaussian low-pass
_CORE = 0.3  # of its length on both sides of its middle, a segment holds at full strength
_REST_EDGE_S = 0.045  # but silence all but this much at its ends: the mouth is at rest till then

_CONTACT_LEAD_S = 0.012
_HOLD_SHARE = 0.8  # of its segment, a contact is held, within:
_SHORTEST_HOLD_S, _LONGEST_HOLD_S = 0.046, 0.090  # a frame at 25 fps shows the shortest
_CLOSING_S, _OPENING_S = 0.060, 0.048
_JAW_CLOSING_S, _JAW_OPENING_S = 0.110, 0.090
_MIN_GAP_S = 0.03

_JAW = list(sides("jawOpen"))
_CLOSE = list(sides("mouthClose"))
_PARTING = [i for name in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(name)]
_SPREADING = list(sides("mouthStretch"))
_TONGUE = list(sides("tongueOut"))
_LOWER_PARTING = list(sides("mouthLowerDown"))
_CLOSED_JAW, _TUCKED_JAW = 0.05, 0.06  # the most that the jaw may open in p b m, and in f v


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
    length = np.array([s.end_s - s.start_s for s in filled])
    resting = np.array([s.viseme == "sil" for s in filled])
    core = np.where(resting, np.maximum(length / 2 - _REST_EDGE_S, 0), _CORE * length)
    out = np.empty((len(times), len(ARKIT)), np.float32)
    for group, lead in enumerate(_LEAD_S):
        ahead = middle - (times[:, None] + lead)
        decay = np.where(ahead > 0, _BEFORE_S[group], _AFTER_S[group])
        distance = np.maximum(np.abs(ahead) - core, 0)
        # Floored so that far from everything the nearest segments still share the mouth evenly.
        pull = np.exp(-np.minimum(distance / decay, 60)) * ARTICULATION.dominance[rows, group]
        share = pull / pull.sum(1, keepdims=True)
        columns = ARTICULATION.group == group
        out[:, columns] = _low_passed(share @ targets[:, columns], _INERTIA_S[group])
    return out


def _low_passed(tracks: Weights, deviation_s: float) -> Weights:
    """Gaussian-weighted mean over time, shape (frames, columns); ends are held."""
    reach = round(3 * deviation_s * TRACK_RATE_HZ)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (deviation_s * TRACK_RATE_HZ)) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    padded = np.pad(tracks, ((reach, reach), (0, 0)), mode="edge")
    out: Weights = np.einsum("tck,k->tc", sliding_window_view(padded, len(taps), axis=0), taps)
    return out


def enforce_contacts(weights: Weights, segments: Sequence[Segment], times: Times) -> Weights:
    """Make the lips meet in p b m, and lower lip and teeth in f v. Changes `weights` in place.

    The jaw may stay a little open: mouthClose holds the lips together over it, as it does by its
    definition in ARKit.

    Returns:
        How far contacts claim the lips, float32 in [0, 1], shape (frames,).
    """
    lips, jaw = ((_CLOSING_S, _OPENING_S), (_JAW_CLOSING_S, _JAW_OPENING_S))
    closed, tucked = (_contact(segments, times, name, *lips)[:, None] for name in ("PP", "FF"))
    weights[:, _PARTING] *= 1 - closed
    weights[:, _LOWER_PARTING] *= 1 - tucked
    weights[:, _SPREADING] *= 1 - 0.7 * closed
    weights[:, _TONGUE] *= 1 - np.maximum(closed, tucked)
    contacts: tuple[tuple[Viseme, Weights, float], ...] = (
        ("PP", closed, _CLOSED_JAW),
        ("FF", tucked, _TUCKED_JAW),
    )
    for viseme, contact, most in contacts:
        held = _contact(segments, times, viseme, *jaw)[:, None]
        opened = weights[:, _JAW]
        weights[:, _JAW] = opened + held * (np.minimum(opened, most) - opened)
        target = ARTICULATION.targets[VISEMES.index(viseme)]
        seal = target * (ARTICULATION.group == GROUPS.index("opening"))
        np.maximum(weights, contact * seal, out=weights)
    weights[:, _CLOSE] = closed * weights[:, _JAW]
    claimed: Weights = np.maximum(closed, tucked)[:, 0]
    return claimed


def _contact(
    segments: Sequence[Segment], times: Times, viseme: Viseme, closing_s: float, opening_s: float
) -> Weights:
    """How closed the contact of a viseme is at each time, in [0, 1]."""
    contact = np.zeros(len(times))
    for segment in segments:
        if segment.viseme == viseme:
            length = _HOLD_SHARE * (segment.end_s - segment.start_s)
            hold = min(max(length, _SHORTEST_HOLD_S), _LONGEST_HOLD_S) / 2
            since = times - segment.middle_s + _CONTACT_LEAD_S
            closing = 1 - (-hold - since) / closing_s
            opening = 1 - (since - hold) / opening_s
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
