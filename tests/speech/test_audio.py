import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import resample, resample_chunk, split_at_quiet, to_float
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk


def tone(hz, rate_hz, seconds=0.5):
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.rint(16000 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


@pytest.mark.parametrize(
    ("source_hz", "target_hz"), [(48000, 16000), (24000, 48000), (22050, 48000), (16000, 48000)]
)
@pytest.mark.parametrize("hz", [200, 1000, 5000])
def test_a_resampled_tone_is_the_tone_at_the_new_rate_without_delay(source_hz, target_hz, hz):
    heard = resample(tone(hz, source_hz), source_hz, target_hz)
    wanted = tone(hz, target_hz)
    assert len(heard) == len(wanted)
    middle = slice(target_hz // 50, -target_hz // 50)
    assert np.std(heard[middle].astype(float) - wanted[middle]) < 16000 * 0.001


def test_what_the_new_rate_cannot_hold_is_removed_not_folded_down():
    folded = resample(tone(11000, 48000), 48000, 16000)
    assert np.abs(folded[400:-400]).max() < 16000 * 0.01


@given(st.integers(0, 3000), st.sampled_from([8000, 16000, 22050, 24000, 44100]))
@settings(max_examples=40, deadline=None)
def test_any_length_keeps_its_duration(samples, source_hz):
    heard = resample(np.full(samples, 5000, np.int16), source_hz, 48000)
    assert len(heard) == round(samples * 48000 / source_hz)
    assert heard.dtype == np.int16


def test_a_resampled_chunk_keeps_its_text_and_moves_its_phonemes():
    chunk = SpeechChunk(
        "Hi ", AudioFrame(tone(300, 24000), 24000), (PhonemeTiming("h", 600, 1200, stressed=True),)
    )
    moved = resample_chunk(chunk, 48000)
    assert moved.text == "Hi "
    assert moved.audio.sample_rate == 48000
    assert moved.audio.duration_s == chunk.audio.duration_s
    assert moved.phonemes == (PhonemeTiming("h", 1200, 2400, stressed=True),)
    assert resample_chunk(moved, 48000) is moved


def test_full_scale_becomes_one():
    pcm = np.array([-32768, 0, 16384], np.int16)
    assert to_float(pcm).tolist() == [-1.0, 0.0, 0.5]


def test_a_long_recording_is_cut_in_its_pauses():
    speech = np.tile(np.array([9000, -9000], np.int16), 4 * 8000)  # 4 s
    pause = np.zeros(4000, np.int16)  # 0.25 s
    parts = split_at_quiet(np.concatenate([speech, pause, speech, pause, speech]), 16000, 5.0)
    assert [len(part) / 16000 for part in parts] == pytest.approx([4.125, 4.25, 4.125], abs=0.1)


@given(st.integers(0, 50000), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_the_parts_of_a_recording_are_the_recording_and_each_fits(samples, seed):
    pcm = np.random.default_rng(seed).integers(-9000, 9000, samples).astype(np.int16)
    parts = split_at_quiet(pcm, 8000, 1.0)
    assert np.array_equal(np.concatenate(parts), pcm)
    assert all(len(part) <= 8000 for part in parts)
