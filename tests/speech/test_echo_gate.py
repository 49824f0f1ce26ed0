"""Telling an echo from a person by how loud it may be."""

import itertools

import numpy as np
import pytest

from speech.echo_gate import LEAD_SAMPLES, EchoGate

RATE_HZ = 16_000
PACKET = 320
DELAY = 2400


def voice(seconds, seed, level=3000.0):
    """Coloured noise that comes in syllables: float64 at 16 kHz."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    loud = np.clip(np.sin(2 * np.pi * (2.5 + 0.3 * seed) * t), 0, None)
    colour = np.convolve(rng.standard_normal(len(t)), rng.standard_normal(8), mode="same")
    return level * loud * colour / colour.std()


def echo(played, seed=0, db=-20.0, delay=DELAY):
    """`played`, back from a room that rings for 0.2 s, with a microphone's noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(RATE_HZ // 5) / RATE_HZ
    response = 0.12 * rng.standard_normal(len(t)) * 10 ** (-3 * t / 0.2)
    response[0] = 1.0
    response *= 10 ** (db / 20) / np.linalg.norm(response)
    size = 1 << (len(played) + len(response)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(response, size), size)
    late = np.concatenate([np.zeros(delay), wet])[: len(played)]
    return late + 8 * rng.standard_normal(len(played))


def passes(heard, played, delay=DELAY):
    """What the gate lets through: bool, shape (samples,)."""
    gate, passed = EchoGate(), []
    lead = min(delay, LEAD_SAMPLES)
    early = np.concatenate([np.zeros(delay - lead), played]).astype(np.int16)
    for start in range(0, len(heard) - PACKET + 1, PACKET):
        part = slice(start, start + PACKET)
        passed.append(gate.step(heard[part].astype(np.int16), early[part], lead))
    return np.concatenate(passed)


@pytest.mark.parametrize("db", [-10, -20, -30])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_echo_explains_all_that_is_heard(db, seed):
    played = voice(8, seed)
    assert not passes(echo(played, seed, db), played)[RATE_HZ:].any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_somebody_as_loud_as_the_echo_is_let_through(seed):
    played = voice(6, seed)
    heard = echo(played, seed)
    heard[4 * RATE_HZ :] += voice(2, seed + 7, level=300)
    passed = passes(heard, played)
    assert not passed[RATE_HZ : 4 * RATE_HZ].any()
    assert passed[4 * RATE_HZ :][: RATE_HZ // 2].any()
    assert passed[4 * RATE_HZ :].mean() > 0.5


def test_somebody_is_let_through_while_nothing_is_played():
    played = np.concatenate([voice(4, 0), np.zeros(2 * RATE_HZ)])
    heard = echo(played)
    heard[5 * RATE_HZ :] += voice(1, 7, level=300)
    passed = passes(heard, played)
    assert not passed[RATE_HZ : 5 * RATE_HZ].any()
    assert passed[5 * RATE_HZ :].mean() > 0.7


@pytest.mark.parametrize("jump_ms", [-100, -50, 50, 100])
def test_a_delay_that_jumps_is_no_person(jump_ms):
    played = voice(6, 1)
    before, after = echo(played), echo(played, delay=DELAY + jump_ms * 16)
    heard = np.concatenate([before[: 4 * RATE_HZ], after[4 * RATE_HZ :]])
    assert not passes(heard, played)[RATE_HZ : 5 * RATE_HZ].any()


def test_an_echo_nearer_than_the_lead_is_explained():
    played = voice(6, 2)
    assert not passes(echo(played, delay=320), played, delay=320)[RATE_HZ:].any()


def test_a_person_who_shouted_for_a_second_is_heard_later_too():
    played = voice(9, 0)
    heard = echo(played)
    heard[3 * RATE_HZ : 4 * RATE_HZ] += voice(1, 7, level=3000)
    heard[7 * RATE_HZ :] += voice(2, 8, level=400)
    passed = passes(heard, played)
    assert passed[7 * RATE_HZ :].mean() > 0.5


def test_a_louder_loudspeaker_is_learnt():
    played = voice(12, 0)
    heard = echo(played)
    heard[3 * RATE_HZ :] *= 10 ** (9 / 20)
    assert not passes(heard, played)[9 * RATE_HZ :].any()


def test_steady_noise_is_nobody():
    noise = 200 * np.random.default_rng(0).standard_normal(4 * RATE_HZ)
    assert not passes(noise, np.zeros(4 * RATE_HZ))[RATE_HZ:].any()


def test_frames_of_any_size_are_judged_alike():
    played = voice(3, 0)
    heard = echo(played)
    heard[2 * RATE_HZ :] += voice(1, 7, level=400)
    early = np.concatenate([np.zeros(DELAY - LEAD_SAMPLES), played]).astype(np.int16)
    gate, passed, at = EchoGate(), [], 0
    for size in itertools.cycle([1, 37, 160, 333, 800]):
        part = slice(at, at + size)
        passed.append(
            gate.step(heard[part].astype(np.int16), early[part][: len(heard[part])], 1760)
        )
        assert len(passed[-1]) == len(heard[part])
        at += size
        if at >= len(heard):
            break
    assert np.mean(np.concatenate(passed) == passes(heard, played)) > 0.95
