import wave
from pathlib import Path

import numpy as np
import pytest

from avatar.client.clips import RATE_HZ, ClipError, clip_of, read_clip, speech_bounds

SPEECH = Path(__file__).parents[1] / "data" / "speech"


def _noise(seconds, amplitude, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0, amplitude, round(seconds * RATE_HZ)).astype(np.int16)


def test_speech_ends_where_the_loud_part_ends():
    pcm = np.concatenate([_noise(0.5, 20), _noise(1.0, 4000), _noise(0.7, 20)])
    start, end = speech_bounds(pcm)
    assert start == pytest.approx(0.5 * RATE_HZ, abs=0.02 * RATE_HZ)
    assert end == pytest.approx(1.5 * RATE_HZ, abs=0.02 * RATE_HZ)


def test_a_click_after_the_speech_is_not_speech():
    pcm = np.concatenate([_noise(1.0, 4000), _noise(1.0, 2)])
    pcm[round(1.5 * RATE_HZ)] = 400
    assert speech_bounds(pcm)[1] == pytest.approx(RATE_HZ, abs=0.02 * RATE_HZ)


def test_speech_is_found_in_a_noisy_recording():
    pcm = np.concatenate([_noise(0.5, 150), _noise(1.0, 1500), _noise(0.5, 150)])
    start, end = speech_bounds(pcm)
    assert end - start == pytest.approx(RATE_HZ, abs=0.05 * RATE_HZ)


def test_every_recording_of_the_tests_has_speech_and_little_before_and_after_it():
    for path in SPEECH.rglob("*.wav"):
        clip = read_clip(path)
        assert clip.speech_start < 0.8 * RATE_HZ, path
        assert len(clip.pcm) - clip.speech_end < 0.8 * RATE_HZ, path


@pytest.mark.parametrize(
    ("rate_hz", "channels", "width"), [(8000, 1, 2), (44100, 2, 2), (22050, 2, 1)]
)
def test_any_rate_and_channel_count_is_read_as_48_khz_mono(tmp_path, rate_hz, channels, width):
    tone = np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    samples = (tone * 10000).astype("<i2") if width == 2 else (tone * 80 + 128).astype("u1")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(samples, channels).tobytes())
    clip = read_clip(tmp_path / "a.wav")
    assert len(clip.pcm) == pytest.approx(RATE_HZ, abs=500)
    spectrum = np.abs(np.fft.rfft(clip.pcm[:RATE_HZ]))
    assert spectrum.argmax() * RATE_HZ / len(clip.pcm[:RATE_HZ]) == pytest.approx(440, abs=2)


def test_a_file_that_is_missing_says_which(tmp_path):
    with pytest.raises(ClipError, match=r"no file .*gone\.wav"):
        read_clip(tmp_path / "gone.wav")


def test_a_file_that_is_no_audio_says_what_to_give(tmp_path):
    (tmp_path / "a.wav").write_text("not a recording")
    with pytest.raises(ClipError, match="Give a WAV file"):
        read_clip(tmp_path / "a.wav")


def test_an_empty_file_says_what_to_give(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(ClipError, match="Give a WAV file"):
        read_clip(tmp_path / "a.wav")


def test_silence_is_refused():
    with pytest.raises(ClipError, match="no speech in quiet"):
        clip_of("quiet", np.zeros(RATE_HZ, np.int16))
