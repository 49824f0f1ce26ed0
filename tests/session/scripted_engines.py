"""The engines of a whole session, every stage of them scripted."""

from avatar.dialogue.persona import load_persona
from avatar.engines import Engines
from avatar.turn import Voice
from render.animator import FaceAnimator
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
        animator=FaceAnimator,
        renderer=None,
        poster=b"",
    )
