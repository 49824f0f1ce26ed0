"""`presencia kiosk` as a whole: the real service, Chromium without a screen, and both killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

pytestmark = pytest.mark.e2e

PATIENCE_S = 240.0
HEADLESS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # in place of the policy, which is the machine's
]


class Launched:
    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    def status(self) -> dict:
        try:
            return httpx.get(f"{self.url}/v1/kiosk/status", timeout=10).json()
        except (httpx.HTTPError, ValueError):
            return {}

    def children(self, name: str) -> list[psutil.Process]:
        """Our own processes below the launcher: "chromium", or "serve"."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if name in " ".join(child.cmdline()[:5])]

    def shows(self, *screens: str) -> bool:
        page = self.status().get("page") or {}
        return page.get("screen") in screens and page["silent_s"] < 10


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.2)


@pytest.fixture
def kiosk(tmp_path) -> Iterator[Launched]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PRESENCIA_SERVER__PORT": str(port),
        "PRESENCIA_KIOSK__STATE_FOLDER": str(tmp_path),
        "PRESENCIA_KIOSK__CHROMIUM_ARGS": json.dumps(HEADLESS),
    }
    process = subprocess.Popen([sys.executable, "-m", "avatar.cli.main", "kiosk"], env=environment)
    try:
        yield Launched(process, f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def test_what_is_killed_comes_back_and_what_is_ended_goes(kiosk):
    eventually(lambda: kiosk.shows("attract", "welcome", "call"), "the page")
    page = kiosk.status()["page"]
    assert page["microphone"]
    assert page["errors"] == 0

    kiosk.children("chromium")[0].kill()
    eventually(lambda: kiosk.status().get("reports"), "a report of the browser's end")
    report = kiosk.status()["reports"][0]
    assert (report["part"], report["why"]) == ("browser", "exited")
    eventually(lambda: kiosk.shows("attract", "welcome", "call"), "the page in a new browser")

    started = kiosk.status()["started"]
    kiosk.children("serve")[0].kill()
    eventually(lambda: kiosk.status().get("started", started) != started, "a new service")
    browser = kiosk.children("chromium")[0].pid
    eventually(lambda: kiosk.shows("attract", "welcome", "call"), "the page with the new service")
    assert kiosk.children("chromium")[0].pid == browser, "the page itself waited for the service"
    assert kiosk.status()["reports"][0] == report, "reports outlive the service"

    left = psutil.Process(kiosk.process.pid).children(recursive=True)
    kiosk.process.send_signal(signal.SIGTERM)
    kiosk.process.wait(120)
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []
