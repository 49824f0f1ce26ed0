"""The call page in headless Chromium, against the server in `stand_in`."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import aioice.ice
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.page.kit import (
    DESKTOP,
    OpenPage,
)
from tests.e2e.page.stand_in import PATIENCE_S, WEB_CLIENT, StandIn

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
]
# What a call must let go of is remembered here, for a test to look at; and what lies in the shadow
# of the element is a global by its id, as what lies in the page is.
REMEMBER = """
for (const id of ["face", "video", "drawn", "caption"]) {
  Object.defineProperty(globalThis, id, {
    get: () => (document.querySelector("presencia-call")?.shadowRoot ?? document)
      .getElementById(id),
  });
}
globalThis.held = {connections: [], tracks: [], contexts: []};
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) { super(...args); held.connections.push(this); }
};
globalThis.AudioContext = class extends AudioContext {
  constructor(...args) { super(...args); held.contexts.push(this); }
};
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) navigator.mediaDevices.getUserMedia = async (wishes) => {
  const stream = await open(wishes);
  held.tracks.push(...stream.getTracks());
  return stream;
};
"""


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The SDK as one file, made anew."""
    npm = ["npm", "--prefix", str(WEB_CLIENT), "--silent"]
    if not (WEB_CLIENT / "node_modules" / ".package-lock.json").exists():
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], check=True)
    subprocess.run([*npm, "run", "build"], check=True)
    return WEB_CLIENT / "dist" / "presencia.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=1000 * PATIENCE_S)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=CHROMIUM_ARGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def open_page(browser: Browser, server: StandIn) -> Iterator[OpenPage]:
    """Opens the page; at the end it must have had no error and asked nothing of other servers."""
    faults: list[str] = []
    contexts = []

    def open_(
        *,
        microphone: bool = True,
        size: dict[str, int] = DESKTOP,
        dark: bool = False,
        locale: str = "en-GB",
        script: str = "",
        url: str = "",
    ) -> Page:
        context = browser.new_context(
            viewport=size,
            permissions=["microphone"] if microphone else [],
            color_scheme="dark" if dark else "light",
            locale=locale,
        )
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE_S)
        context.add_init_script(REMEMBER + script)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda sent: is_local(sent.url) or faults.append(sent.url))
        page.goto(url or server.url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "http://insecure.test:"))
