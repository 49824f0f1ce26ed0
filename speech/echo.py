"""Takes one's own voice, come back from a loudspeaker, out of a microphone.

WebRTC's canceller (AEC3) subtracts and suppresses it, but only where `EchoFinder` has found an
echo: where there is none, AEC3 mutes the person for their first second. What it does badly it is
spared: it finds echoes up to 0.45 s late, and loses some that are more than 0.1 s late in rooms
that ring, so those are brought nearer.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pywebrtc_audio import EchoCanceller

from speech.echo_finder import EchoFinder
from speech.reference import Reference
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

_OVER_SAMPLES = LISTENING_RATE_HZ * 3 // 2  # after the voice: the latest echo, and a room's ringing
_RINGS_SAMPLES = LISTENING_RATE_HZ * 3 // 10
_REACH_SAMPLES = LISTENING_RATE_HZ // 10
_NEAR_SAMPLES = LISTENING_RATE_HZ // 20
_SETTLES_SAMPLES = LISTENING_RATE_HZ * 4 // 5


class EchoRemover:
    """The stage: `played` gets what leaves, `clean` what comes in. One per call.

    While nothing of one's own can be heard, frames pass as they are and cost nothing. Otherwise
    it takes 0.1 ms of CPU for 10 ms, and 1 ms more four times a second.
    """

    def __init__(self) -> None:
        self._finder = EchoFinder()
        self._reference = Reference()
        self._canceller = EchoCanceller(LISTENING_RATE_HZ)
        self._quiet = _OVER_SAMPLES  # samples since the voice last sounded
        self._shift = 0
        self._settling = 0

    @property
    def found(self) -> bool:
        """Whether an echo is being taken out at present: what passes may hold rests of it."""
        delay = self._finder.delay
        return delay is not None and self._quiet <= delay + _RINGS_SAMPLES

    def played(self, pcm: NDArray[np.int16]) -> None:
        """Take note of what leaves for the person's loudspeaker.

        Args:
            pcm: int16 at 48 kHz, shape (samples,); silence included.
        """
        self._reference.put(pcm)

    def clean(self, frame: AudioFrame) -> AudioFrame:
        """The same frame without the echo; silence until it is known whether there is one.

        Args:
            frame: Of the microphone, 16 kHz; each in its turn.
        """
        count = len(frame.pcm)
        played = self._reference.take(frame.start_sample, count)
        sounding = np.flatnonzero(played)
        self._quiet = count - int(sounding[-1]) if len(sounding) else self._quiet + count
        if self._quiet > _OVER_SAMPLES:
            return frame
        self._finder.step(frame.pcm, played)
        delay = self._finder.delay
        if delay is not None and not 0 <= delay - self._shift <= _REACH_SAMPLES:
            self._shift = max(0, delay - _NEAR_SAMPLES)
            self._canceller.reset()
            self._settling = _SETTLES_SAMPLES
        aligned = self._reference.earlier(count, self._shift)
        cleaned = self._canceller.process(frame.pcm, aligned)
        if self._settling > 0 or not self._finder.sure:
            self._settling -= count
            return replace(frame, pcm=np.zeros_like(frame.pcm))
        return frame if delay is None else replace(frame, pcm=cleaned)
