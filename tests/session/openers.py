"""Openers for scripted calls."""

import numpy as np

from avatar.opener import Opener
from speech.types import AudioFrame, SpeechChunk

LASTS_S = 0.6


def opener(text, lasts_s=LASTS_S):
    pcm = np.full(round(lasts_s * 24_000), 900, np.int16)
    return Opener.of(SpeechChunk(text, AudioFrame(pcm, 24_000)))
