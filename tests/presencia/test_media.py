import asyncio

import numpy as np
import pytest

from presencia.client.media import PACKET, RATE_HZ, Feed, Outgoing
from speech.errors import CallError


def test_sound_leaves_in_packets_and_silence_follows():
    async def send():
        outgoing = Outgoing()
        await outgoing.put(np.arange(1, 1501, dtype=np.int16), RATE_HZ)
        return [outgoing.take() for _ in range(3)]

    first, second, third = asyncio.run(send())
    assert first.tolist() == list(range(1, PACKET + 1))
    assert second[:540].tolist() == list(range(PACKET + 1, 1501))
    assert not second[540:].any()
    assert not third.any()


def test_whoever_sends_faster_than_sound_goes_waits():
    async def send():
        outgoing = Outgoing()
        sending = asyncio.ensure_future(outgoing.put(np.ones(RATE_HZ, np.int16), RATE_HZ))
        taken = 0
        while not sending.done():
            await asyncio.sleep(0)
            outgoing.take()
            taken += PACKET
        return taken

    assert RATE_HZ // 2 <= asyncio.run(send()) < RATE_HZ


def test_other_sample_rates_are_brought_to_48_khz():
    async def send():
        outgoing = Outgoing()
        tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16_000)).astype(np.int16)
        await outgoing.put(tone, 16_000)
        return np.concatenate([outgoing.take() for _ in range(24)])

    pcm = asyncio.run(send())
    spectrum = np.abs(np.fft.rfft(pcm.astype(float)))
    assert np.argmax(spectrum) * RATE_HZ / len(pcm) == pytest.approx(440, abs=3)


def test_sound_of_another_shape_is_refused():
    with pytest.raises(TypeError, match="int16 mono"):
        asyncio.run(Outgoing().put(np.zeros((2, 10), np.int16), RATE_HZ))


def test_a_feed_drops_the_oldest_and_tells_how_it_ended():
    async def read():
        feed = Feed(2)
        for number in range(5):
            feed.put(number)
        feed.end(CallError("gone"))
        read = [await anext(feed), await anext(feed)]
        with pytest.raises(CallError, match="gone"):
            await anext(feed)
        return read

    assert asyncio.run(read()) == [3, 4]
