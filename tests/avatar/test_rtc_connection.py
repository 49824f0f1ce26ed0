"""What aiortc makes of an offer that passed our own checks."""

import asyncio
import random
from pathlib import Path

import numpy as np
import pytest
from aiortc import RTCPeerConnection

from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from avatar.settings import RtcSettings
from speech.errors import SignallingError

OFFER = (Path(__file__).parents[1] / "data" / "chromium_offer.sdp").read_bytes().decode()
WORDS = ("", "0", "-1", "9" * 11, "x", "é", "\ud800", "\0", "1.5", "*", "active", "111 minptime=x")


class Silence:
    position = 0

    def next_frame(self):
        return np.zeros(960, np.int16)


async def answered(sdp):
    """Whether it is answered; False if it is refused."""
    clock, settings = MediaClock(), RtcSettings()
    try:
        peer = await Peer.answer(sdp, audio=Silence(), video=None, clock=clock, settings=settings)
    except SignallingError:
        return False
    await peer.close()
    return True


def damaged(rng):
    lines = OFFER.split("\r\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        separator = rng.choice(" :")
        parts = lines[at].split(separator)
        parts[rng.randrange(len(parts))] = rng.choice(WORDS)
        lines[at] = separator.join(parts)
    return "\r\n".join(lines)


def test_a_damaged_offer_is_answered_or_refused_by_the_whole_connection():
    async def test():
        rng = random.Random(5)
        return [await answered(damaged(rng)) for _ in range(60)]

    answers = asyncio.run(test())
    assert 10 < sum(answers) < 50, "both happen"


def test_a_parameter_without_a_value_on_which_aiortc_breaks_refuses_the_offer():
    sdp = OFFER.replace("packetization-mode=1", "packetization-mode")
    assert sdp != OFFER
    assert asyncio.run(answered(sdp)) is False


@pytest.mark.parametrize("breaks_in", ["setRemoteDescription", "createAnswer"])
def test_whatever_aiortc_raises_on_an_offer_refuses_it(breaks_in, monkeypatch, caplog):
    async def broken(self, *_):
        raise AttributeError("'NoneType' object has no attribute 'role'")

    monkeypatch.setattr(RTCPeerConnection, breaks_in, broken)
    assert asyncio.run(answered(OFFER)) is False
    assert "aiortc broke" in caplog.text


def test_a_machine_without_sockets_is_not_the_client_s_fault(monkeypatch):
    async def exhausted(self, *_):
        raise OSError("Too many open files")

    monkeypatch.setattr(RTCPeerConnection, "setLocalDescription", exhausted)
    with pytest.raises(OSError, match="open files"):
        asyncio.run(answered(OFFER))
