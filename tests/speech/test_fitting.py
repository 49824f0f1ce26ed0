import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, TokenType
from gguf.quants import dequantize, quantize
from hypothesis import given
from hypothesis import strategies as st

from speech.llm.fitting import fitted, q8_0_of_q5_0

NORMAL, CONTROL, UNUSED = TokenType.NORMAL, TokenType.CONTROL, TokenType.UNUSED
WIDTH = 32

# "Ġ" is a space, "ä½ł" a Chinese word in bytes.
TOKENS = [
    *[("h", NORMAL), ("o", NORMAL), ("l", NORMAL), ("a", NORMAL), ("Ġ", NORMAL), ("T", NORMAL)],
    *[("ä", NORMAL), ("½", NORMAL), ("ł", NORMAL)],
    *[("ho", NORMAL), ("la", NORMAL), ("hola", NORMAL), ("Ġhola", NORMAL)],
    *[("ä½", NORMAL), ("ä½ł", NORMAL), ("holaT", NORMAL), ("ĠĠĠĠĠĠ", NORMAL)],
    *[("<|end|>", CONTROL), ("[PAD]", UNUSED)],
]
MERGES = ["h o", "l a", "ho la", "Ġ hola", "ä ½", "ä½ ł", "hola T", "ĠĠĠ ĠĠĠ"]
KEPT = ["h", "o", "l", "a", "Ġ", "T", "ä", "½", "ł", "ho", "la", "hola", "Ġhola", "<|end|>"]


def weights(rows, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, WIDTH)).astype(np.float32)


def write_model(path, tokenizer="gpt2"):
    writer = GGUFWriter(path, "qwen2")
    writer.add_tokenizer_model(tokenizer)
    writer.add_token_list([token for token, _ in TOKENS])
    writer.add_token_types([kind for _, kind in TOKENS])
    writer.add_token_merges(MERGES)
    writer.add_eos_token_id(len(TOKENS) - 2)
    writer.add_chat_template("{{ messages }}")
    q8, q5 = GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q5_0
    writer.add_tensor("output.weight", quantize(weights(len(TOKENS)), q8), raw_dtype=q8)
    writer.add_tensor("token_embd.weight", quantize(weights(len(TOKENS)), q5), raw_dtype=q5)
    writer.add_tensor("blk.0.ffn_up.weight", quantize(weights(4), q5), raw_dtype=q5)
    writer.add_tensor("output_norm.weight", weights(1)[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def model(tmp_path):
    (tmp_path / "tiny").mkdir()
    return write_model(tmp_path / "tiny" / "model.gguf")


def tensors(path):
    return {
        tensor.name: dequantize(tensor.data, tensor.tensor_type)
        for tensor in GGUFReader(path).tensors
    }


def field(path, name):
    return GGUFReader(path).get_field(name).contents()


@given(st.binary(min_size=22 * 3, max_size=22 * 3))
def test_five_bit_weights_are_the_same_numbers_in_eight(block):
    rows = np.frombuffer(block, np.uint8).reshape(1, -1).copy()
    rows[0, [1, 23, 45]] &= 0x3F  # scales below 2, none of them infinite
    before = dequantize(rows, GGMLQuantizationType.Q5_0)
    after = dequantize(q8_0_of_q5_0(rows), GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(before, after)


def test_the_words_that_a_voice_can_speak_stay_and_all_that_they_are_merged_from(model, tmp_path):
    made = fitted(model, tmp_path / "fitted")
    tokens = field(made, "tokenizer.ggml.tokens")
    assert tokens[: len(KEPT)] == KEPT
    assert len(tokens) % 32 == 0
    assert set(field(made, "tokenizer.ggml.merges")) == {"h o", "l a", "ho la", "Ġ hola"}


def test_every_weight_stays_what_it_was(model, tmp_path):
    before, after = tensors(model), tensors(fitted(model, tmp_path / "fitted"))
    rows = [index for index, (token, _) in enumerate(TOKENS) if token in KEPT]
    for name in ("output.weight", "token_embd.weight"):
        np.testing.assert_array_equal(before[name][rows], after[name][: len(rows)])
    for name in ("blk.0.ffn_up.weight", "output_norm.weight"):
        np.testing.assert_array_equal(before[name], after[name])


def test_special_tokens_and_the_template_are_the_same(model, tmp_path):
    made = fitted(model, tmp_path / "fitted")
    tokens = field(made, "tokenizer.ggml.tokens")
    assert tokens[field(made, "tokenizer.ggml.eos_token_id")] == "<|end|>"
    assert field(made, "tokenizer.chat_template") == "{{ messages }}"


def test_it_is_made_once_and_anew_when_the_model_changes(model, tmp_path):
    folder = tmp_path / "fitted"
    first = fitted(model, folder)
    made_ns = first.stat().st_mtime_ns
    assert fitted(model, folder).stat().st_mtime_ns == made_ns
    model.write_bytes(model.read_bytes() + b"\0" * 32)
    second = fitted(model, folder)
    assert second != first
    assert list(folder.iterdir()) == [second]


def test_a_model_with_other_tokens_is_used_as_it_is(tmp_path):
    path = write_model(tmp_path / "model.gguf", tokenizer="llama")
    assert fitted(path, tmp_path / "fitted") == path
    assert not (tmp_path / "fitted").exists()


def test_where_nothing_can_be_written_the_model_is_used_as_it_is(model, tmp_path):
    (tmp_path / "fitted").write_text("in the way")
    assert fitted(model, tmp_path / "fitted") == model
