import asyncio
import base64

import numpy as np
import pytest

from avatar.websocket.coding import Encoder, decode, rate_of
from avatar.websocket.microphone import QUEUE_LIMIT_S, LineMicrophone
from speech.stages import LISTENING_RATE_HZ


def tone(rate_hz, seconds=1.0):
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        np.int16
    )


def heard(microphone):
    async def listen():
        microphone.end()
        return [frame async for frame in microphone.frames()]

    return asyncio.run(listen())


@pytest.mark.parametrize("coding", ["audio/pcm", "audio/pcmu", "audio/pcma"])
def test_a_tone_is_coded_frame_by_frame_without_a_seam(coding):
    encoder, sound = Encoder(coding), tone(48_000)
    parts = [encoder.encode(sound[i : i + 960]) for i in range(0, 48_000, 960)]
    pcm = np.concatenate([decode(part, coding) for part in [*parts, encoder.flush()]])
    assert len(pcm) == rate_of(coding)
    error = pcm.astype(np.float64) - tone(rate_of(coding))
    assert np.abs(error[200:-200]).max() < 8000 * 0.05


@pytest.mark.parametrize("text", ["*", "AAA", "AA==", "é"])
def test_what_is_no_sound_is_refused(text):
    with pytest.raises(ValueError, match=r"base64|even"):
        decode(text, "audio/pcm")


def test_nothing_is_sound_too():
    assert len(decode("", "audio/pcm")) == 0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_pieces_of_any_length_become_one_stream_at_16_khz(rate_hz):
    microphone, sound, at = LineMicrophone(), tone(rate_hz), 0
    for length in (1, 7, 240, 5000, rate_hz):
        assert microphone.hear(sound[at : at + length], rate_hz)
        at += length
    frames = heard(microphone)
    pcm = np.concatenate([frame.pcm for frame in frames])
    assert abs(len(pcm) - LISTENING_RATE_HZ * min(at, rate_hz) / rate_hz) < 64
    assert [frame.start_sample for frame in frames][1:] == list(
        np.cumsum([len(frame.pcm) for frame in frames])[:-1]
    )
    error = pcm - tone(16_000)[: len(pcm)].astype(np.float64)
    assert np.abs(error[200:-200]).max() < 8000 * 0.05


def test_what_is_cleared_is_never_heard():
    microphone = LineMicrophone()
    microphone.hear(np.ones(1600, np.int16), 16_000)
    microphone.clear()
    microphone.hear(np.full(160, 2, np.int16), 16_000)
    frames = heard(microphone)
    assert [(frame.start_sample, frame.pcm[0]) for frame in frames] == [(0, 2)]


def test_what_is_to_be_kept_is_not_cleared():
    microphone = LineMicrophone()
    microphone.hear(np.ones(1600, np.int16), 16_000)
    assert microphone.keep() == 1600
    microphone.hear(np.full(160, 2, np.int16), 16_000)
    microphone.clear()
    assert [len(frame.pcm) for frame in heard(microphone)] == [1600]


def test_more_than_there_is_room_for_is_refused():
    microphone = LineMicrophone()
    second = np.zeros(16_000, np.int16)
    taken = [microphone.hear(second, 16_000) for _ in range(int(QUEUE_LIMIT_S) + 2)]
    assert taken == [True] * int(QUEUE_LIMIT_S) + [False] * 2


def test_what_base64_a_client_makes_is_what_we_read():
    pcm = np.arange(-5, 5, dtype="<i2")
    assert np.array_equal(decode(base64.b64encode(pcm.tobytes()).decode(), "audio/pcm"), pcm)
