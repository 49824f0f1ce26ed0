"""How prompts begin: read once, saved, and loaded into the slots that need it."""

import asyncio

from speech.errors import LanguageModelError
from speech.types import Message
from tests.speech.llama_kit import SYSTEM, FakeLlama, model_on


async def warmed(server, monkeypatch, saved, *beginnings):
    async with model_on(server, monkeypatch, slots=3, saved=saved) as model:
        await model.warm(beginnings)
        assert len([model.conversation() for _ in range(3)]) == 3


def test_warming_reads_once_and_gives_it_to_every_slot(monkeypatch, tmp_path):
    server = FakeLlama()
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert server.slot_files == [("save", 0), ("restore", 1), ("restore", 2)]


def test_what_was_read_is_there_at_the_next_start(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    server = FakeLlama()
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert server.slot_files == [("restore", slot) for slot in range(3)]


def test_a_broken_file_is_read_again(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"half")
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    assert not file.exists(), "it is deleted, so that the next start saves it anew"
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    assert file.read_bytes() == b"cache"


def test_another_persona_is_another_file(monkeypatch, tmp_path):
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (SYSTEM,)))
    asyncio.run(warmed(FakeLlama(), monkeypatch, tmp_path, (Message("system", "You are Ana."),)))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_call_in_another_language_loads_its_own_beginning(monkeypatch):
    server = FakeLlama()
    spanish = (Message("system", "Eres Elena."),)

    async def scenario():
        async with model_on(server, monkeypatch) as model:
            await model.warm([(SYSTEM,), spanish])
            server.slot_files.clear()
            async with model.conversation() as call:
                await call.prefill((*spanish, Message("user", "Hola")))
                await call.prefill((*spanish, Message("user", "Hola, buenas")))

    asyncio.run(scenario())
    assert server.slot_files == [("restore", 0)]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(monkeypatch, tmp_path):
    server = FakeLlama()

    def fail(slot, name):
        raise LanguageModelError("llama.cpp can't save a slot: 500")

    server.save_slot = fail
    asyncio.run(warmed(server, monkeypatch, tmp_path, (SYSTEM,)))
    assert {body["id_slot"] for body in server.bodies} == {0, 1, 2}
