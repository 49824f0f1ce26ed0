"""What a service remembers of a visitor when the next one comes: nothing, with real models."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from avatar.client.call import Call
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

NAME = "quillfeather"
PATIENCE_S = 180.0


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    word = tmp_path / "word"
    word.write_text(NAME)
    script = Path(__file__).parent / "remembering_server.py"
    process = subprocess.Popen(
        [sys.executable, script, word],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PRESENCIA_SERVER__PORT": "0",
            "PRESENCIA_RTC__OFFER_LOOPBACK": "true",
            "PRESENCIA_KIOSK__ENABLED": "true",
            "PRESENCIA_KIOSK__STATE_FOLDER": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Server(process)
    threading.Thread(target=running.follow, daemon=True).start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        process.stdout.close()


def remembered(server: Server) -> str:
    """What the server says that it remembers of the name."""
    before = len(server.lines)
    server.process.send_signal(signal.SIGUSR1)
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        for line in server.lines[before:]:
            if line.startswith("remembers: "):
                return line.removeprefix("remembers: ")
        time.sleep(0.1)
    raise AssertionError(f"it did not say: {server.lines[-5:]}")


async def visit(server: Server) -> str:
    """A visitor who says their name; what was remembered while they were there."""
    async with Call.connect(server.url) as call:
        await call.until(lambda: call.synchronised, PATIENCE_S)
        await call.choose_language("es")
        call.say_text(f"Me llamo {NAME.title()}. ¿Cómo me llamo?")
        assert await call.event("response.done", timeout_s=PATIENCE_S)
        return await asyncio.to_thread(remembered, server)


def test_nothing_of_a_visitor_is_alive_in_the_service_once_it_was_told_to_forget(server):
    assert remembered(server) == "[]"
    while_there = asyncio.run(visit(server))
    assert while_there != "[]", "a server that never knew it has nothing to forget"
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as http:
        deadline_s = time.monotonic() + PATIENCE_S
        while http.get("/v1/avatar/metrics").json()["calls"]:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        kept = remembered(server)
        assert kept != "[]", "the language model kept the prompt: the wipe is what empties it"
        assert http.post("/v1/kiosk/wiped").status_code == 204
    assert remembered(server) == "[]"
