"""What end-to-end tests share: recordings, and a real server in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from avatar.store import ModelStore
from tests.e2e.browser_call import PATIENCE_S
from tests.e2e.order import COMPUTING, rank_of
from tests.e2e.third_party import ClientPages, quiet_chromium

SPEECH = Path(__file__).parents[1] / "data" / "speech"
_READY = re.compile(r"Presencia is ready at (http://\S+)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: rank_of(item.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way, from the first test on that only computes."""
    if item.path.stem in COMPUTING:
        os.nice(max(0, 10 - os.nice(0)))


@dataclass
class Server:
    """A running `presencia serve`."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    url: str = ""
    _ready: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Read its output to the end, in a thread, so that it never blocks on a full pipe."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if match := _READY.search(line):
                self.url = match[1]
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self, limit_s: float = 600) -> None:
        """Wait; the limit is for a starved machine that compiles the renderer meanwhile."""
        assert self._ready.wait(limit_s), f"not ready in time: {self.lines}"
        assert self.url, f"it ended: {self.lines}"

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"{self.url}/v1/avatar/metrics", timeout=60) as answer:
            return json.load(answer)


def start_server(**settings: str) -> Server:
    """Start a server on a free port, with settings as `PRESENCIA_*` variables without prefix."""
    process = subprocess.Popen(
        [sys.executable, "-m", "avatar.cli.main", "serve", "--port", "0"],
        env={
            **os.environ,
            "PRESENCIA_RTC__OFFER_LOOPBACK": "true",
            "PRESENCIA_ACCESS__KEYS_FILE": "/nonexistent/keys.json",
            **{f"PRESENCIA_{name}": value for name, value in settings.items()},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process)
    threading.Thread(target=server.follow, daemon=True).start()
    return server


def stop_server(server: Server) -> int:
    """Ask it to end as Ctrl-C does; its exit status."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
    status = server.process.wait(120)
    server.process.stdout.close()
    return status


@contextmanager
def running_server(**settings: str) -> Iterator[Server]:
    """A server that is ready; whatever happens, it is ended."""
    server = start_server(**settings)
    try:
        server.wait_until_ready()
        yield server
    finally:
        stop_server(server)


@pytest.fixture(scope="session")
def live_server() -> Iterator[Server]:
    """One server with the default settings, for all tests of the session."""
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def places(request: pytest.FixtureRequest) -> None:
    """What the test before left on the server that all share has gone: every place is free."""
    if "live_server" in request.fixturenames:
        server = request.getfixturevalue("live_server")
        deadline_s = time.monotonic() + PATIENCE_S
        while server.metrics()["calls"]:
            assert time.monotonic() < deadline_s, "a call that nobody ends"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def client_pages() -> ClientPages:
    """Opens pages with other projects' clients; each is bundled once."""
    return ClientPages()


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The weights of the smaller language model."""
    return ModelStore.default().path("smollm2-135m") / "model.gguf"


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser; of one test, for Playwright's loop must not run beside another test's."""
    with quiet_chromium() as browser:
        yield browser
