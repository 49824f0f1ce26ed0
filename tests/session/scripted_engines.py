"""The engines of a whole session, every stage of them scripted."""

import numpy as np

from avatar.dialogue.persona import load_persona
from avatar.engines import Engines
from avatar.turn import Voice
from render.animator import FaceAnimator
from render.types import ARKIT, FacePose
from tests.session.scripted_call import (
    APOLOGY,
    LoudnessDetector,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoice,
    StillLips,
    _spoken,
)

MIC_HZ = 16_000
FRAME = 320
LONG = "Well, once upon a time there was a little boat that sailed far across the wide blue sea."


class Model(ScriptedModel):
    async def close(self):
        pass


class StillFace(FaceAnimator):
    """Never moves: animation is a third of what a session costs, and no rule of it looks at it."""

    def pose(self, at_sample, cues):
        still = np.zeros(3, np.float32)
        return FacePose(np.zeros(len(ARKIT), np.float32), still, still[:2], 0.0, at_sample)

    def is_blinking(self, at_sample, cues):
        return False


def scripted_engines(words, new_model):
    """Scripted ones.

    Args:
        words: What is understood, by loudness.
        new_model: Makes the language model of a call.
    """
    voice = Voice("en", ScriptedVoice(), StillLips())
    recognizer = ScriptedRecognizer(words)
    return Engines(
        persona=load_persona("default"),
        turn_detector=ScriptedTurnDetector(),
        recognizers={"en": recognizer, "es": recognizer},
        voices={"en": voice, "es": voice},
        apologies={"en": _spoken(APOLOGY), "es": _spoken(APOLOGY)},
        openers={"en": (), "es": ()},
        language_model=new_model,
        smaller_model=None,
        voice_detector=LoudnessDetector,
        animator=StillFace,
        renderer=None,
        poster=b"",
    )
