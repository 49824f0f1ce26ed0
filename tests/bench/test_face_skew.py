"""Skew in a browser: clocks made steady, windows, drift."""

import numpy as np
import pytest

from bench.face.skew import on_page_clock, skew_metrics, window_skews

RATE = 48_000
RUN = 480


def loudness(at_s):
    """Irregular syllables, so that only the right lag fits."""
    return np.clip(0.5 - np.cos(2 * np.pi * (3.1 * at_s + 0.9 * np.sin(1.7 * at_s))), 0.01, 1.5)


def sound(seconds: float, start_s: float = 0.0):
    random = np.random.default_rng(1)
    times = np.arange(0, seconds, RUN / RATE)
    level = 3000 * loudness(times)
    return [
        (start_s + t, random.normal(0, v, RUN).astype(np.int16))
        for t, v in zip(times.tolist(), level, strict=True)
    ]


def mouth(seconds: float, early_s: float = 0.0, drift: float = 0.0):
    times = np.arange(0, seconds, 0.04)
    shown = times + early_s + drift * times
    return list(zip(times.tolist(), np.log(loudness(shown)).tolist(), strict=True))


@pytest.mark.e2e  # minutes of sound
def test_lips_in_step_have_no_skew_and_early_lips_a_negative_one():
    for early_s in (0.0, 0.06, -0.1):
        skews = [skew for _, skew in window_skews(mouth(60, early_s), sound(60))]
        assert len(skews) >= 5
        assert np.median(skews) == pytest.approx(-early_s, abs=0.012)


@pytest.mark.e2e  # minutes of sound
def test_a_drift_of_30_ms_a_minute_is_found():
    metrics = skew_metrics(window_skews(mouth(150, 0.0, 0.030 / 60), sound(150)))
    assert metrics["drift_ms_per_minute"] == pytest.approx(-30, abs=4)
    assert skew_metrics(window_skews(mouth(150), sound(150)))[
        "drift_ms_per_minute"
    ] == pytest.approx(0, abs=3)


def test_silence_gives_no_window():
    quiet = [(t, np.zeros(RUN, np.int16)) for t, _ in sound(40)]
    assert window_skews(mouth(40), quiet) == []
    assert skew_metrics([])["skew_ms"] is None


def test_pictures_and_sound_that_never_meet_give_no_window():
    assert window_skews(mouth(20), sound(20, start_s=100.0)) == []


def test_runs_that_are_noticed_late_get_the_time_at_which_they_left():
    random = np.random.default_rng(2)
    exact = sound(20, start_s=5.0)
    late_s = random.exponential(0.05, len(exact))
    noticed = [
        (at + 0.002 + late, at - 4.0, pcm) for (at, pcm), late in zip(exact, late_s, strict=True)
    ]
    off = [found - at for (found, _), (at, _) in zip(on_page_clock(noticed), exact, strict=True)]
    assert np.ptp(off) < 1e-9
    assert off[0] == pytest.approx(0.002, abs=0.001)


def test_samples_that_never_came_do_not_move_those_after_them():
    exact = sound(10)
    noticed = [(at, at, pcm) for k, (at, pcm) in enumerate(exact) if k % 7]
    assert on_page_clock(noticed)[-1][0] == exact[-1][0]
