import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from avatar.rtc.concealment import FADE_S, conceal
from avatar.rtc.microphone import CONCEAL_LIMIT_S, QUEUE_LIMIT_S, Microphone
from tests.session.virtual_clock import run

FRAME = 960


def voice(seconds: float, hz: float = 200.0) -> np.ndarray:
    """A steady tone with overtones, as a vowel has: int16 at 48 kHz."""
    phase = 2 * np.pi * hz * np.arange(int(seconds * 48_000)) / 48_000
    wave = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.3 * np.sin(5 * phase)
    return (6000 * wave).astype(np.int16)


def opus(pcm: np.ndarray, layout: str = "mono") -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, layout, "s16"
    codec.time_base, codec.bit_rate = Fraction(1, 48_000), 48_000
    channels = 2 if layout == "stereo" else 1
    packets = []
    for i in range(len(pcm) // FRAME):
        block = np.repeat(pcm[i * FRAME : (i + 1) * FRAME], channels)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
        frame.sample_rate, frame.pts = 48_000, i * FRAME
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def rtp(payloads: list[bytes], *, sequence: int = 65_500, timestamp: int = 2**32 - 9600):
    """RTP packets of 20 ms each, about to wrap both counters."""
    packets = []
    for i, payload in enumerate(payloads):
        packet = RtpPacket(
            payload_type=111,
            sequence_number=(sequence + i) % 65536,
            timestamp=(timestamp + i * FRAME) % 2**32,
        )
        packet.ssrc, packet.payload = 1, payload
        packets.append(packet)
    return packets


def listen(packets, gaps_s=()) -> tuple[np.ndarray, Microphone]:
    """All that is heard of packets that arrive 20 ms apart, checked to be continuous."""

    async def scenario():
        microphone = Microphone()
        for packet in packets:
            microphone.take(packet)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        microphone.end()
        frames = [frame async for frame in microphone.frames()]
        position = 0
        for frame in frames:
            assert (frame.start_sample, frame.sample_rate) == (position, 16_000)
            assert frame.pcm.dtype == np.int16
            position += len(frame.pcm)
        return np.concatenate([frame.pcm for frame in frames]), microphone

    return run(scenario())


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_voice_arrives_as_16_khz_mono_without_a_seam(layout):
    pcm = voice(2.0)
    heard, _ = listen(rtp(opus(pcm, layout)))
    wanted = pcm[::3].astype(float)
    assert abs(len(heard) - len(wanted)) <= 320
    at = 8000
    offset = int(
        np.argmax([heard[at + d : at + d + 4000] @ wanted[at : at + 4000] for d in range(160)])
    )
    assert offset <= 110 + 16  # the encoder's lookahead is 6.5 ms
    a, b = heard[at + offset : at + offset + 16_000].astype(float), wanted[at : at + 16_000]
    assert 1 - (a @ b) / np.sqrt((a @ a) * (b @ b)) < 0.02


def test_lost_packets_are_made_up_for_and_the_count_of_samples_stays_true():
    packets = rtp(opus(voice(2.0)))
    whole, _ = listen(packets)
    lost = {20, 40, 41, 60, 61, 62}
    heard, microphone = listen([p for i, p in enumerate(packets) if i not in lost])
    assert len(heard) == len(whole)
    assert microphone.stats.lost == 6
    assert microphone.stats.concealed_s == pytest.approx(0.12)
    tail = slice(70 * 320, 90 * 320)
    error = heard[tail].astype(float) - whole[tail]
    assert np.sqrt(np.mean(error**2)) < 300  # in step again, and of 5000 RMS


def test_one_lost_packet_of_a_vowel_leaves_no_hole():
    packets = rtp(opus(voice(1.0)))
    del packets[20]
    heard, _ = listen(packets)
    loudness = [
        np.sqrt(np.mean(heard[i : i + 80].astype(float) ** 2)) for i in range(6000, 7300, 80)
    ]
    assert min(loudness) > 0.35 * max(loudness)


def test_swapped_packets_sound_as_if_they_came_in_order():
    packets = rtp(opus(voice(1.0)))
    whole, _ = listen(packets)
    packets[10], packets[11] = packets[11], packets[10]
    heard, microphone = listen(packets)
    assert (heard == whole).all()
    assert microphone.stats.lost == 0


def test_a_sender_that_pauses_its_packets_is_heard_as_silent():
    packets = rtp(opus(voice(1.0)))
    for packet in packets[25:]:
        packet.timestamp = (packet.timestamp + 24_000) % 2**32  # discontinuous transmission
    heard, microphone = listen(packets)
    assert abs(len(heard) - 24_000) <= 320
    assert np.abs(heard[25 * 320 + 1600 : 25 * 320 + 7600]).max() == 0
    assert microphone.stats.lost == 0


def test_a_gap_that_is_too_long_is_left_out():
    packets = rtp(opus(voice(1.0)))
    for packet in packets[25:]:
        packet.timestamp = (packet.timestamp + int((CONCEAL_LIMIT_S + 1) * 48_000)) % 2**32
    heard, _ = listen(packets)
    assert abs(len(heard) - 16_000) <= 320


def test_what_is_not_opus_is_counted_and_skipped():
    packets = rtp(opus(voice(1.0)))
    packets[10].payload = b"\xff" * 7
    packets[12].payload = b""
    heard, microphone = listen(packets)
    assert microphone.stats.undecodable == 1
    assert abs(len(heard) - 16_000) <= 320


def test_the_last_packets_behind_a_hole_are_heard_when_nothing_follows():
    packets = rtp(opus(voice(1.0)))
    whole, _ = listen(packets)
    heard, _ = listen(packets[:-2] + packets[-1:])
    assert len(heard) == len(whole)


def test_a_listener_that_stalls_loses_the_oldest_audio_and_sees_where():
    async def scenario():
        microphone = Microphone()
        for packet in rtp(opus(voice(1.0)) * 5):
            microphone.take(packet)
        microphone.end()
        frames = [frame async for frame in microphone.frames()]
        kept_s = sum(len(frame.pcm) for frame in frames) / 16_000
        assert kept_s == pytest.approx(QUEUE_LIMIT_S, abs=0.021)
        assert frames[0].start_sample / 16_000 == pytest.approx(5 - QUEUE_LIMIT_S, abs=0.021)
        assert microphone.stats.dropped_s == pytest.approx(5 - QUEUE_LIMIT_S, abs=0.021)

    run(scenario())


def test_listening_ends_when_the_peer_goes():
    async def scenario():
        microphone = Microphone()

        async def listen_on():
            return [frame async for frame in microphone.frames()]

        async with asyncio.TaskGroup() as group:
            task = group.create_task(listen_on())
            await asyncio.sleep(1)
            microphone.take(rtp(opus(voice(0.02)))[0])
            microphone.end()
        assert len(task.result()) == 1

    run(scenario())


@pytest.mark.parametrize("hz", [80, 120, 210, 380])
def test_concealment_carries_a_voice_on_at_its_own_pitch(hz):
    pcm = voice(0.5, hz)
    made_up = conceal(pcm[:12_000], 480).astype(float)
    wanted = pcm[12_000:12_480] * (1 - np.arange(480) / (FADE_S * 48_000))
    likeness = made_up @ wanted / np.sqrt((made_up @ made_up) * (wanted @ wanted))
    assert likeness > 0.9


@pytest.mark.parametrize("history", [0, 10, 960, 4800])
def test_concealment_of_silence_is_silence_of_the_right_length(history):
    made_up = conceal(np.zeros(history, np.int16), 1234)
    assert made_up.shape == (1234,)
    assert made_up.dtype == np.int16
    assert not made_up.any()


def test_concealment_fades_to_silence():
    made_up = conceal(voice(0.1), 9600)
    assert np.abs(made_up[:480]).max() > 4000
    assert not made_up[int(FADE_S * 48_000) :].any()
