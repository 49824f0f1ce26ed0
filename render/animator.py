"""The whole face in motion: speech over idle life, coloured by what the conversation is doing.

Everything is a function of time, seed and cues; there is no state, so frames may be skipped, drawn
again, or drawn elsewhere, and come out the same.
"""

import numpy as np
from numpy.typing import NDArray

from render import idle
from render.idle import Manner
from render.noise import bump, ease, uniform
from render.types import (
    ARKIT,
    SPEECH_CLOCK_HZ,
    TRACK_RATE_HZ,
    FaceCues,
    FacePose,
    FaceState,
    ScheduledSpeech,
)
from render.visemes import sides

Weights = NDArray[np.float32]

_MANNERS: dict[FaceState, Manner] = {
    "idle": Manner(
        sway=(0.045, 0.022, 0.020), sway_s=3.4, lean=(0, 0, 0),
        wander=0.030, away=(0.16, -0.03), away_share=0.22, smile=0.12, brow=0.04, squint=0.05,
    ),
    "listening": Manner(
        sway=(0.020, 0.014, 0.012), sway_s=3.0, lean=(0.012, -0.012, 0.055),
        wander=0.012, away=(0, 0), away_share=0.0, smile=0.20, brow=0.18, squint=0.03,
    ),
    "thinking": Manner(
        sway=(0.018, 0.014, 0.014), sway_s=2.6, lean=(-0.045, 0.030, -0.022),
        wander=0.020, away=(0.20, 0.15), away_share=0.8, smile=0.05, brow=0.30, squint=0.14,
    ),
    "speaking": Manner(
        sway=(0.040, 0.024, 0.024), sway_s=1.5, lean=(0, 0, 0),
        wander=0.014, away=(0.12, -0.05), away_share=0.12, smile=0.12, brow=0.07, squint=0.05,
    ),
}  # fmt: skip
_STATE_EASE_S = 0.32
_CUT_EASE_S = 0.12  # a barge-in closes the mouth in this time
_TAKEOVER_S = (0.20, 0.06)  # before a chunk starts, the mouth passes over to it in this window
_BEAT_CHANNEL = 50

_SMILE, _CHEEKS = list(sides("mouthSmile")), list(sides("cheekSquint"))
_BLINK, _SQUINT = list(sides("eyeBlink")), list(sides("eyeSquint"))
_BROW, _OUTER_BROW = list(sides("browInnerUp")), list(sides("browOuterUp"))
_LOOK_UP, _LOOK_DOWN = list(sides("eyeLookUp")), list(sides("eyeLookDown"))
_LOOK_LEFT = [ARKIT.index("eyeLookOutLeft"), ARKIT.index("eyeLookInRight")]
_LOOK_RIGHT = [ARKIT.index("eyeLookInLeft"), ARKIT.index("eyeLookOutRight")]
_FULL_LOOK_RAD = 0.45  # eye angle at weight 1 of the eyeLook blendshapes


