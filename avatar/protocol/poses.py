"""Poses of a face as bytes, for clients that draw it themselves.

One pose is 74 bytes, little-endian; a data-channel message is one or several of them:

    u8   version: 1
    u8   flags: 0, reserved
    u16  sequence: the newest of two poses for one timestamp counts, modulo 2^16
    u32  RTP timestamp, on the audio stream's own scale, of the sample that the pose belongs to
    u8   x 52  ARKit weights, alphabetical, in 1/255
    i16  x 3   head: yaw, pitch, roll, in 1e-4 rad
    i16  x 2   gaze: yaw, pitch, in 1e-4 rad
    i16  vergence, in 1e-4 rad
    u8   breath, in 1/255
    u8   0
"""

import struct
from dataclasses import dataclass

import numpy as np

from render.types import ARKIT, FacePose

VERSION = 1
POSE_BYTES = 74

_HEAD = struct.Struct("<BBHI")
_BODY = struct.Struct(f"<{len(ARKIT)}s6hBx")
_STEPS_PER_RADIAN = 10_000
_LIMIT = 2**15 - 1
_UINT16 = 0xFFFF
_UINT32 = 0xFFFFFFFF


class PoseFormatError(ValueError):
    """A message that holds no poses of this version. Not retryable; the next one may be good."""


@dataclass(frozen=True, slots=True)
class StampedPose:
    """A pose as it came over the network.

    Attributes:
        sequence: Order of sending, modulo 2^16.
        rtp_timestamp: Of the audio sample that it belongs to, modulo 2^32.
        pose: The pose; its `at_sample` is `rtp_timestamp`.
    """

    sequence: int
    rtp_timestamp: int
    pose: FacePose


def pack_body(pose: FacePose) -> bytes:
    """The part that says how the face is: equal bytes look the same."""
    weights = np.rint(np.clip(pose.weights, 0, 1) * 255).astype(np.uint8).tobytes()
    angles = np.array([*pose.head, *pose.gaze, pose.vergence], np.float64) * _STEPS_PER_RADIAN
    steps = np.rint(np.clip(angles, -_LIMIT, _LIMIT)).astype(int).tolist()
    breath = round(min(1.0, max(0.0, float(pose.breath))) * 255)
    return _BODY.pack(weights, *steps, breath)


def pack(body: bytes, sequence: int, rtp_timestamp: int) -> bytes:
    """One pose, from its `pack_body`; the two numbers wrap."""
    return _HEAD.pack(VERSION, 0, sequence & _UINT16, rtp_timestamp & _UINT32) + body


def unpack(message: bytes) -> list[StampedPose]:
    """The poses of a message, in the order of sending.

    Raises:
        PoseFormatError: It is cut short, or of another version.
    """
    if not message or len(message) % POSE_BYTES:
        raise PoseFormatError(f"poses come in {POSE_BYTES} bytes each, not {len(message)} in all")
    return [_unpack(message, start) for start in range(0, len(message), POSE_BYTES)]


def _unpack(message: bytes, start: int) -> StampedPose:
    version, _, sequence, timestamp = _HEAD.unpack_from(message, start)
    if version != VERSION:
        raise PoseFormatError(f"version {version} of the pose format is not known")
    weights, *steps, breath = _BODY.unpack_from(message, start + _HEAD.size)
    angles = np.array(steps, np.float32) / np.float32(_STEPS_PER_RADIAN)
    pose = FacePose(
        weights=np.frombuffer(weights, np.uint8).astype(np.float32) / np.float32(255),
        head=angles[:3],
        gaze=angles[3:5],
        breath=breath / 255,
        at_sample=timestamp,
        vergence=float(angles[5]),
    )
    return StampedPose(sequence, timestamp, pose)
