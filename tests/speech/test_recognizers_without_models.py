import pytest

from speech.asr.moonshine import Moonshine
from speech.asr.whisper import Whisper
from speech.errors import ModelStoreError
from speech.turn_detector import SmartTurn


class Deaf:
    def probability(self, window):
        return 0.0


@pytest.mark.parametrize(
    "construct",
    [
        lambda folder: Moonshine(folder, Deaf),
        lambda folder: Whisper(folder, "es", Deaf),
        lambda folder: SmartTurn(folder / "smart-turn-v3.2-cpu.onnx"),
    ],
    ids=["moonshine", "whisper", "smart-turn"],
)
def test_an_empty_folder_is_one_line_that_says_what_to_do(construct, tmp_path):
    with pytest.raises(ModelStoreError, match="presencia models") as caught:
        construct(tmp_path)
    assert "\n" not in str(caught.value)
