"""Calls as files: what is written is read back, and nothing else is believed."""

import asyncio
import json
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from avatar.events import UserSaid
from avatar.listening import TurnEnded
from avatar.protocol.config import CallConfig
from avatar.recording import recorder as recorder_module
from avatar.recording.about import header, is_agreed
from avatar.recording.format import (
    ARRIVALS_FILE,
    AUDIO_FILE,
    EVENTS_FILE,
    CallRecordingError,
)
from avatar.recording.reading import read_call
from avatar.recording.recorder import Recorder
from avatar.recording.retention import delete_old
from avatar.settings import (
    IceServer,
    LlmSettings,
    RecordingSettings,
    RtcSettings,
    Settings,
)
from speech.types import AudioFrame, Transcript
from tests.session import virtual_clock

ROOT = Path(__file__).parents[2]
FRAME = 320
SECONDS = 2


def voice():
    rng = np.random.default_rng(0)
    return (rng.standard_normal(SECONDS * 16_000) * 3000).astype(np.int16)


def described(settings=None, **session):
    config = CallConfig.model_validate(session)
    return header("rtc_1", config, settings or Settings(), seed=7, takes_video=True)


async def talk(recorder, *, gap=0):
    """Two seconds of voice, a frame each 20 ms; from the middle on `gap` samples later."""
    pcm = voice()
    for start in range(0, len(pcm), FRAME):
        await asyncio.sleep(0.02)
        at = start + (gap if start >= len(pcm) // 2 else 0)
        recorder.hear(AudioFrame(pcm[start : start + FRAME], 16_000, at))
    recorder.note(UserSaid("item_1", "hello there", 1.5), source="conversation", played=96_000)


def record(root, *, end=True, close=True, gap=0, settings=None):
    """Record the call below `root`; the folder."""

    async def call():
        recorder = Recorder.start(root, described(settings))
        await talk(recorder, gap=gap)
        if end:
            recorder.end(96_000)
            recorder.note(UserSaid("item_2", "aftermath", 0.1), source="conversation", played=0)
        if close:
            recorder.close()
            recorder.wait()
        return recorder

    return virtual_clock.run(call()).folder


@pytest.fixture
def folder(tmp_path):
    return record(tmp_path / "calls")


def test_a_recorded_voice_is_read_back_sample_for_sample_at_its_times(folder):
    call = read_call(folder)
    assert (np.concatenate([a.frame.pcm for a in call.arrivals]) == voice()).all()
    assert [a.at_s for a in call.arrivals[:3]] == pytest.approx([0.02, 0.04, 0.06])
    assert call.arrivals[-1].frame.start_sample == SECONDS * 16_000 - FRAME


def test_what_a_slow_listener_missed_stays_missing(tmp_path):
    call = read_call(record(tmp_path, gap=4800))
    assert [a.frame.start_sample for a in call.arrivals][50] == 16_000 + 4800


def test_an_event_is_read_back_with_its_places_in_time(folder):
    (entry,) = read_call(folder).entries
    assert (entry.source, entry.type) == ("conversation", "UserSaid")
    said = {"item_id": "item_1", "text": "hello there", "duration_s": 1.5}
    assert entry.body.items() >= said.items()
    assert entry.at_s == pytest.approx(2.0)
    assert (entry.mic_sample, entry.played_sample) == (SECONDS * 16_000, 96_000)


def test_what_the_end_of_the_call_brings_about_is_left_out(folder):
    call = read_call(folder)
    assert "aftermath" in (folder / "events.jsonl").read_text()
    assert [entry.body["text"] for entry in call.entries] == ["hello there"]
    assert not call.cut_off


def test_loop_times_count_from_the_beginning_of_the_call(tmp_path):
    async def call():
        await asyncio.sleep(1000)
        recorder = Recorder.start(tmp_path, described())
        said = Transcript("hello", "en", (1, 2))
        recorder.note(TurnEnded(1, said, 0, 8000, 1000.5, 1000.75), source="listener", played=0)
        recorder.close()
        recorder.wait()
        return recorder.folder

    (entry,) = read_call(virtual_clock.run(call())).entries
    assert (entry.body["ended_at_s"], entry.body["decided_at_s"]) == (0.5, 0.75)
    assert entry.body["transcript"] == {"text": "hello", "language": "en", "tokens": [1, 2]}


def test_messages_of_the_wire_are_kept_whole_and_malformed_ones_too(tmp_path):
    async def call():
        recorder = Recorder.start(tmp_path, described())
        recorder.note('{"type": "avatar.ping", "event_id": "e"}', source="client", played=0)
        recorder.note("[nonsense", source="client", played=0)
        recorder.close()
        recorder.wait()
        return recorder.folder

    ping, bad = read_call(virtual_clock.run(call())).entries
    assert (ping.type, ping.body) == ("avatar.ping", {"event_id": "e"})
    assert (bad.type, bad.body) == ("malformed", {"text": "[nonsense"})


def test_only_its_owner_can_read_a_recording(folder):
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_no_secret_and_no_address_is_in_a_recording(tmp_path):
    settings = Settings(
        llm=LlmSettings(backend="openai", base_url="http://inside.example", api_key="hush-hush"),
        rtc=RtcSettings(
            ice_servers=[IceServer(urls=["turn:t"], username="somebody", credential="open-sesame")]
        ),
    )
    text = (record(tmp_path, settings=settings) / "call.json").read_text()
    for secret in ("hush-hush", "inside.example", "somebody", "open-sesame", "turn:t"):
        assert secret not in text
    assert json.loads(text)["settings"]["listening"]["end_silence_ms"] > 0


# ---- Calls that were cut off ----


def wait_for_the_writer(folder):
    """Return when what was given to it is in the files, save what FLAC keeps; or in a minute."""
    deadline_s = time.monotonic() + 60
    arrivals, events, audio = (folder / f for f in (ARRIVALS_FILE, EVENTS_FILE, AUDIO_FILE))
    while time.monotonic() < deadline_s:
        lines = [path.read_text().count("\n") for path in (arrivals, events) if path.exists()]
        # FLAC makes 85 % of noise: this much, if it lacks no more than it may keep.
        if lines == [SECONDS * 50, 1] and audio.stat().st_size > 0.7 * 2 * 16_000 * SECONDS:
            return
        time.sleep(0.01)


def test_a_call_whose_server_was_killed_is_read_as_far_as_it_was_written(tmp_path):
    # A process that dies without a word, as `kill -9` makes it: nothing is closed or flushed. The
    # writer, which keeps up with a call, is waited for where a call is this fast.
    dying = (
        "import os, pathlib, sys; from tests.avatar import test_recording as t; "
        "t.wait_for_the_writer(t.record(pathlib.Path(sys.argv[1]), end=False, close=False)); "
        "os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", dying, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == 9
    (folder,) = tmp_path.iterdir()
    call = read_call(folder)
    assert call.cut_off
    heard = np.concatenate([a.frame.pcm for a in call.arrivals])
    assert len(heard) >= (SECONDS - 0.5) * 16_000
    assert (heard == voice()[: len(heard)]).all()
    assert [entry.type for entry in call.entries] == ["UserSaid"]


def test_a_half_written_line_is_where_a_recording_breaks_off(tmp_path):
    folder = record(tmp_path, end=False)
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"at_s": 3.1, "sou')
    call = read_call(folder)
    assert call.cut_off
    assert len(call.entries) == 1


# ---- What is refused ----


def spoil_header(**changes):
    def spoil(folder):
        path = folder / "call.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def truncate_audio(folder):
    path = folder / "microphone.flac"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replace(name, text):
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (spoil_header(version=2), "newer Presencia"),
        (spoil_header(format="something"), "does not describe"),
        (spoil_header(started=None), "started"),
        (replace("call.json", "{"), "does not describe"),
        (lambda folder: (folder / "call.json").unlink(), "no recorded call"),
        (lambda folder: (folder / "events.jsonl").unlink(), "Can't read"),
        (replace("events.jsonl", "nonsense\n{}\n"), "line 1"),
        (replace("events.jsonl", '{"at_s": 1, "source": "client"}\n'), "line 1"),
        (replace("arrivals.csv", "1,2\n"), r"arrivals\.csv is damaged"),
        (truncate_audio, r"microphone\.flac is damaged: it has \d\.\d s of 2\.0 s"),
        (replace("microphone.flac", "not audio"), "microphone.flac"),
    ],
)
def test_a_damaged_recording_is_refused_in_words(folder, spoil, complaint):
    spoil(folder)
    with pytest.raises(CallRecordingError, match=complaint):
        read_call(folder)


