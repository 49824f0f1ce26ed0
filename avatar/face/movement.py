"""How one call's face moves: which instants are shown, and how it looks then."""

from collections.abc import Callable

from avatar.settings import FaceSettings
from render.stages import Animator
from render.types import SPEECH_CLOCK_HZ, FaceCues, FacePose

_SETTLE_SAMPLES = SPEECH_CLOCK_HZ * 6 // 10  # the face eases for less than this after a change


class Movement:
    """Poses in slots: one every `step` samples of the speech clock, of which idle ones are few.

    Args:
        animator: Poses the face.
        cues: What the face knows of the conversation at present.
        settings: Frame rates.

    Attributes:
        step: Samples from slot to slot.
    """

    def __init__(
        self, animator: Animator, cues: Callable[[], FaceCues], settings: FaceSettings
    ) -> None:
        self.step = SPEECH_CLOCK_HZ // settings.speaking_fps
        self._idle_every = max(1, round(settings.speaking_fps / settings.idle_fps))
        self._animator = animator
        self._cues = cues

    def is_shown(self, slot: int) -> bool:
        """Whether to show this slot: all while something moves fast, fewer while nothing does."""
        if slot % self._idle_every == 0:
            return True
        cues = self._cues()
        at_sample = slot * self.step
        settled = at_sample - _SETTLE_SAMPLES
        return (
            cues.states[-1][0] > settled
            or any(s.end_sample > settled for s in cues.speech)
            or any(start > settled for start in cues.nods)
            or self._animator.is_blinking(at_sample, cues)
        )

    def pose(self, slot: int) -> FacePose:
        """The face at a slot, as far as is known now."""
        return self.pose_at(slot * self.step)

    def pose_at(self, sample: int) -> FacePose:
        """The face at a sample of the speech clock, as far as is known now."""
        return self._animator.pose(sample, self._cues())
