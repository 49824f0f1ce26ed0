"""The default language model, fitted to speech, would say what it said before."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar.store import ModelStore
from speech.llm.fitting import fitted
from speech.llm.llama import Json, LlamaServer, load_server

pytestmark = pytest.mark.e2e

SAID = {
    "Tell me about the history of Rome.": "Rome was founded in 753 BC. It grew into an empire.",
    "My name is Xóchitl Nguyễn. Do you like jazz?": "I do, Xóchitl: it never plays twice alike.",
    "Cuéntame algo sobre el océano.": "El océano cubre más de la mitad de la Tierra, ¿sabes?",
}
# Sums are rounded otherwise where a processor reads 5 bits and 8 in another order.
ROUNDING = 0.2  # of a probability


def beginnings() -> Iterator[str]:
    for question, answer in SAID.items():
        asked = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        words = answer.split(" ")
        yield from (asked + " ".join(words[:count]) for count in range(len(words) + 1))


def load(path: Path, folder: Path) -> LlamaServer:
    return load_server(path, threads=1, context_tokens=512, slots=1, saved=folder)


def next_words(server: LlamaServer, beginning: str) -> dict[str, float]:
    """How probable what may follow is."""
    asked: Json = {"prompt": beginning, "logprobs": 20, "temperature": 0, "cache_prompt": True}
    return {token["token"]: math.exp(token["logprob"]) for token in server.next_tokens(asked)}


def test_a_fitted_model_finds_the_same_words_likely(tmp_path):
    store = ModelStore.default()
    whole = store.path("qwen2.5-coder-0.5b") / "model.gguf"
    small = fitted(whole, store.cache / "fitted")
    assert small != whole
    assert small.stat().st_size < whole.stat().st_size
    before, now = load(whole, tmp_path), load(small, tmp_path)
    apart = {}
    for beginning in beginnings():
        found, likely = next_words(now, beginning), next_words(before, beginning)
        apart[beginning] = max(abs(found.get(word, 0) - p) for word, p in likely.items())
    print(f"{len(apart)} places, at most {max(apart.values()):.3f} apart")
    assert {where: by for where, by in apart.items() if by > ROUNDING} == {}
