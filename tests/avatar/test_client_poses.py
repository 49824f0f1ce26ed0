import numpy as np

from avatar.client.poses import PoseQueue, openness
from avatar.protocol.poses import pack, pack_body
from render.types import ARKIT, FacePose

STEP = 1920
BEGIN = 2**32 - 5 * STEP  # the timestamps wrap


def message(*poses):
    """Poses as (sequence, slot, jaw)."""
    packed = []
    for sequence, slot, jaw in poses:
        weights = np.zeros(len(ARKIT), np.float32)
        weights[ARKIT.index("jawOpen")] = jaw
        body = pack_body(FacePose(weights, np.zeros(3), np.zeros(2), 0.0, 0))
        packed.append(pack(body, sequence, BEGIN + slot * STEP))
    return b"".join(packed)


def jaws(poses):
    return [(pose.at_sample, round(openness(pose), 1)) for pose in poses]


def test_poses_come_out_with_their_sound_in_order_across_the_wrap():
    queue = PoseQueue()
    queue.take(message((2, 6, 0.6), (1, 4, 0.4)))
    queue.take(message((3, 9, 0.9)))
    assert jaws(queue.due(BEGIN + 7 * STEP)) == [
        (BEGIN + 4 * STEP, 0.4),
        (BEGIN + 6 * STEP, 0.6),
    ]
    assert queue.due(BEGIN + 8 * STEP) == []
    assert jaws(queue.due(BEGIN + 10 * STEP)) == [(BEGIN + 9 * STEP, 0.9)]


def test_the_newer_of_two_poses_for_one_sample_counts_however_they_arrive():
    queue = PoseQueue()
    queue.take(message((2**16 - 1, 1, 0.1), (0, 2, 0.0)))
    queue.take(message((1, 1, 0.8)))
    queue.take(message((2**16 - 2, 2, 0.5)))
    assert [jaw for _, jaw in jaws(queue.due(BEGIN + 3 * STEP))] == [0.8, 0.0]


def test_what_comes_after_its_time_is_left_out():
    queue = PoseQueue()
    queue.take(message((1, 5, 0.5)))
    assert len(queue.due(BEGIN + 5 * STEP)) == 1
    queue.take(message((2, 4, 0.4), (3, 6, 0.6)))
    assert [jaw for _, jaw in jaws(queue.due(BEGIN + 6 * STEP))] == [0.6]


def test_a_malformed_message_is_left_out():
    queue = PoseQueue()
    for wrong in ("text", b"", b"\x01\x02", b"\x09" * 74):
        queue.take(wrong)
    queue.take(message((1, 1, 0.5)))
    assert len(queue.due(BEGIN + STEP)) == 1


def test_lips_that_close_over_an_open_jaw_are_closed():
    weights = np.zeros(len(ARKIT), np.float32)
    weights[[ARKIT.index("jawOpen"), ARKIT.index("mouthClose")]] = 0.3, 0.5
    assert openness(FacePose(weights, np.zeros(3), np.zeros(2), 0.0, 0)) == 0
