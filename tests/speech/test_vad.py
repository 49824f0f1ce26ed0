import numpy as np
import pytest

from speech.errors import ModelStoreError
from speech.vad import WINDOW, SileroModel, SileroVad, has_speech


class RecordingModel:
    """Stands in for the network: notes what it is given, and counts in its state."""

    def __init__(self):
        self.inputs = []

    def run(self, samples, h, c):
        self.inputs.append(samples.copy())
        return 0.25, h + 1, c - 1


class ScriptedDetector:
    def __init__(self, probabilities):
        self.probabilities = list(probabilities)
        self.windows = []

    def probability(self, window):
        self.windows.append(window)
        return self.probabilities.pop(0)


def test_each_window_is_preceded_by_the_end_of_the_last_one():
    model = RecordingModel()
    vad = SileroVad(model)
    signal = np.arange(2 * WINDOW, dtype=np.float32)
    assert vad.probability(signal[:WINDOW]) == 0.25
    vad.probability(signal[WINDOW:])
    first, second = model.inputs
    assert np.array_equal(first[0], np.r_[np.zeros(64), signal[:WINDOW]])
    assert np.array_equal(second[0], signal[WINDOW - 64 :])


def test_two_microphones_share_the_network_but_not_what_they_heard():
    model = RecordingModel()
    one, other = SileroVad(model), SileroVad(model)
    one.probability(np.ones(WINDOW, np.float32))
    other.probability(np.zeros(WINDOW, np.float32))
    assert not model.inputs[1].any()


def test_a_window_of_another_length_is_refused():
    with pytest.raises(ValueError, match="512"):
        SileroVad(RecordingModel()).probability(np.zeros(480, np.float32))


def test_a_missing_model_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelStoreError, match="presencia models fetch"):
        SileroModel(tmp_path / "silero_vad_v6.onnx")


def test_a_broken_model_says_how_to_find_out(tmp_path):
    path = tmp_path / "silero_vad_v6.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelStoreError, match="presencia models verify"):
        SileroModel(path)


def test_looking_for_speech_stops_where_it_is_found():
    detector = ScriptedDetector([0.1, 0.6, 0.9])
    assert has_speech(np.zeros(3 * WINDOW, np.int16), detector)
    assert len(detector.windows) == 2


def test_without_speech_everything_is_read_the_last_bit_included():
    detector = ScriptedDetector([0.1, 0.1])
    assert not has_speech(np.full(WINDOW + 1, 16384, np.int16), detector)
    assert detector.windows[1][:2].tolist() == [0.5, 0.0]


def test_nothing_holds_no_speech():
    assert not has_speech(np.zeros(0, np.int16), ScriptedDetector([]))