# ---- Consent, disks and time ----


@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("session", [{}, {"recording": None}, {"recording": False}])
def test_nobody_is_recorded_who_has_not_agreed(enabled, session):
    config = CallConfig.model_validate(session)
    assert not is_agreed(RecordingSettings(enabled=enabled), config)


def test_nobody_is_recorded_unless_the_operator_wants_to_record():
    config = CallConfig(recording=True)
    assert not is_agreed(RecordingSettings(), config)
    assert is_agreed(RecordingSettings(enabled=True), config)


def test_a_withdrawn_recording_is_gone(tmp_path):
    async def call():
        recorder = Recorder.start(tmp_path, described())
        await talk(recorder)
        recorder.discard()
        recorder.hear(AudioFrame(np.zeros(FRAME, np.int16), 16_000, 0))
        recorder.wait()
        return recorder

    assert not virtual_clock.run(call()).is_recording
    assert list(tmp_path.iterdir()) == []


def test_a_withdrawn_recording_that_stays_is_told_of(tmp_path, monkeypatch, caplog):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    async def call():
        recorder = Recorder.start(tmp_path, described())
        await talk(recorder)
        monkeypatch.setattr(recorder_module.shutil, "rmtree", refuse)
        recorder.discard()
        recorder.wait()

    virtual_clock.run(call())
    assert "must be deleted by hand" in caplog.text


