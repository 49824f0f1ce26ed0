"""The lip-sync measurement: it finds what is wrong, and says so."""

import json
from functools import cache

import numpy as np
import pytest

from bench.face.lips import CLOSED_M, Seen, closed_ratio, closures, lag
from bench.face.report import FaceReport
from bench.face.stage import FRAME, Performance, perform
from render.types import SPEECH_CLOCK_HZ
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk

STEP = SPEECH_CLOCK_HZ // 10


def chunk(seed: int, syllables: int = 20) -> SpeechChunk:
    """Syllables "ba" of irregular loudness and length: noise in the vowel, near silence in b."""
    random = np.random.default_rng(seed)
    parts, timings, at = [], [], 0
    for _ in range(syllables):
        for phoneme, level in (("b", 40), ("a", random.uniform(1500, 6000))):
            length = round(STEP * random.uniform(0.7, 1.6))
            parts.append(random.normal(0, level, length))
            timings.append(PhonemeTiming(phoneme, at, at + length, phoneme == "a"))
            at += length
    pcm = np.concatenate(parts).astype(np.int16)
    return SpeechChunk("ba", AudioFrame(pcm, SPEECH_CLOCK_HZ), tuple(timings))


@cache
def performed(seed: int) -> Performance:
    return perform([chunk(seed)], phase=seed * FRAME // 5)


def seen(seed: int, *, late_s: float = 0.0, least_m: float = 0.0) -> Seen:
    """A mouth that opens with the vowels, `late_s` after them, and never closes below `least_m`."""
    one = performed(seed)
    at = np.array([p.at_sample for p in one.poses]) - one.first_sample
    fine = np.zeros(len(one.chunks[0].audio.pcm) + 2 * SPEECH_CLOCK_HZ)
    for timing in one.chunks[0].phonemes:
        if timing.phoneme == "a":
            fine[timing.start_sample + SPEECH_CLOCK_HZ : timing.end_sample + SPEECH_CLOCK_HZ] = 0.01
    index = np.clip(at + SPEECH_CLOCK_HZ - round(late_s * SPEECH_CLOCK_HZ), 0, len(fine) - 1)
    return Seen(one, np.maximum(fine[index], least_m))


@pytest.mark.parametrize("late_s", [0.0, 0.1, -0.1, 0.03])
def test_lips_that_are_late_or_early_are_found_so(late_s):
    found = lag([seen(k, late_s=late_s) for k in range(3)])
    assert found.lag_s == pytest.approx(late_s, abs=0.012)


@pytest.mark.parametrize("audio_late_s", [0.1, -0.1])
def test_shifted_audio_is_found_as_lips_shifted_the_other_way(audio_late_s):
    performances = [seen(k) for k in range(3)]
    straight, shifted = lag(performances), lag(performances, audio_late_s)
    assert shifted.lag_s - straight.lag_s == pytest.approx(-audio_late_s, abs=0.006)


def test_lips_that_have_nothing_to_do_with_the_sound_have_no_lag():
    one = seen(0)
    noise = np.random.default_rng(9).uniform(0, 0.01, len(one.opening_m))
    assert lag([Seen(one.performance, noise)]) is None


def test_a_mouth_that_closes_for_every_b_is_closed_and_one_that_never_does_is_not():
    assert closed_ratio(closures(seen(1))) == 1.0
    assert closed_ratio(closures(seen(1, least_m=1.5 * CLOSED_M))) == 0.0
    assert len(closures(seen(1))) == 20


def test_a_mouth_that_closes_half_a_syllable_late_is_not_closed_in_time():
    assert closed_ratio(closures(seen(1, late_s=0.115))) < 0.9


def test_the_headline_is_the_worst_face_and_what_was_not_measured_is_null():
    report = FaceReport(
        {
            "a": {"lip_lag_ms": -12.0, "bilabial_closed_ratio": 1.0, "start_s": 0.5},
            "b": {"lip_lag_ms": 4.0, "bilabial_closed_ratio": 0.97, "start_s": None},
        }
    )
    found = json.loads(report.as_json({}))
    assert (found["lip_lag_ms"], found["bilabial_closed_ratio"]) == (-12.0, 0.97)
    assert found["start_s"] is None
    assert found["faces"]["a"]["start_s"] == 0.5
    assert "0.97" in report.as_table({})
