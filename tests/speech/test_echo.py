"""Pairing what was played with what is heard, and finding an echo in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.echo import EchoRemover
from speech.echo_finder import EchoFinder
from speech.reference import Reference
from speech.types import AudioFrame

PACKET = 320


def voice_like(seconds, seed=0, level=3000.0):
    """Noise that comes in syllables: int16 at 16 kHz."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * 16_000)) / 16_000
    loud = np.clip(np.sin(2 * np.pi * 2.5 * t) + 0.3 * np.sin(2 * np.pi * 0.7 * t), 0, None)
    return (level * loud * rng.standard_normal(len(t))).clip(-30_000, 30_000).astype(np.int16)


def found(heard, played):
    finder = EchoFinder()
    for start in range(0, len(heard) - PACKET, PACKET):
        finder.step(heard[start : start + PACKET], played[start : start + PACKET])
    return finder


@pytest.mark.parametrize("db", [0, -10, -20, -30])
@pytest.mark.parametrize("delay_ms", [20, 50, 300, 700])
def test_an_echo_is_found_where_it_is(db, delay_ms):
    played = voice_like(4)
    delay = delay_ms * 16
    heard = np.concatenate([np.zeros(delay), played[:-delay] * 10 ** (db / 20)])
    finder = found((heard + 8 * np.random.default_rng(1).standard_normal(len(heard))), played)
    assert finder.delay == pytest.approx(delay, abs=2)


def test_another_voice_is_no_echo():
    finder = found(voice_like(6, seed=3), voice_like(6))
    assert finder.sure
    assert finder.delay is None


def test_nothing_is_known_before_anything_was_played():
    assert not found(voice_like(3), np.zeros(48_000, np.int16)).sure


def counted(samples):
    """48 kHz frames that, at 16 kHz, rise by one a sample, nearly."""
    return np.repeat(np.arange(samples, dtype=np.int16), 3)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=20, max_size=60))
def test_a_network_in_bursts_moves_nothing(bursts):
    reference, sound, heard, took = Reference(), counted(32_000), 0, []
    reference.put(sound[: 2 * PACKET * 3])  # the first packet meets no empty queue
    for sent, burst in enumerate([1, *bursts], start=1):
        reference.put(sound[(sent + 1) * PACKET * 3 : (sent + 2) * PACKET * 3])
        for _ in range(min(burst, sent - heard)):
            took.append(int(reference.take(heard * PACKET, PACKET)[200]) - heard * PACKET)
            heard += 1
    assert all(abs(offset - took[0]) <= 1 for offset in took)


def test_samples_that_nobody_listened_to_are_left_out_of_both():
    reference, sound = Reference(), counted(8 * PACKET)
    reference.put(sound[: 3 * PACKET * 3])
    first = int(reference.take(0, PACKET)[200])
    reference.put(sound[3 * PACKET * 3 :])
    later = int(reference.take(3 * PACKET, PACKET)[200])
    assert later - first == pytest.approx(3 * PACKET, abs=1)


def test_before_anything_is_played_there_is_silence():
    assert not Reference().take(0, PACKET).any()


@pytest.mark.e2e  # minutes of sound
@pytest.mark.parametrize("ppm", [-200, 200])
def test_clocks_that_drift_stay_together(ppm):
    """Ten minutes, of which every fifth 2 s are silent; 200 ppm would move it by 120 ms."""
    reference, played, heard, worst = Reference(), 0, 0, 0
    while heard < 600 * 16_000:
        is_silent = played // 32_000 % 5 == 0
        reference.put(np.full(960, 0 if is_silent else 1000, np.int16))
        played += PACKET
        while heard + PACKET <= played * (1 + ppm * 1e-6):
            reference.take(heard, PACKET)
            heard += PACKET
        lead = len(reference._waiting)
        worst = max(worst, abs(lead - 320) if heard > 160_000 else 0)
    assert worst < 2 * PACKET


def through(played, heard):
    """What a remover makes of `heard` (16 kHz), frame by frame."""
    remover, sounding = EchoRemover(), np.repeat(played, 3)
    heard = heard.clip(-32768, 32767).astype(np.int16)
    came = []
    for start in range(0, len(played) - PACKET, PACKET):
        remover.played(sounding[start * 3 : (start + PACKET) * 3])
        came.append(remover.clean(AudioFrame(heard[start : start + PACKET], 16_000, start)))
    return remover, came


def room_noise(samples):
    return np.random.default_rng(2).standard_normal(samples) * 8


def test_with_an_echo_its_voice_is_taken_out():
    played = voice_like(6)
    heard = room_noise(len(played)) + 0.1 * np.roll(played, 1600)
    remover, came = through(played, heard)
    left = np.concatenate([frame.pcm for frames in came for frame in frames])
    assert remover.found
    assert np.square(left.astype(float)).mean() < 0.05 * np.square(heard).mean()


@pytest.mark.parametrize("echo", [0.1, 0.0])
def test_every_frame_comes_once_and_in_its_turn(echo):
    played = voice_like(6)
    _, came = through(played, room_noise(len(played)) + echo * np.roll(played, 1600))
    starts = [frame.start_sample for frames in came for frame in frames]
    assert starts == [i * PACKET for i in range(len(came))]
    assert all(len(frames) == 1 for frames in came[-(3 * 16_000) // PACKET :])


@pytest.mark.parametrize("said_at_s", [0.1, 0.6, 1.2])
def test_where_there_is_no_echo_nothing_is_lost_that_is_said_as_the_first_answer_begins(said_at_s):
    played, heard = voice_like(4), room_noise(64_000)
    at = round(said_at_s * 16_000)
    heard[at : at + 16_000] += voice_like(1, seed=5)
    remover, came = through(played, heard)
    left = np.concatenate([frame.pcm for frames in came for frame in frames])
    assert not remover.found
    assert (left == heard[: len(left)].astype(np.int16)).all()
    assert max(len(frames) for frames in came) * PACKET <= 1.5 * 16_000


def test_what_is_said_behind_a_first_answer_of_one_word_is_heard_soon():
    played = np.concatenate([voice_like(0.2), np.zeros(48_000, np.int16)])
    heard = room_noise(len(played))
    heard[16_000:32_000] += voice_like(1, seed=5)
    _, came = through(played, heard)
    assert all(came[round(1.3 * 16_000) // PACKET :])


@pytest.mark.parametrize("to", [800, 4000])
def test_an_echo_that_jumps_is_found_again_within_a_second(to):
    played = voice_like(5)
    heard = np.where(np.arange(len(played)) < 48_000, np.roll(played, 1600), np.roll(played, to))
    finder = found((0.1 * heard + room_noise(len(played)))[:64_000], played[:64_000])
    assert finder.delay == pytest.approx(to, abs=2)
