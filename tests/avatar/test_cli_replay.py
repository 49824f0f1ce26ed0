"""The command `presencia replay`: what it refuses, prints and returns."""

import argparse
import json

import pytest

from avatar.cli import replay as command
from avatar.protocol.config import CallConfig
from avatar.recording.about import header
from avatar.recording.reading import RecordedCall
from avatar.recording.recorder import Recorder
from avatar.replay import again
from avatar.settings import Settings
from tests.session import virtual_clock


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No settings but those of a test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRESENCIA_RECORDING__FOLDER", str(tmp_path / "calls"))


def arguments(*words):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["replay", *words])


@pytest.fixture
def folder(tmp_path):
    about = header("rtc_1", CallConfig(), Settings(), seed=1, takes_video=False)

    async def call():
        recorder = Recorder.start(tmp_path / "calls", about)
        recorder.end(0)
        recorder.close()
        recorder.wait()
        return recorder.folder

    return virtual_clock.run(call())


def test_what_is_no_recording_is_refused_in_one_line(tmp_path, capsys):
    args = arguments(str(tmp_path))
    assert args.run(args) == 2
    assert "is no recorded call" in capsys.readouterr().err
    args = arguments("never_made")
    assert args.run(args) == 2


def test_a_recording_of_a_newer_presencia_is_refused(folder, capsys):
    path = folder / "call.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    args = arguments(str(folder))
    assert args.run(args) == 2
    assert "newer Presencia (format 99" in capsys.readouterr().err


def test_a_reference_that_is_not_there_is_refused(folder, capsys):
    args = arguments(folder.name, "--reference", "said.txt")
    assert args.run(args) == 2
    assert "no file said.txt" in capsys.readouterr().err


def test_an_unknown_call_of_the_corpus_is_refused(capsys):
    args = arguments("corpus", "--only", "nonsense")
    assert args.run(args) == 2
    assert "no call nonsense" in capsys.readouterr().err


def silent_again(call: RecordedCall, settings: Settings, clock: str, root: object) -> RecordedCall:
    """A replay that goes as the recording did."""
    assert clock == "virtual"
    return call


def test_a_replay_that_holds_says_so_and_what_is_set_otherwise(folder, capsys, monkeypatch):
    monkeypatch.setattr(again, "replay", silent_again)
    monkeypatch.setenv("PRESENCIA_LISTENING__PATIENT_SILENCE_MS", "1234")
    args = arguments(folder.name, "--clock", "virtual")  # by its name alone
    assert args.run(args) == 0
    printed = capsys.readouterr().out
    assert "It holds" in printed
    assert "setting listening.patient_silence_ms: was" in printed
    assert "is 1234" in printed
    args = arguments(folder.name, "--clock", "virtual", "--json")
    assert args.run(args) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
