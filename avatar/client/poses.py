"""Poses of a face that this end of the call draws, or only reads: each in its sound's time."""

import logging
from dataclasses import replace

from avatar.protocol.poses import PoseFormatError, StampedPose, unpack
from render.types import ARKIT, FacePose

_log = logging.getLogger(__name__)
_JAW_OPEN, _MOUTH_CLOSE = ARKIT.index("jawOpen"), ARKIT.index("mouthClose")
_WAITING_LIMIT = 256  # 10 s of poses: more without any sound are of no use


def openness(pose: FacePose) -> float:
    """How open the mouth is: what the jaw opens and the lips do not close again."""
    return max(0.0, float(pose.weights[_JAW_OPEN] - pose.weights[_MOUTH_CLOSE]))


class PoseQueue:
    """Poses that wait for their sound. Of two for one timestamp the newer one counts."""

    def __init__(self) -> None:
        self._waiting: dict[int, StampedPose] = {}
        self._shown: int | None = None

    def take(self, message: str | bytes) -> None:
        """Take in a message of the data channel; a malformed one is left out."""
        try:
            poses = unpack(message if isinstance(message, bytes) else b"")
        except PoseFormatError as error:
            _log.warning("pose message dropped: %s", error)
            return
        for pose in poses:
            known = self._waiting.get(pose.rtp_timestamp)
            if known is None or _signed(pose.sequence - known.sequence, 16) > 0:
                self._waiting[pose.rtp_timestamp] = pose
        while len(self._waiting) > _WAITING_LIMIT:
            del self._waiting[next(iter(self._waiting))]

    def due(self, timestamp: int) -> list[FacePose]:
        """Take out what is to be shown by the time that the sample at `timestamp` is heard.

        Args:
            timestamp: RTP timestamp of the audio, unwrapped.

        Returns:
            In order of time, each with `timestamp`'s scale in its `at_sample`. What came too late
            is left out.
        """
        found: list[FacePose] = []
        for stamp, stamped in list(self._waiting.items()):
            at_sample = timestamp + _signed(stamp - timestamp, 32)
            if at_sample > timestamp:
                continue
            del self._waiting[stamp]
            if self._shown is None or at_sample > self._shown:
                found.append(replace(stamped.pose, at_sample=at_sample))
        found.sort(key=lambda pose: pose.at_sample)
        if found:
            self._shown = found[-1].at_sample
        return found


def _signed(difference: int, bits: int) -> int:
    """A difference of two wrapping numbers, as the shorter way round."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
