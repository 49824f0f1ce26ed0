import pytest

from avatar.rtc.poses_channel import LABEL, UNSENT_LIMIT_BYTES, PosesChannel
from tests.avatar.test_rtc_events_channel import Channel


@pytest.fixture
def changes() -> list[bool]:
    return []


@pytest.fixture
def poses(changes) -> PosesChannel:
    channel = PosesChannel(lambda: changes.append(channel.is_open))
    return channel


def test_poses_are_sent_once_the_channel_is_open_and_never_kept(poses, changes):
    channel = Channel(LABEL, state="connecting")
    assert not poses.send(b"early")
    poses.attach(channel)
    assert not poses.send(b"still early")
    channel.readyState = "open"
    channel.listeners["open"]()
    assert poses.send(b"now")
    assert channel.sent == [b"now"]
    assert changes == [True]


def test_a_client_that_does_not_read_gets_no_more(poses):
    channel = Channel(LABEL, buffered=UNSENT_LIMIT_BYTES + 1)
    poses.attach(channel)
    assert not poses.send(b"pose")
    assert channel.sent == []


def test_a_client_may_close_the_channel_and_open_another(poses, changes):
    first, second = Channel(LABEL), Channel(LABEL)
    poses.attach(first)
    first.readyState = "closed"
    first.listeners["close"]()
    poses.attach(second)
    assert poses.send(b"pose")
    assert (first.sent, second.sent) == ([], [b"pose"])
    assert changes == [True, False, True]
