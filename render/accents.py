"""What head and brows do for the rhythm of speech.

Heads move with the voice: the larger movements fall on stressed syllables, most often downwards,
and a new phrase begins from a new posture (Hadar et al. 1983; Munhall et al. 2004, who show that it
helps to be understood). Brows rise on some of the stressed words (Flecha-Garcia 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.noise import bump, ease, glide, uniform
from render.types import SPEECH_CLOCK_HZ, ScheduledSpeech

_CHANCE, _YAW, _ROLL, _PHRASE = 60, 61, 62, 64  # channels of the noise; the last takes three
_BEFORE_S, _RISE_S, _FALL_S = 0.14, 0.16, 0.32  # around the middle of the stressed vowel
_DIP_RAD, _TURN_RAD, _TILT_RAD = 0.026, 0.018, 0.016
_BROW = 0.24
_POSTURE_RAD = np.array((0.050, 0.022, 0.032))
_SETTLE_S, _RELAX_S, _LET_GO_S = 0.60, 0.90, 0.25


@dataclass(frozen=True, slots=True)
class Accent:
    """What speech adds at an instant.

    Attributes:
        head: float64, shape (3,): yaw, pitch, roll in radians.
        brow: Weight of raised brows.
    """

    head: NDArray[np.float64]
    brow: float


def accent(seed: int, at_sample: int, speech: tuple[ScheduledSpeech, ...], energy: float) -> Accent:
    """The accents of the stressed words around now, and the posture of the phrase.

    Args:
        seed: Of the face.
        at_sample: When.
        speech: What was said lately and is next.
        energy: Factor on all of it; 1 is neutral.
    """
    head, brow = np.zeros(3), 0.0
    for scheduled in speech:
        head = _postured(seed, at_sample, scheduled, head)
        for k, beat in enumerate(scheduled.track.beats):
            when = scheduled.start_sample + beat
            since_s = (at_sample - when) / SPEECH_CLOCK_HZ + _BEFORE_S
            if not 0 < since_s < _RISE_S + _FALL_S:
                continue
            key = scheduled.start_sample + k
            # Not before it was known: a beat in the first moments of a reply is let pass.
            if when - _BEFORE_S * SPEECH_CLOCK_HZ < scheduled.known_sample:
                continue
            strength = max(0.0, 1.4 * uniform(seed, _CHANCE, key) - 0.4)
            moved = strength * bump(since_s, _RISE_S, _FALL_S)
            if when >= scheduled.end_sample:  # cut: it is let go of
                over_s = (at_sample - scheduled.end_sample) / SPEECH_CLOCK_HZ
                moved *= 1 - ease(over_s / _LET_GO_S)
            turn, tilt = (uniform(seed, channel, key) * 2 - 1 for channel in (_YAW, _ROLL))
            head = head + moved * np.array((turn * _TURN_RAD, -_DIP_RAD, tilt * _TILT_RAD))
            brow = max(brow, _BROW * moved)
    return Accent(head * energy, brow * energy)


def _postured(
    seed: int, at_sample: int, scheduled: ScheduledSpeech, head: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The head on its way from the last phrase's posture to this one's, or back to rest."""
    begin = max(scheduled.start_sample - SPEECH_CLOCK_HZ // 10, scheduled.known_sample)
    arrived = glide((at_sample - begin) / SPEECH_CLOCK_HZ / _SETTLE_S)
    left = 1 - ease((at_sample - scheduled.end_sample) / SPEECH_CLOCK_HZ / _RELAX_S)
    if arrived * left == 0:
        return head * (1 - arrived)
    signed = [uniform(seed, _PHRASE + axis, scheduled.start_sample) * 2 - 1 for axis in range(3)]
    held: NDArray[np.float64] = arrived * left * _POSTURE_RAD * np.array(signed)
    return head * (1 - arrived) + held
