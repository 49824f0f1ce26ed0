"""The whole face in motion: speech over idle life, coloured by what the conversation is doing.

Everything is a function of time, seed and cues; there is no state, so frames may be skipped, drawn
again, or drawn elsewhere, and come out the same.
"""

import math

import numpy as np
from numpy.typing import NDArray

from render import emotion, idle
from render.accents import Accent, accent
from render.emotion import Carriage
from render.idle import Manner
from render.noise import ease, glide, uniform
from render.types import (
    ARKIT,
    FEELINGS,
    SPEECH_CLOCK_HZ,
    TRACK_RATE_HZ,
    FaceCues,
    FacePose,
    FaceState,
    ScheduledSpeech,
)
from render.visemes import sides

Weights = NDArray[np.float32]
Levels = NDArray[np.float64]

_MANNERS: dict[FaceState, Manner] = {
    "idle": Manner(
        sway=(0.045, 0.022, 0.020), sway_s=3.4, lean=(0, 0, 0),
        wander=0.030, away=(0.16, -0.03), away_share=0.22, smile=0.17, brow=0.03, squint=0.05,
    ),
    "listening": Manner(
        sway=(0.020, 0.014, 0.012), sway_s=3.0, lean=(0.012, -0.012, 0.055),
        wander=0.012, away=(0, 0), away_share=0.0, smile=0.24, brow=0.12, squint=0.05,
    ),
    "thinking": Manner(
        sway=(0.018, 0.014, 0.014), sway_s=2.6, lean=(-0.045, 0.030, -0.022),
        wander=0.020, away=(0.20, 0.15), away_share=0.8, smile=0.04, brow=0.26, squint=0.14,
    ),
    "speaking": Manner(
        sway=(0.034, 0.020, 0.022), sway_s=1.9, lean=(0, 0, 0),
        wander=0.014, away=(0.12, -0.05), away_share=0.16, smile=0.16, brow=0.06, squint=0.04,
    ),
}  # fmt: skip
_STATE_EASE_S = 0.40
_GAZE_EASE_S, _GAZE_AFTER_S = 0.050, 0.10  # eyes jump to where a new state looks, before the head
_CUT_EASE_S = 0.08  # a barge-in closes the mouth in this time
_UNTALK_S = 0.35  # and gives it back to the expression in this
_TAKEOVER_S = (0.20, 0.06)  # before a chunk starts, the mouth passes over to it in this window
_LATE_TAKEOVER_S = 0.08  # to one that was not known by then: lips reach a vowel in little more
_FEEL_BEFORE_S, _FEEL_S, _CALM_S = 0.30, 0.55, 1.4  # a feeling comes before its words, goes slower
_LINGER_S, _FADE_S = 0.5, 1.9  # and after the last words it stays and fades
_MOOD_AFTER_S, _MOOD_S, _MOOD_HOLD_S, _MOOD_FADE_S = 0.15, 0.7, 2.5, 2.0
_NOD_RAD = 0.060
_BREATH_RAD = 0.006  # a breath raises the head so much
_HEAD_LIMIT = np.radians((12.0, 9.0, 10.0))

# People who look at each other turn their lines of sight in by pupil distance over distance, about
# 0.063 / 0.8 rad. But pupils point outside the line of sight (angle lambda, 1.5 degrees and more
# each: Basmak et al. 2007), and a face whose pupils point at you seems to squint. Chosen by eye:
_VERGENCE, _FAR_VERGENCE = 0.030, 0.010

_SMILE, _CHEEKS = list(sides("mouthSmile")), list(sides("cheekSquint"))
_BLINK, _SQUINT, _WIDE = (list(sides(n)) for n in ("eyeBlink", "eyeSquint", "eyeWide"))
_BROW, _OUTER_BROW = list(sides("browInnerUp")), list(sides("browOuterUp"))
_LOOK_UP, _LOOK_DOWN = list(sides("eyeLookUp")), list(sides("eyeLookDown"))
_LOOK_LEFT = [ARKIT.index("eyeLookOutLeft"), ARKIT.index("eyeLookInRight")]
_LOOK_RIGHT = [ARKIT.index("eyeLookInLeft"), ARKIT.index("eyeLookOutRight")]
_FULL_LOOK_RAD = 0.45  # eye angle at weight 1 of the eyeLook blendshapes
_NOD_CHANNEL = 51


