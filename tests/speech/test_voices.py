import json

import pytest

from speech.errors import ModelStoreError
from speech.phonemes import visemes
from speech.tts.hibari import MISAKI, HibariVoice
from speech.tts.kokoro import KokoroVoice


def test_every_symbol_of_misaki_has_a_mouth_shape():
    assert all("sil" not in visemes(ipa) for ipa in MISAKI.values())


def test_a_missing_model_says_what_to_do(tmp_path):
    for build in (lambda: HibariVoice(tmp_path / "no.onnx"), lambda: KokoroVoice(tmp_path)):
        with pytest.raises(ModelStoreError, match="presencia models"):
            build()


def test_a_file_that_is_no_model_says_what_to_do(tmp_path):
    for name in ("hibari.onnx", "model.onnx"):
        (tmp_path / name).write_bytes(b"not a model")
    (tmp_path / "config.json").write_text(json.dumps({"vocab": {}}))
    for build in (lambda: HibariVoice(tmp_path / "hibari.onnx"), lambda: KokoroVoice(tmp_path)):
        with pytest.raises(ModelStoreError, match="presencia models"):
            build()
