"""`presencia kiosk`: a stand-in for Chromium, and for the service, in processes of their own."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, Response

from avatar.kiosk import chromium, launcher
from avatar.kiosk.launcher import Pauses, Plan
from speech.errors import ConfigError

pytestmark = pytest.mark.e2e  # processes that start, hang and are started again

PATIENCE_S = 30.0

CHROMIUM = """#!/bin/sh
echo "$$ $*" >> {log}
{does}
"""
SERVICE = """
import http.server, json, os, sys
with open({log!r}, "a") as log:
    print(os.getpid(), os.environ["MADE_BY"], file=log)
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if os.path.exists({hangs!r}):
            import time; time.sleep(60)
        with open({log!r} + ".answers", "a") as log:
            print(os.getpid(), file=log)
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps(
            {{"browser": {{"restarts_wanted": 0}}, "started": "x", "reports": []}}).encode())
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(launcher, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(launcher, "_PAUSES_S", (0.05,))


def stand_in(tmp_path, does):
    program = tmp_path / "chromium"
    program.write_text(CHROMIUM.format(log=tmp_path / "browsers", does=does))
    program.chmod(0o755)
    return str(program)


def started(tmp_path, what="browsers"):
    log = tmp_path / what
    return log.read_text().splitlines() if log.exists() else []


def is_alive(pid):
    with suppress(ProcessLookupError):
        os.kill(int(pid), 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def service(*, kiosk=True):
    """A service in this process; what it wants and was told are on the object."""
    app = FastAPI()
    app.state.wanted, app.state.told = 0, []
    app.state.started, app.state.why = "first", "silent"

    @app.get("/v1/kiosk/status")
    def status():
        if not kiosk:
            return Response(status_code=404)
        return {
            "browser": {"restarts_wanted": app.state.wanted},
            "started": app.state.started,
            "reports": [{"why": app.state.why}],
        }

    @app.post("/v1/kiosk/browser")
    def ended(body: dict[str, str]):
        app.state.told.append(body["detail"])

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}", app.state
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def launched(plan):
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(launcher._run(plan))
        try:
            yield
        finally:
            running.cancel()


def test_the_browser_shows_the_page_full_screen_from_an_empty_profile(tmp_path):
    async def run():
        async with service() as (url, _):
            plan = Plan(url, None, {}, stand_in(tmp_path, "exec sleep 60"), ("--extra",))
            async with launched(plan):
                await until(lambda: started(tmp_path))
                words = started(tmp_path)[0].split()
                assert words[-1] == f"{url}/kiosk.html"
                assert {"--kiosk", "--extra"} <= set(words)
                profile = next(w for w in words if w.startswith("--user-data-dir=")).split("=")[1]
                assert os.listdir(profile) == []
            assert not is_alive(words[0])
            assert os.path.basename(profile) not in os.listdir(os.path.dirname(profile))

    asyncio.run(run())


def test_a_browser_that_ends_is_started_again_and_reported(tmp_path):
    async def run():
        async with service() as (url, told):
            async with launched(Plan(url, None, {}, stand_in(tmp_path, "exit 7"))):
                await until(lambda: len(told.told) >= 2)
            assert told.told[0].startswith("exit status 7")
            assert len(started(tmp_path)) >= 2

    asyncio.run(run())


def test_a_browser_that_the_service_does_not_want_any_more_is_replaced(tmp_path):
    async def run():
        async with service() as (url, told):
            async with launched(Plan(url, None, {}, stand_in(tmp_path, "sleep 60 & wait"))):
                await until(lambda: started(tmp_path))
                told.wanted = 1
                await until(lambda: len(started(tmp_path)) == 2)
                first, second = (line.split()[0] for line in started(tmp_path))
                assert not is_alive(first)
                assert is_alive(second)
                # The count of a service that was started again begins anew.
                told.started, told.wanted = "second", 0
                await asyncio.sleep(0.3)
                assert is_alive(second)
                told.wanted = 1
                await until(lambda: len(started(tmp_path)) == 3)
            assert told.told == []

    asyncio.run(run())


def test_a_browser_does_not_outlive_the_night(tmp_path):
    async def run():
        async with service() as (url, told):
            async with launched(Plan(url, None, {}, stand_in(tmp_path, "sleep 60 & wait"))):
                await until(lambda: started(tmp_path))
                told.started, told.why = "after the night", "nightly"
                await until(lambda: len(started(tmp_path)) == 2)
                second = started(tmp_path)[1].split()[0]
                await asyncio.sleep(0.3)
                assert is_alive(second)  # once is enough
            assert told.told == []

    asyncio.run(run())


def test_a_service_without_a_kiosk_is_refused_with_what_to_do(tmp_path):
    async def run():
        async with service(kiosk=False) as (url, _):
            with pytest.raises(ConfigError, match=r"kiosk.enabled = true"):
                await launcher.run(Plan(url, None, {}, stand_in(tmp_path, "exec sleep 60")))

    asyncio.run(run())


def test_a_missing_browser_says_how_to_get_one():
    async def run():
        async with service() as (url, _):
            with pytest.raises(ConfigError, match="apt install chromium"):
                await launcher.run(Plan(url, None, {}, "/nowhere/chromium"))

    asyncio.run(run())


def test_a_service_of_ours_that_ends_or_hangs_is_started_again(tmp_path, monkeypatch, unused_port):
    monkeypatch.setattr(launcher, "_HUNG_S", 0.5)
    monkeypatch.setattr(launcher, "_ANSWER_WITHIN_S", 0.5)
    hangs = tmp_path / "hangs"
    program = SERVICE.format(log=str(tmp_path / "services"), hangs=str(hangs))
    line = (sys.executable, "-c", program, str(unused_port))
    url = f"http://127.0.0.1:{unused_port}"

    def pid(number):
        return int(started(tmp_path, "services")[number].split()[0])

    async def run():
        plan = Plan(url, line, {"MADE_BY": "us"}, stand_in(tmp_path, "exec sleep 60"))
        async with launched(plan):
            await until(lambda: started(tmp_path))  # the browser comes once the service answers
            os.kill(pid(0), signal.SIGTERM)
            await until(lambda: len(started(tmp_path, "services")) == 2)
            # Both loops of the launcher have seen it answer.
            await until(lambda: started(tmp_path, "services.answers").count(str(pid(1))) > 10)
            hangs.touch()
            await until(lambda: not is_alive(pid(1)))
            hangs.unlink()
            await until(lambda: len(started(tmp_path, "services")) == 3)
        assert all(words.endswith("us") for words in started(tmp_path, "services"))
        assert not is_alive(pid(2))

    asyncio.run(run())


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_what_ends_at_once_is_started_again_more_and_more_slowly(monkeypatch):
    monkeypatch.setattr(launcher, "_PAUSES_S", (1.0, 2.0, 5.0))
    pauses = Pauses()
    assert [pauses.after(3) for _ in range(4)] == [1, 2, 5, 5]
    assert pauses.after(3600) == 1


def test_the_policy_grants_the_microphone_to_one_origin_and_is_recognised(tmp_path):
    origin = "http://127.0.0.1:8080"
    assert not chromium.has_policy(origin, tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "kiosk.json").write_text(chromium.policy_text(origin))
    assert chromium.has_policy(origin, tmp_path)
    assert not chromium.has_policy("http://127.0.0.1:9999", tmp_path)
    granted = json.loads(chromium.policy_text(origin))
    for kind in ("AudioCapture", "VideoCapture"):
        assert granted[f"{kind}Allowed"] is False
        assert granted[f"{kind}AllowedUrls"] == [origin]
    assert granted["URLBlocklist"] == ["*"]