class FaceAnimator:
    """Poses a face for any instant.

    Args:
        seed: Two faces with the same seed and cues move alike.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def pose(self, at_sample: int, cues: FaceCues) -> FacePose:
        """The face at one instant: a pure function of time, seed and cues."""
        mouth, talking, seal = _speech(at_sample, cues.speech)
        levels = _levels(at_sample, cues, talking)
        carriage = emotion.carriage(levels)
        accented = accent(self._seed, at_sample, cues.speech, 1 + carriage.energy)
        held = self._held(at_sample, cues)
        breath = idle.breath(self._seed, at_sample / SPEECH_CLOCK_HZ)
        head = held[:3] + carriage.head + accented.head
        head[1] += self._nods(at_sample, cues) + _BREATH_RAD * breath
        head = _HEAD_LIMIT * np.tanh(head / _HEAD_LIMIT)
        eyes, lids = self._eyes(at_sample, cues, carriage)
        gaze = (eyes[:2] - head[:2]).astype(np.float32)
        felt = _felt(levels, held, accented)
        felt[_SQUINT + _WIDE] *= 1 - lids
        felt[_BLINK] = felt[_BLINK] * (1 - lids) + lids
        weights = emotion.blended(mouth, felt, talking, seal)
        _look(weights, gaze, lids)
        return FacePose(
            weights=np.clip(weights, 0, 1, out=weights),
            head=head.astype(np.float32),
            gaze=gaze,
            breath=breath,
            at_sample=at_sample,
            vergence=_VERGENCE + (_FAR_VERGENCE - _VERGENCE) * float(eyes[2]),
        )

    def is_blinking(self, at_sample: int, cues: FaceCues) -> bool:
        """Whether the lids move: worth every frame, even of a face that is idle."""
        return self._lids(at_sample, cues, 0.0) > 0

    def _held(self, at_sample: int, cues: FaceCues) -> NDArray[np.float64]:
        """How the face is held: see `idle.bearing`. Shape (6,)."""
        at_s = at_sample / SPEECH_CLOCK_HZ
        held = np.zeros(6)
        for state, share in _shares(at_sample, cues.states, _STATE_EASE_S).items():
            held += share * idle.bearing(self._seed, at_s, _MANNERS[state])
        return held

    def _eyes(
        self, at_sample: int, cues: FaceCues, carriage: Carriage
    ) -> tuple[NDArray[np.float64], float]:
        """Where the eyes look from the camera and whether off it, shape (3,); and the lids."""
        at_s = at_sample / SPEECH_CLOCK_HZ
        eyes, lids = np.zeros(3), self._lids(at_sample, cues, carriage.blinks)
        later = at_sample - round(_GAZE_AFTER_S * SPEECH_CLOCK_HZ)
        for state, share in _shares(later, cues.states, _GAZE_EASE_S).items():
            eyes += share * idle.gaze(self._seed, at_s, _MANNERS[state])
        for state, share in _shares(at_sample, cues.states, _STATE_EASE_S).items():
            lids = max(lids, share * idle.gaze_blink(self._seed, at_s, _MANNERS[state]))
        eyes[:2] += carriage.gaze
        return eyes, lids

    def _lids(self, at_sample: int, cues: FaceCues, more: float) -> float:
        ends = [s.end_sample / SPEECH_CLOCK_HZ for s in cues.speech]
        return idle.blink(self._seed, at_sample / SPEECH_CLOCK_HZ, ends, more)

    def _nods(self, at_sample: int, cues: FaceCues) -> float:
        """Pitch of the nods under way, in radians."""
        return _NOD_RAD * sum(
            (0.7 + 0.6 * uniform(self._seed, _NOD_CHANNEL, start))
            * idle.nod((at_sample - start) / SPEECH_CLOCK_HZ)
            for start in cues.nods
        )


def _felt(levels: Levels, held: NDArray[np.float64], accented: Accent) -> Weights:
    """The expression: feelings, over the manner of the state, with the accents of speech."""
    _, _, _, smile, brow, squint = held.tolist()
    felt = emotion.expression(levels)
    unsmiling = levels[[FEELINGS.index(f) for f in ("sad", "concerned", "surprised")]].sum()
    smile *= 1 - min(1.0, float(unsmiling) * 1.3)
    felt[_SMILE] += smile
    felt[_CHEEKS] += 0.9 * smile
    felt[_BROW] += brow + accented.brow
    felt[_OUTER_BROW] += 0.5 * brow + 0.65 * accented.brow
    felt[_SQUINT] += squint
    return np.clip(felt, 0, 1, out=felt)


def _levels(at_sample: int, cues: FaceCues, talking: float) -> Levels:
    """How strong each feeling is now, shape (6,), of a sum of at most 1.

    A chunk's feeling comes in just before its words and gives way to the next chunk's, slower when
    that is the weaker; after the last words it fades. A mood of the person shows while listening.
    """
    levels, last = np.zeros(len(FEELINGS)), 0.0
    for scheduled in cues.speech:
        begin = scheduled.start_sample - round(_FEEL_BEFORE_S * SPEECH_CLOCK_HZ)
        since_s = _since_s(at_sample, max(begin, scheduled.known_sample))
        if since_s <= 0:
            continue
        wanted = np.array(scheduled.emotion.levels)
        strength = float(wanted.sum())
        arrived = glide(since_s / (_FEEL_S if strength >= last else _CALM_S))
        last = strength
        over_s = _since_s(at_sample, scheduled.end_sample) - _LINGER_S
        left = 1 - ease(over_s / _FADE_S)
        levels = levels * (1 - arrived) + arrived * left * wanted
    for since, mood in cues.moods:
        shown_s = _since_s(at_sample, since) - _MOOD_AFTER_S
        shown = glide(shown_s / _MOOD_S) * (1 - ease((shown_s - _MOOD_HOLD_S) / _MOOD_FADE_S))
        levels += (1 - talking) * shown * (1 - levels.sum()) * np.array(mood.levels)
    return levels / max(1.0, float(levels.sum()))


def _shares(
    at_sample: int, states: tuple[tuple[int, FaceState], ...], ease_s: float
) -> dict[FaceState, float]:
    """How much of each state the face is in, summing to 1: each change eases in over the last."""
    shares: dict[FaceState, float] = {states[0][1]: 1.0}
    for since, state in states[1:]:
        arrived = glide(_since_s(at_sample, since) / ease_s)
        if arrived > 0:
            shares = {name: share * (1 - arrived) for name, share in shares.items() if arrived < 1}
            shares[state] = shares.get(state, 0.0) + arrived
    return shares


def _speech(at_sample: int, speech: tuple[ScheduledSpeech, ...]) -> tuple[Weights, float, float]:
    """The mouth's weights, newly allocated; how much the face talks; how far lips are claimed.

    Each chunk takes the mouth over just before it sounds, though not before it was known, and lets
    go where it ends or is cut.
    """
    mouth, talking, seal = np.zeros(len(ARKIT), np.float32), 0.0, 0.0
    before_s, last_s = _TAKEOVER_S
    for scheduled in speech:
        begin = scheduled.start_sample - round(before_s * SPEECH_CLOCK_HZ)
        begin = max(begin, scheduled.known_sample)
        left_s = _since_s(scheduled.start_sample, begin) - last_s
        taken = ease(_since_s(at_sample, begin) / max(left_s, _LATE_TAKEOVER_S))
        if taken == 0:
            continue
        over_s = _since_s(at_sample, scheduled.end_sample)
        held = 1 - ease(over_s / _CUT_EASE_S)
        mouth *= 1 - taken
        seal *= 1 - taken
        if held:
            weights, claimed = _sampled(scheduled, at_sample)
            mouth += taken * held * weights
            seal += taken * held * claimed
        talking = talking * (1 - taken) + taken * (1 - ease(over_s / _UNTALK_S))
    return mouth, talking, seal


def _sampled(scheduled: ScheduledSpeech, at_sample: int) -> tuple[Weights | float, float]:
    """A track's weights and seal at a sample, between its frames; zeros outside it."""
    track = scheduled.track
    position = (at_sample - scheduled.start_sample - track.lead) * TRACK_RATE_HZ / SPEECH_CLOCK_HZ
    index = math.floor(position)
    if position < 0 or index >= len(track.weights) - 1:
        return 0.0, 0.0
    share = np.float32(position - index)
    before, after = track.weights[index], track.weights[index + 1]
    mixed: Weights = before + share * (after - before)
    if track.seal is None:
        return mixed, 0.0
    return mixed, float(track.seal[index] + share * (track.seal[index + 1] - track.seal[index]))


def _since_s(at_sample: int, since: int) -> float:
    return (at_sample - since) / SPEECH_CLOCK_HZ


def _look(weights: Weights, gaze: NDArray[np.float32], lids: float) -> None:
    """Set the eyeLook blendshapes, which carry the lids along, to where the eyes look."""
    yaw, pitch = (gaze / _FULL_LOOK_RAD).tolist()
    open_share = 1 - lids
    weights[_LOOK_UP] = max(0.0, pitch) * open_share
    weights[_LOOK_DOWN] = max(0.0, -pitch) * open_share
    weights[_LOOK_RIGHT] = max(0.0, -yaw)
    weights[_LOOK_LEFT] = max(0.0, yaw)
