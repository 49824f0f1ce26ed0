import argparse
from pathlib import Path

import pytest

from avatar.cli import models
from avatar.store import ModelStore
from speech.errors import ModelStoreError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESENCIA_CACHE", str(tmp_path))
    monkeypatch.delenv("PRESENCIA_MODELS", raising=False)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", *arguments])
    return int(args.run(args))


def fetched(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(models, "fetch_with_bar", lambda _, name: names.append(name))
    assert run("fetch", *arguments) == 0
    return names


def test_the_list_shows_every_model_and_whether_it_is_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("list") == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ModelStore.default().names()
    assert rows[0].split()[1:] == ["vad", "any", "1", "MB", "MIT", "no"]


def test_fetch_without_names_takes_what_calls_need(monkeypatch: pytest.MonkeyPatch) -> None:
    names = fetched(monkeypatch)
    assert "hibari" in names
    assert "kokoro-82m-int8" in names
    assert "qwen2.5-coder-1.5b" not in names


def test_fetch_for_one_language_leaves_the_other_languages_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = fetched(monkeypatch, "--language", "es")
    assert "kokoro-82m-int8" in names
    assert "silero-vad-v6" in names
    assert "hibari" not in names


def test_fetch_takes_all_or_those_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetched(monkeypatch, "--all") == ModelStore.default().names()
    assert fetched(monkeypatch, "hibari", "smollm2-135m") == ["hibari", "smollm2-135m"]


def test_fetch_of_an_unknown_name_fails_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match="'hibarri'"):
        run("fetch", "hibari", "hibarri")
    assert list(tmp_path.iterdir()) == []


def test_verify_tells_a_damaged_model_from_a_good_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("fetch", "hibari")  # out of the installed package: no network
    assert run("verify") == 0
    assert capsys.readouterr().out == "hibari: good\n"
    (tmp_path / "models" / "hibari" / "hibari.onnx").write_bytes(b"damaged")
    assert run("verify", "hibari") == 1
    assert "run `presencia models fetch hibari`" in capsys.readouterr().err
