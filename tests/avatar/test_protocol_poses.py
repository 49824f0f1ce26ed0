import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.protocol.poses import POSE_BYTES, PoseFormatError, pack, pack_body, unpack
from render.types import ARKIT, FacePose

unit = st.floats(0, 1, width=32)
angle = st.floats(-1.5, 1.5, width=32)


def pose(weights=None, head=(0, 0, 0), gaze=(0, 0), breath=0.0, vergence=0.0):
    return FacePose(
        np.zeros(len(ARKIT), np.float32) if weights is None else np.array(weights, np.float32),
        np.array(head, np.float32),
        np.array(gaze, np.float32),
        breath,
        at_sample=0,
        vergence=vergence,
    )


@given(
    st.lists(unit, min_size=52, max_size=52),
    st.tuples(angle, angle, angle),
    st.tuples(angle, angle),
    unit,
    angle,
    st.integers(0, 2**32 - 1),
)
def test_a_pose_comes_back_as_it_was_within_a_step(weights, head, gaze, breath, vergence, stamp):
    sent = pose(weights, head, gaze, breath, vergence)
    (came,) = unpack(pack(pack_body(sent), 7, stamp))
    assert (came.sequence, came.rtp_timestamp, came.pose.at_sample) == (7, stamp, stamp)
    np.testing.assert_allclose(came.pose.weights, sent.weights, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(came.pose.head, sent.head, atol=1e-4)
    np.testing.assert_allclose(came.pose.gaze, sent.gaze, atol=1e-4)
    assert came.pose.breath == pytest.approx(breath, abs=0.5 / 255 + 1e-6)
    assert came.pose.vergence == pytest.approx(vergence, abs=1e-4)


def test_the_layout_is_the_one_that_the_page_reads():
    weights = np.zeros(len(ARKIT), np.float32)
    weights[ARKIT.index("jawOpen")] = 1
    body = pack_body(pose(weights, (0.1, -0.2, 0.0003), (0.05, -0.05), 1.0, 0.02))
    message = pack(body, 0x10203, 0x1_AABBCCDD)
    assert len(message) == POSE_BYTES == 74
    assert message[:8] == bytes([1, 0, 0x03, 0x02, 0xDD, 0xCC, 0xBB, 0xAA])
    assert message[8 + ARKIT.index("jawOpen")] == 255
    steps = np.frombuffer(message[60:72], "<i2").tolist()
    assert steps == [1000, -2000, 3, 500, -500, 200]
    assert message[72:] == b"\xff\x00"


def test_what_is_out_of_range_is_clipped():
    weights = np.full(len(ARKIT), 7, np.float32)
    (came,) = unpack(pack(pack_body(pose(weights, (90, -90, 0), breath=-1)), 0, 0))
    assert came.pose.weights.max() == 1
    assert came.pose.head[:2] == pytest.approx([3.2767, -3.2767])
    assert came.pose.breath == 0


def test_a_message_holds_several_poses_in_order():
    message = b"".join(pack(pack_body(pose()), n, 1920 * n) for n in range(3))
    assert [each.sequence for each in unpack(message)] == [0, 1, 2]


@pytest.mark.parametrize("message", [b"", b"\x01" * 73, bytes([2]) + bytes(73)])
def test_a_message_that_is_cut_or_of_another_version_is_refused(message):
    with pytest.raises(PoseFormatError):
        unpack(message)
