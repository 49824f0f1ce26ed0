"""Recording over the whole way: a client over WebRTC, a server in a process of its own, files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avatar.recording.reading import RecordedCall, read_call
from avatar.replay.compare import error_rate
from avatar.replay.outcome import outcome_of
from tests.e2e.conftest import SPEECH, Server, running_server

pytestmark = pytest.mark.e2e

QUESTION = SPEECH / "cc-by-sa" / "en_tt-weasels.wav"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "recordings"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running_server(RECORDING__ENABLED="true", RECORDING__FOLDER=str(folder)) as server:
        yield server


def command(server: Server, *options: str) -> list[str]:
    call = ["call", str(QUESTION), "--url", server.url, "--face", "audio", *options]
    return [sys.executable, "-m", "avatar.cli.main", *call]


def call(server: Server, *options: str) -> None:
    subprocess.run(command(server, *options), check=True, timeout=600, capture_output=True)


@pytest.fixture(scope="module")
def recorded(server: Server, folder: Path) -> RecordedCall:
    call(server, "--agree-to-recording")
    (only,) = folder.iterdir()
    return read_call(only)


def test_a_call_is_recorded_as_it_was(recorded):
    outcome = outcome_of(recorded)
    (turn,), (answer,) = outcome.turns, outcome.answers
    assert error_rate("Weasels have eaten our phone system.", turn.words, "en") <= 0.35
    assert answer.status == "completed"
    assert answer.heard
    assert answer.rows_ms
    assert not recorded.cut_off
    loud = np.concatenate([a.frame.pcm for a in recorded.arrivals])
    assert np.abs(loud[round(turn.start_s * 16_000) : round(turn.end_s * 16_000)]).max() > 3000
    sources = {entry.source for entry in recorded.entries}
    assert sources == {"client", "server", "listener", "conversation", "session"}


def test_a_caller_who_does_not_agree_is_not_recorded(server, folder, recorded):
    call(server)
    assert [path.name for path in folder.iterdir()] == [recorded.folder.name]


def test_a_call_whose_server_is_killed_can_be_read(server, folder, recorded):
    caller = subprocess.Popen(
        command(server, "--agree-to-recording"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    said = caller.stdout.readline()  # "you: ...": the question was understood and answered
    assert said.strip().startswith("you:")
    os.kill(server.process.pid, 9)
    server.process.wait()
    caller.kill()
    caller.wait()
    caller.stdout.close()
    (killed,) = [path for path in folder.iterdir() if path != recorded.folder]
    broken = read_call(killed)
    assert broken.cut_off
    assert outcome_of(broken).words
    assert broken.arrivals[-1].at_s > 2.5
