import asyncio
import threading

import numpy as np
import pytest

from speech.errors import SynthesizerError
from speech.tts.speaking import speak
from speech.types import Clause, PhonemeTiming
from speech.worker import Worker


class FakeVoice:
    """Says one sample for every letter; may fail, or wait until it is told to stop."""

    def __init__(self, *, fail_on: str = "", hang_on: str = "") -> None:
        self.said: list[str] = []
        self.begun = threading.Event()
        self.stopped = threading.Event()
        self._fail_on, self._hang_on = fail_on, hang_on

    def read(self, spoken, options):
        if self._fail_on and self._fail_on in spoken:
            raise RuntimeError("broken")
        if self._hang_on and self._hang_on in spoken:
            self.begun.set()
            while not options.terminate:
                self.stopped.wait(0.005)
            self.stopped.set()
        self.said.append(spoken)
        return np.ones(len(spoken), np.int16), (PhonemeTiming("a", 0, len(spoken)),)


@pytest.fixture
def worker():
    worker = Worker("fake")
    yield worker
    worker.close()


async def said(*written: Clause):
    for clause in written:
        yield clause


def collect(voice, worker, *written):
    async def run():
        return [chunk async for chunk in speak(said(*written), voice.read, worker)]

    return asyncio.run(run())


def test_a_clause_is_a_chunk_with_its_displayed_text(worker):
    (chunk,) = collect(FakeVoice(), worker, Clause("It's 5. ", "It's five."))
    assert (chunk.text, len(chunk.audio.pcm)) == ("It's 5. ", len("It's five."))
    assert chunk.phonemes


def test_a_silent_clause_keeps_its_text(worker):
    voice = FakeVoice()
    (chunk,) = collect(voice, worker, Clause("🎉", ""))
    assert (chunk.text, len(chunk.audio.pcm)) == ("🎉", 0)
    assert voice.said == []


@pytest.mark.parametrize("unit", ["many words, and more. ", "word ", "x" * 5])
def test_a_long_clause_is_read_in_pieces_whose_texts_join(worker, unit):
    voice = FakeVoice()
    clause = Clause(unit * 200 + "\n", (unit * 200).strip())
    chunks = collect(voice, worker, clause)
    assert len(chunks) > 3
    assert "".join(chunk.text for chunk in chunks) == clause.text
    assert "".join(voice.said).replace(" ", "") == clause.spoken.replace(" ", "")
    assert max(map(len, voice.said)) <= 250


def test_a_broken_voice_is_a_synthesizer_error(worker):
    with pytest.raises(SynthesizerError):
        collect(FakeVoice(fail_on="two"), worker, Clause("one", "one"), Clause("two", "two"))


def test_cancelling_stops_the_model_and_the_next_clause_is_read(worker):
    voice = FakeVoice(hang_on="long")

    async def run():
        async with asyncio.TaskGroup() as tasks:
            long = speak(said(Clause("long", "long")), voice.read, worker)
            dropped = tasks.create_task(anext(long))
            await asyncio.to_thread(voice.begun.wait, 60)
            dropped.cancel()
        return await anext(speak(said(Clause("next", "next")), voice.read, worker))

    assert asyncio.run(run()).text == "next"
    assert voice.stopped.is_set()


def test_two_sessions_take_turns_and_keep_their_own_words(worker):
    voice = FakeVoice()

    async def session(name):
        written = [Clause(f"{name}{i}", f"{name}{i}") for i in range(5)]
        return [chunk.text async for chunk in speak(said(*written), voice.read, worker)]

    async def run():
        return await asyncio.gather(session("a"), session("b"))

    assert asyncio.run(run()) == [[f"a{i}" for i in range(5)], [f"b{i}" for i in range(5)]]
