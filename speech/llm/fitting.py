"""Fits the weights of a small language model to what is asked of it: to speak, on a processor.

Two things make a 0.5B model slow here that its answers don't need:

- Two fifths of what it reads per token are the scores of 152 thousand words, most of them in
  scripts and programming languages that no voice of ours speaks. The fitted model has the words
  written in Latin letters, digits and punctuation, and every single byte, so that it still reads
  anything; what is written in Latin letters is cut into the same tokens as before.
- llama.cpp unpacks 5-bit weights slowly. Written as 8 bits they are the same numbers.

Answers stay what they were; they are written 1.4 times as fast (docs/llm.md).
"""

import hashlib
import logging
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, TokenType
from gguf.gguf_reader import ReaderTensor
from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_VERSION = 1  # of what is written: a file of another is made anew
_ALIGNMENT = 32  # the vocabulary's size is a multiple of it

_TOKENS, _TYPES, _MERGES = (f"tokenizer.ggml.{name}" for name in ("tokens", "token_type", "merges"))
_BY_WORD = {"token_embd.weight", "output.weight"}

# Words, elisions, numbers, and up to three marks: ASCII's, Spanish ones, quotes and dashes.
_WORD = re.compile(
    r" ?[A-Za-zÀ-ÖØ-öø-ÿ]+|'[a-z]{1,2}|[0-9]+"
    r"|[\s!-/:-@\[-`{-~¿¡°£\u2013\u2014\u2018\u2019\u201C\u201D\u2026\u20AC]{1,3}"
)
_PROGRAM = re.compile(r"[a-z][A-Z]")  # a word of camelCase


def fitted(path: Path, folder: Path) -> Path:
    """The fitted file of a model, made now if this machine has not made it yet (some seconds).

    Args:
        path: A GGUF file.
        folder: Where fitted files are kept; made when needed.

    Returns:
        The fitted file, or `path` itself where nothing can be gained or no file can be made.
    """
    name = path.parent.name
    made = folder / f"{name}-{_fingerprint(path)}.gguf"
    if made.is_file():
        return made
    reader = GGUFReader(path)
    if not _can_fit(reader):
        return path
    written = made.with_suffix(f".{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(reader, written)
        for old in folder.glob(f"{name}-*.gguf"):
            old.unlink()
        os.replace(written, made)
    except OSError as error:
        _log.warning("the language model stays slow: %s", error.strerror)
        with suppress(OSError):
            written.unlink()
        return path
    return made


def _fingerprint(path: Path) -> str:
    stat = path.stat()
    return hashlib.sha256(f"{_VERSION} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:16]


def _can_fit(reader: GGUFReader) -> bool:
    """Whether its tokens are bytes merged in pairs (BPE), as in GPT-2, and belong to one matrix."""
    model = reader.get_field("tokenizer.ggml.model")
    return (
        model is not None
        and model.contents() == "gpt2"
        and all(reader.get_field(name) is not None for name in (_TOKENS, _TYPES, _MERGES))
    )


def _write(reader: GGUFReader, path: Path) -> None:
    tokens, types, merges = (_contents(reader, name) for name in (_TOKENS, _TYPES, _MERGES))
    kept = _kept(tokens, types, merges)
    padding = -len(kept) % _ALIGNMENT
    new_id = {old: new for new, old in enumerate(kept)}
    known = {tokens[index] for index in kept}
    replaced: dict[str, Any] = {
        _TOKENS: [tokens[index] for index in kept] + [f"[PAD{i}]" for i in range(padding)],
        _TYPES: [types[index] for index in kept] + [int(TokenType.UNUSED)] * padding,
        _MERGES: [pair for pair in merges if known.issuperset((*pair.split(" "), _merged(pair)))],
    }
    writer = GGUFWriter(path, str(_contents(reader, "general.architecture")))
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = replaced.get(name, field.contents())
        if name.startswith("tokenizer.ggml.") and name.endswith("_token_id"):
            value = new_id[value]
        sub_type = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(name, value, field.types[0], sub_type)
    for tensor in reader.tensors:
        data, kind = _tensor(tensor, kept, padding)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _contents(reader: GGUFReader, name: str) -> Any:  # noqa: ANN401 - GGUF holds any type
    field = reader.get_field(name)
    assert field is not None
    return field.contents()


def _merged(pair: str) -> str:
    return pair.replace(" ", "", 1)


def _kept(tokens: Sequence[str], types: Sequence[int], merges: Sequence[str]) -> list[int]:
    """Which tokens stay, in order: what is spoken, and all that it is merged from."""
    byte_of = _bytes_of_characters()
    wanted = {
        token
        for token, kind in zip(tokens, types, strict=True)
        if kind == TokenType.NORMAL and _is_spoken(token, byte_of)
    }
    made_of: dict[str, list[str]] = {}
    for pair in merges:  # a token that several pairs make keeps all of them
        made_of.setdefault(_merged(pair), []).extend(pair.split(" "))
    waiting = list(wanted)
    while waiting:
        parts = [part for part in made_of.get(waiting.pop(), ()) if part not in wanted]
        wanted.update(parts)
        waiting.extend(parts)
    return [
        index
        for index, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if token in wanted or kind in (TokenType.CONTROL, TokenType.USER_DEFINED)
    ]


def _is_spoken(token: str, byte_of: dict[str, int]) -> bool:
    if len(token) == 1:
        return True  # a byte
    try:
        text = bytes(byte_of[character] for character in token).decode()
    except (KeyError, UnicodeDecodeError):
        return False
    return _WORD.fullmatch(text) is not None and _PROGRAM.search(text) is None


def _bytes_of_characters() -> dict[str, int]:
    """The byte that each character of a token means: GPT-2's table, where all bytes are visible.

    Source: `bytes_to_unicode` of OpenAI's GPT-2 encoder.
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in set(visible)]
    return {chr(byte): byte for byte in visible} | {
        chr(0x100 + place): byte for place, byte in enumerate(hidden)
    }


def _tensor(
    tensor: ReaderTensor, kept: Sequence[int], padding: int
) -> tuple[NDArray[Any], GGMLQuantizationType]:
    """A tensor's rows as bytes or numbers, and their type."""
    data, kind = tensor.data, tensor.tensor_type
    if tensor.name in _BY_WORD:
        data = np.concatenate([data[kept], np.zeros((padding, *data.shape[1:]), data.dtype)])
    if kind == GGMLQuantizationType.Q5_0 and tensor.name != "token_embd.weight":
        return q8_0_of_q5_0(data), GGMLQuantizationType.Q8_0
    return np.ascontiguousarray(data), kind


def q8_0_of_q5_0(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same weights, 8 bits each.

    A block is 32 weights: in Q5_0 a float16 scale, 32 fifth bits, and 16 bytes with the lower four
    bits of weight i and i + 16; in Q8_0 the scale and 32 int8. Source: ggml-common.h of llama.cpp.

    Args:
        rows: uint8, shape (rows, 22 * blocks).

    Returns:
        uint8, shape (rows, 34 * blocks).
    """
    blocks = rows.reshape(-1, 22)
    fifth = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little").astype(np.uint8) << 4
    lower = np.concatenate([blocks[:, 6:] & 0x0F, blocks[:, 6:] >> 4], axis=1)
    weights = (lower | fifth).astype(np.int8) - 16
    return np.concatenate([blocks[:, :2], weights.view(np.uint8)], axis=1).reshape(len(rows), -1)
