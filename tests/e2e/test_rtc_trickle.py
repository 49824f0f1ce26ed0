"""What a client says after its first offer: more addresses, and the same offer again."""

import asyncio

import pytest
from aiortc import RTCSessionDescription

from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from speech.errors import SignallingError
from tests.e2e.rtc_client import (
    PATIENCE_S,
    SETTINGS,
    Beeps,
    Microphone,
    call,
    connection,
    offer,
)

pytestmark = pytest.mark.e2e


def without_candidates(sdp: str) -> tuple[str, list[str]]:
    """A description as it is before any address is found, and the addresses."""
    lines = sdp.splitlines(keepends=True)
    rest = [line for line in lines if "candidate" not in line]
    return "".join(rest), [line for line in lines if line.startswith("a=candidate")]


def test_a_client_is_reached_at_an_address_that_it_names_later():
    """It is told none of ours, so that it can't come to us: we have to come to it."""

    async def scenario():
        pc = connection()
        sdp, addresses = without_candidates(await offer(pc, Microphone(), None))
        peer = await Peer.answer(
            sdp, audio=Beeps(), video=None, clock=MediaClock(), settings=SETTINGS
        )
        try:
            answer, _ = without_candidates(peer.answer_sdp)
            await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await peer.add_candidates(addresses[:1])
            await peer.add_candidates([*addresses, "a=end-of-candidates"])
            await asyncio.wait_for(peer.connected.wait(), PATIENCE_S)
        finally:
            await pc.close()
            await peer.close()

    asyncio.run(scenario())


def test_a_client_may_offer_the_same_again_and_the_call_goes_on():
    async def scenario():
        async with call() as client:
            await client.has_seen(5)
            await client.pc.setLocalDescription(await client.pc.createOffer())
            answer = await client.peer.renegotiate(client.pc.localDescription.sdp)
            await client.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await client.has_seen(len(client.frames["video"]) + 10)
            assert not client.peer.closed.is_set()

    asyncio.run(scenario())


def test_another_connection_s_offer_does_not_take_a_call_over():
    async def scenario():
        async with call() as client:
            other = connection()
            try:
                with pytest.raises(SignallingError, match="make a new connection"):
                    await client.peer.renegotiate(await offer(other, Microphone()))
            finally:
                await other.close()
            await client.has_seen(len(client.frames["video"]) + 5)

    asyncio.run(scenario())
