"""Chromium under the kiosk's managed policy, in a mount namespace: no prompt, no way out."""

import http.server
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, sync_playwright

from avatar.kiosk import chromium

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("unshare") is None,
        reason="only root can give Chromium a policy folder of its own",
    ),
]

PATIENCE_S = 90.0

# The wrapper sees an /etc/chromium of its own; everybody else's is as it was.
WRAPPER = """#!/bin/sh
exec unshare --mount sh -c '
  mount -t tmpfs tmpfs /etc/chromium && mkdir -p /etc/chromium/policies/managed &&
  cp {policy} /etc/chromium/policies/managed/ && exec /usr/bin/chromium "$@"' chromium "$@"
"""
ASKS = """async (limitMs) => {
  const later = () => new Promise((done) => setTimeout(done, limitMs, "nobody answered"));
  const tried = (asked) => Promise.race([asked.then(() => "yes", (error) => error.name), later()]);
  const context = new AudioContext();
  return {
    audio: await tried(navigator.mediaDevices.getUserMedia({audio: true})),
    video: await tried(navigator.mediaDevices.getUserMedia({video: true})),
    sound: await tried(context.resume()),
  };
}"""


@contextmanager
def serving() -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>ours</title>hello")

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def managed(tmp_path: Path, policy: dict[str, object]) -> Iterator[Page]:
    """A page of Chromium with the kiosk's switches, and fake devices behind real permissions."""
    file, wrapper = tmp_path / "kiosk.json", tmp_path / "chromium"
    # Playwright is a developer's tool; a kiosk allows none.
    file.write_text(json.dumps({**policy, "DeveloperToolsAvailability": 1}))
    wrapper.write_text(WRAPPER.format(policy=file))
    wrapper.chmod(0o755)
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("Chromium reads policies in /etc only: needs root's right to mount over it")
    line = chromium.command("", "about:blank", tmp_path / "profile")
    switches = [word for word in line[1:-1] if not word.startswith("--user-data-dir")]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=wrapper,
            headless=True,
            timeout=60_000,
            args=[*switches, "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"],
        )
        yield context.pages[0]
        context.close()


def test_our_origin_has_microphone_camera_and_sound_without_being_asked(tmp_path):
    with serving() as url, managed(tmp_path, chromium.policy(url)) as page:
        page.goto(url)
        granted = page.evaluate(ASKS, 1000 * PATIENCE_S)
        assert granted == {"audio": "yes", "video": "yes", "sound": "yes"}


def test_every_other_origin_is_closed(tmp_path):
    with serving() as ours, serving() as other, managed(tmp_path, chromium.policy(ours)) as page:
        for elsewhere in (other, "file:///etc/passwd"):
            tab = page.context.new_page()
            with suppress(Error):  # some blocked addresses count as failures to load, some don't
                tab.goto(elsewhere)
            deadline_s = time.monotonic() + PATIENCE_S
            while not tab.url.startswith("chrome-error:"):
                assert time.monotonic() < deadline_s, tab.url
                tab.wait_for_timeout(50)
            tab.close()
        page.goto(ours)
        assert page.title() == "ours"


def test_without_the_policy_a_page_is_granted_no_device(tmp_path):
    with serving() as url, managed(tmp_path, {}) as page:
        page.goto(url)
        granted = page.evaluate(ASKS, 3000)
        assert "yes" not in (granted["audio"], granted["video"])
