import asyncio

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from avatar.client.clips import RATE_HZ, Clip
from avatar.client.microphone import PACKET, Microphone
from speech.errors import CallError
from tests.session.virtual_clock import run

PACKET_S = 0.02


def _clip(silence_s, speech_s, tail_s):
    parts = [np.zeros(round(silence_s * RATE_HZ)), np.full(round(speech_s * RATE_HZ), 5000)]
    pcm = np.concatenate([*parts, np.zeros(round(tail_s * RATE_HZ))]).astype(np.int16)
    start = len(parts[0])
    return Clip("clip", pcm, start, start + len(parts[1]))


async def _send(microphone, packets):
    frames = []
    for _ in range(packets):
        frame = await microphone.recv()
        frames.append((asyncio.get_running_loop().time(), frame))
    return frames


def test_packets_leave_at_real_pace_when_their_last_sample_is_there():
    frames = run(_send(Microphone(), 50))
    assert [at for at, _ in frames] == pytest.approx([(i + 1) * PACKET_S for i in range(50)])
    assert [frame.pts for _, frame in frames] == [i * PACKET for i in range(50)]


def test_a_late_event_loop_does_not_make_the_microphone_slow():
    async def talk():
        microphone = Microphone()
        await _send(microphone, 1)
        await asyncio.sleep(0.5)
        return (await _send(microphone, 49))[-1][0]

    assert run(talk()) == pytest.approx(1.0)


def test_an_utterance_knows_when_its_first_and_last_speech_samples_left():
    async def talk():
        microphone = Microphone()
        await _send(microphone, 5)  # 0.1 s
        utterance = microphone.play(_clip(0.05, 0.3, 0.2))
        frames = await _send(microphone, 30)
        loud = [at for at, frame in frames if np.abs(frame.to_ndarray()).max() > 1000]
        return utterance.started.result(), utterance.finished.result(), loud

    started, finished, loud = run(talk())
    assert (started, finished) == pytest.approx((loud[0], loud[-1]))
    assert started == pytest.approx(0.16)  # speech begins 0.15 s in: its packet ends at 0.16
    assert finished == pytest.approx(0.46)


def test_between_utterances_there_is_the_noise_of_a_quiet_room():
    frames = run(_send(Microphone(), 10))
    sound = np.concatenate([frame.to_ndarray()[0] for _, frame in frames]).astype(float)
    assert 1 < sound.std() < 10


def test_a_second_utterance_cuts_the_first():
    async def talk():
        microphone = Microphone()
        first = microphone.play(_clip(0, 1.0, 0))
        await _send(microphone, 5)
        second = microphone.play(_clip(0, 0.1, 0))
        await _send(microphone, 10)
        return first.started.done(), first.finished.cancelled(), second.finished.done()

    assert run(talk()) == (True, True, True)


def test_a_stopped_microphone_says_so():
    async def talk():
        microphone = Microphone()
        utterance = microphone.play(_clip(0, 1.0, 0))
        microphone.stop()
        with pytest.raises(MediaStreamError):
            await microphone.recv()
        for moment in (utterance.started, utterance.finished):
            with pytest.raises(CallError, match="ended while"):
                await moment

    run(talk())