class FaceAnimator:
    """Poses a face for any instant.

    Args:
        seed: Two faces with the same seed and cues move alike.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def pose(self, at_sample: int, cues: FaceCues) -> FacePose:
        """The face at one instant: a pure function of time, seed and cues."""
        at_s = at_sample / SPEECH_CLOCK_HZ
        shares = _shares(at_sample, cues.states)
        bearing = np.zeros(8)
        for state, share in shares.items():
            bearing += share * idle.bearing(self._seed, at_s, _MANNERS[state])
        yaw, pitch, roll, eye_yaw, eye_pitch, smile, brow, squint = bearing.tolist()
        weights, talking = _speech(at_sample, cues.speech)
        pulse = self._pulse(at_sample, cues.speech)
        pitch -= 0.022 * pulse
        pitch += 0.060 * sum(idle.nod((at_sample - n) / SPEECH_CLOCK_HZ) for n in cues.nods)
        gaze = np.array([eye_yaw - yaw, eye_pitch - pitch], np.float32)
        lids = idle.blink(self._seed, at_s, [s.end_sample / SPEECH_CLOCK_HZ for s in cues.speech])
        weights[_SMILE] += smile * (1 - 0.45 * talking)
        weights[_CHEEKS] += 0.5 * smile
        weights[_BROW] += brow + 0.22 * pulse
        weights[_OUTER_BROW] += 0.5 * brow + 0.14 * pulse
        weights[_SQUINT] += squint
        weights[_BLINK] += lids
        _look(weights, gaze, lids)
        return FacePose(
            weights=np.clip(weights, 0, 1, out=weights),
            head=np.array([yaw, pitch, roll], np.float32),
            gaze=gaze,
            breath=idle.breath(at_s),
            at_sample=at_sample,
        )

    def _pulse(self, at_sample: int, speech: tuple[ScheduledSpeech, ...]) -> float:
        """How strongly the stressed words around now move brows and head, in [0, 1]."""
        pulse = 0.0
        for scheduled in speech:
            for k, beat in enumerate(scheduled.track.beats):
                when = scheduled.start_sample + beat
                since_s = (at_sample - when) / SPEECH_CLOCK_HZ
                if -0.2 < since_s < 0.4 and when < scheduled.end_sample:
                    chance = uniform(self._seed, _BEAT_CHANNEL, scheduled.start_sample + k)
                    strength = max(0.0, 1.4 * chance - 0.4)
                    pulse = max(pulse, strength * bump(since_s + 0.14, 0.16, 0.30))
        return pulse


def _shares(at_sample: int, states: tuple[tuple[int, FaceState], ...]) -> dict[FaceState, float]:
    """How much of each state the face is in, summing to 1: each change eases in over the last."""
    shares: dict[FaceState, float] = {states[0][1]: 1.0}
    for since, state in states[1:]:
        arrived = ease((at_sample - since) / (_STATE_EASE_S * SPEECH_CLOCK_HZ))
        if arrived > 0:
            shares = {name: share * (1 - arrived) for name, share in shares.items() if arrived < 1}
            shares[state] = shares.get(state, 0.0) + arrived
    return shares


def _speech(at_sample: int, speech: tuple[ScheduledSpeech, ...]) -> tuple[Weights, float]:
    """The mouth's weights, newly allocated, and how much the face is talking, in [0, 1].

    Each chunk takes the mouth over just before it sounds, and lets go where it ends or is cut.
    """
    mouth, talking = np.zeros(len(ARKIT), np.float32), 0.0
    first, last = (s * SPEECH_CLOCK_HZ for s in _TAKEOVER_S)
    for scheduled in speech:
        taken = ease((at_sample - scheduled.start_sample + first) / (first - last))
        if taken == 0:
            continue
        held = 1 - ease((at_sample - scheduled.end_sample) / (_CUT_EASE_S * SPEECH_CLOCK_HZ))
        mouth *= 1 - taken
        if held:
            mouth += taken * held * _sampled(scheduled, at_sample)
        talking = talking * (1 - taken) + taken * held
    return mouth, talking


def _sampled(scheduled: ScheduledSpeech, at_sample: int) -> Weights | float:
    """A track's weights at a sample, between its frames; zero outside it."""
    track = scheduled.track
    position = (at_sample - scheduled.start_sample - track.lead) * TRACK_RATE_HZ / SPEECH_CLOCK_HZ
    index = int(position)
    if position < 0 or index >= len(track.weights) - 1:
        return 0.0
    before, after = track.weights[index], track.weights[index + 1]
    mixed: Weights = before + np.float32(position - index) * (after - before)
    return mixed


def _look(weights: Weights, gaze: NDArray[np.float32], lids: float) -> None:
    """Set the eyeLook blendshapes, which carry the lids along, to where the eyes look."""
    yaw, pitch = (gaze / _FULL_LOOK_RAD).tolist()
    open_share = 1 - lids
    weights[_LOOK_UP] = max(0.0, pitch) * open_share
    weights[_LOOK_DOWN] = max(0.0, -pitch) * open_share
    weights[_LOOK_RIGHT] = max(0.0, -yaw)
    weights[_LOOK_LEFT] = max(0.0, yaw)
