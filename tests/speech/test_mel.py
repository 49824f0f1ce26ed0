import numpy as np
import pytest

from speech.mel import log_mel

# transformers 5.23.0, WhisperFeatureExtractor on `sound()`: every 8th band, every 20th column.
REFERENCE = np.array(
    [[1.15927, 0.44915, 0.29449, 0.29131, 0.44635],
     [0.99739, 0.43759, 0.36685, 0.37289, 0.44085],
     [0.64951, 0.23386, 0.39103, 0.38454, 0.29375],
     [0.63825, 0.50819, 0.30879, 0.31731, 0.47201],
     [0.5209 , 0.40008, 0.60533, 0.50974, 0.40704],
     [0.2489 , 0.52511, 0.46733, 0.47167, 0.52344],
     [0.40692, 0.33993, 0.3581 , 0.35696, 0.34335],
     [0.35494, 0.34854, 0.37815, 0.3793 , 0.34638],
     [0.44227, 0.41609, 0.3751 , 0.37583, 0.41643],
     [0.44473, 0.45827, 0.35883, 0.3574 , 0.45991]]
)  # fmt: skip


def sound():
    n = np.arange(16000)
    chirp = 16000 * np.sin(2 * np.pi * (200 + 1500 * n / 16000) * n / 16000)
    noise = n * n * 7919 % 4001 - 2000
    return (np.rint(chirp + noise) / 32768).astype(np.float32)


def test_features_are_those_of_the_reference_extractor():
    mel = log_mel(sound())
    assert mel.shape == (80, 100)
    assert mel.dtype == np.float32
    assert mel[::8, ::20] == pytest.approx(REFERENCE, abs=1e-4)


def test_silence_gives_the_floor_and_no_warning():
    assert log_mel(np.zeros(1600, np.float32)) == pytest.approx(np.full((80, 10), -1.5))


def test_there_is_one_column_for_each_whole_10_ms():
    assert log_mel(np.zeros(1759, np.float32)).shape == (80, 10)
