"""Several calls, languages and misfortunes, by headless clients against the real server."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from avatar.client.call import Call
from avatar.client.clips import read_clip
from avatar.client.turns import Patience, Turn, spoken_lines, take_turn
from avatar.store import ModelStore
from bench.wer import wer
from speech.asr.whisper import Whisper
from speech.audio import resample
from speech.errors import ServerFullError
from speech.types import Language
from speech.vad import SileroModel
from tests.e2e.conftest import SPEECH, Server, running_server, start_server

pytestmark = pytest.mark.e2e

SPANISH = SPEECH / "cc-by-sa" / "es_queue-thankyou.wav"
ENGLISH = SPEECH / "cc-by-sa" / "en_conf-onlyperson.wav"
PATIENCE = Patience(answer_s=180.0, longest_s=300.0)


def words_of(turn: Turn, who: str) -> str:
    return " ".join(words for speaker, words in spoken_lines(turn.events) if speaker == who)


async def transcribed(call: Call, turn: Turn, language: Language) -> str:
    store = ModelStore.default()
    silero = SileroModel(store.path("silero-vad-v6") / "silero_vad_v6.onnx")
    whisper = Whisper(store.path("whisper-base"), language, silero.detector)
    heard = [f.pcm for f in call.observer.heard if turn.finished_s < f.arrived_s < turn.ended_s]
    try:
        return (await whisper.recognize(resample(np.concatenate(heard), 48_000, 16_000))).text
    finally:
        whisper.close()


def eventually(condition: Callable[[], bool], limit_s: float = 180) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_a_spanish_call_is_understood_and_answered_in_spanish(live_server: Server) -> None:
    async def talk() -> None:
        async with Call.connect(live_server.url) as call:
            await call.choose_language("es")
            turn = await take_turn(call, read_clip(SPANISH), PATIENCE)
            assert turn.answered
            assert wer("Muchas gracias por su paciencia.", words_of(turn, "you"), "es") <= 0.2
            answer = words_of(turn, "avatar")
            assert wer(answer, await transcribed(call, turn, "es"), "es") <= 0.3

    asyncio.run(talk())


def test_two_calls_at_once_each_get_their_own_answer_and_a_third_hears_busy(
    live_server: Server,
) -> None:
    async def name(person: str, ready: asyncio.Barrier) -> str:
        async with Call.connect(live_server.url) as call:
            await ready.wait()
            await take_turn(call, f"Hello! My name is {person}.", PATIENCE)
            turn = await take_turn(call, "What is my name?", PATIENCE)
            await ready.wait()
            return words_of(turn, "avatar")

    async def talk() -> None:
        ready = asyncio.Barrier(3)
        async with asyncio.TaskGroup() as tasks:
            anna = tasks.create_task(name("Anna", ready))
            peter = tasks.create_task(name("Peter", ready))
            await ready.wait()
            with pytest.raises(ServerFullError, match="other people"):
                async with Call.connect(live_server.url):
                    pass
            await ready.wait()
        assert "Peter" not in anna.result()
        assert "Anna" not in peter.result()
        assert "Anna" in anna.result() or "Peter" in peter.result()

    asyncio.run(talk())
    assert eventually(lambda: live_server.metrics()["calls"] == 0)


def test_a_client_that_dies_frees_its_place(live_server: Server) -> None:
    command = [sys.executable, "-m", "avatar.cli.main", "call", str(ENGLISH)]
    with subprocess.Popen([*command, "--url", live_server.url]) as client:
        try:
            assert eventually(lambda: live_server.metrics()["calls"] == 1)
        finally:
            client.kill()
    assert eventually(lambda: live_server.metrics()["calls"] == 0)


def test_malformed_events_are_answered_and_the_call_goes_on(live_server: Server) -> None:
    async def talk() -> None:
        async with Call.connect(live_server.url) as call:
            since = len(call.events)
            call.send({"type": "no.such.event"})
            error = await call.event("error", since)
            assert error is not None
            assert error.body["error"]["code"] == "unknown_event"
            assert (await take_turn(call, "Hello!", PATIENCE)).answered

    asyncio.run(talk())


@pytest.fixture
def server_without_a_model() -> Iterator[Server]:
    """Its language model is a port on which nobody listens."""
    nowhere = "http://127.0.0.1:9/v1"
    with running_server(LLM__BACKEND="openai", LLM__BASE_URL=nowhere, LLM__MODEL="none") as server:
        yield server


def test_a_failing_stage_is_apologised_for_aloud(server_without_a_model: Server) -> None:
    async def talk() -> None:
        async with Call.connect(server_without_a_model.url) as call:
            for _ in range(2):
                turn = await take_turn(call, "Hello!", PATIENCE)
                assert turn.answered, "the apology is heard"
                done = next(e for e in turn.events if e.type == "response.done")
                assert done.body["response"]["status"] == "failed"
                assert any(e.type == "error" for e in turn.events)

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"SERVER__PROT": "80"}, "server.prot"),
        ({"PERSONA": "nobody"}, "nobody"),
        ({"FACE__NAME": "nobody"}, "nobody"),
        ({"LLM__MODEL": "nothing"}, "nothing"),
        ({"LLM__BACKEND": "openai"}, "base_url"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(settings, says) -> None:
    server = start_server(**settings)
    assert server.process.wait(300) == 1
    assert eventually(lambda: bool(server.lines))
    server.process.stdout.close()
    (line,) = server.lines
    assert line.startswith("presencia: ")
    assert says in line