def test_a_full_disk_is_not_recorded_to(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "FREE_BYTES", 1 << 62)
    with pytest.raises(OSError, match="MB are free"):
        record(tmp_path / "calls")
    assert list((tmp_path / "calls").iterdir()) == []


def test_a_disk_that_is_too_slow_ends_the_recording_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "BACKLOG", 10)
    told = []

    async def call():
        recorder = Recorder(tmp_path, described(), lambda: told.append(True))  # nobody writes
        await talk(recorder)
        return recorder

    assert not virtual_clock.run(call()).is_recording
    assert told == [True]


def test_a_failing_disk_ends_the_recording_and_says_so(tmp_path):
    told = []

    async def call():
        recorder = Recorder(tmp_path / "gone", described(), lambda: told.append(True))
        recorder._thread.start()
        recorder.wait()
        await asyncio.sleep(0.1)
        recorder.close()
        return recorder

    assert not virtual_clock.run(call()).is_recording
    assert told == [True]


def test_recordings_go_when_their_time_is_up_and_nothing_else_does(tmp_path):
    old, kept = record(tmp_path), record(tmp_path / "other")
    (tmp_path / "notes").mkdir()
    (tmp_path / "20200101T000000Z").mkdir()
    damaged = tmp_path / "20200101T000000Z_rtc_2"
    damaged.mkdir()
    assert delete_old(tmp_path, 30, datetime.now(UTC) + timedelta(days=29)) == 1
    assert not damaged.exists()
    assert old.exists()
    assert delete_old(tmp_path, 30, datetime.now(UTC) + timedelta(days=31)) == 1
    assert not old.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["20200101T000000Z", "notes", "other"]
    assert kept.exists()
    assert delete_old(tmp_path / "never made", 30, datetime.now(UTC)) == 0
