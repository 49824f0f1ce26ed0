"""Files of what was read, which several servers of one machine write and load."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from speech.errors import LanguageModelError
from speech.llm import embedded
from speech.llm.saved import SavedBeginnings
from speech.types import Message

BEGINNING = (Message("system", "You are Elena."),)


class Llama:
    """Loads no file of a server with fewer or more slots, as llama.cpp does.

    `meanwhile` is called while a file is half written, and before one is loaded.
    """

    def __init__(self, folder, slots=1, meanwhile=lambda: None):
        self.slot_files = []
        self.folder, self.slots, self.meanwhile = folder, slots, meanwhile

    def handle_chat_completions(self, prompt, callback):
        callback({"choices": [{"delta": {"content": None}}]})

    def save_slot(self, slot, name):
        self.slot_files.append(("save", slot))
        with (self.folder / name).open("w") as file:
            file.write("of a server with ")
            self.meanwhile()
            file.write(f"{self.slots} slots")

    def restore_slot(self, slot, name):
        self.slot_files.append(("restore", slot))
        self.meanwhile()
        file = self.folder / name
        if not file.is_file() or file.read_text() != f"of a server with {self.slots} slots":
            raise LanguageModelError("llama.cpp can't restore a slot: 400")


def saved_by(llama):
    return SavedBeginnings(llama, llama.folder, "a model")


@pytest.fixture
def alarms(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.message for record in caplog.records]


def test_servers_with_more_or_fewer_places_leave_each_other_their_files(
    monkeypatch, tmp_path, alarms
):
    async def start(places):
        llama = Llama(tmp_path, places)
        monkeypatch.setattr(embedded, "load_server", lambda *_, **__: llama)
        weights = Path(__file__)
        async with embedded.EmbeddedModel(weights, slots=places, saved=tmp_path) as model:
            await model.warm([BEGINNING])
        return {what for what, _ in llama.slot_files}

    for places in (1, 2):
        assert "save" in asyncio.run(start(places))
    for places in (1, 2):
        assert asyncio.run(start(places)) == {"restore"}
    assert alarms() == []


def test_two_servers_that_save_the_same_at_once_both_succeed(tmp_path, alarms):
    other = saved_by(Llama(tmp_path))
    saved_by(Llama(tmp_path, meanwhile=lambda: other.save(0, BEGINNING))).save(0, BEGINNING)
    assert other.restore(0, BEGINNING)
    assert len(list(tmp_path.iterdir())) == 1
    assert alarms() == []


def test_a_file_that_is_half_written_is_not_there_yet(tmp_path):
    seen = []
    other = saved_by(Llama(tmp_path))
    llama = Llama(tmp_path, meanwhile=lambda: seen.append(other.has(BEGINNING)))
    saved_by(llama).save(0, BEGINNING)
    assert seen == [False]
    assert other.has(BEGINNING)


def test_a_server_too_busy_to_load_a_file_loses_nothing(tmp_path, alarms):
    def be_busy():
        raise LanguageModelError("llama.cpp can't restore a slot: timed out", retryable=True)

    saved_by(Llama(tmp_path)).save(0, BEGINNING)
    assert not saved_by(Llama(tmp_path, meanwhile=be_busy)).restore(0, BEGINNING)
    assert len(alarms()) == 1
    assert saved_by(Llama(tmp_path)).restore(0, BEGINNING)


def test_a_file_that_another_server_has_deleted_alarms_nobody(tmp_path, alarms):
    def delete():
        for file in tmp_path.iterdir():
            file.unlink()

    saved = saved_by(Llama(tmp_path, meanwhile=delete))
    saved_by(Llama(tmp_path)).save(0, BEGINNING)
    assert not saved.restore(0, BEGINNING)
    assert alarms() == []


def test_what_is_loaded_stays_and_what_nobody_loads_any_more_goes(tmp_path):
    llama = Llama(tmp_path)
    saved = saved_by(llama)
    saved.save(0, BEGINNING)
    (in_use,) = tmp_path.iterdir()
    for age in range(20):
        (tmp_path / f"{age}.kv").touch()
        _age(tmp_path / f"{age}.kv", 100 + age)
    _age(in_use, 200)
    assert saved.restore(0, BEGINNING)
    saved_by(llama).save(0, (*BEGINNING, *BEGINNING))
    assert in_use.exists()
    assert len(list(tmp_path.iterdir())) == 16


def _age(file, seconds):
    at_s = file.stat().st_mtime - seconds
    os.utime(file, (at_s, at_s))
