"""What the tests of the page share besides their fixtures."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.page.stand_in import PATIENCE_S, StandIn

SILENT_MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () =>
  new AudioContext().createMediaStreamDestination().stream;
"""
SOUND_NEEDS_A_TAP = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  return this.muted || navigator.userActivation.tapped ? play.call(this)
    : Promise.reject(new DOMException("tap first", "NotAllowedError"));
};
document.addEventListener("click", (event) => {
  if (event.composedPath()[0].closest("#hear")) navigator.userActivation.tapped = true;
}, true);
"""
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 640}

OpenPage = Callable[..., Page]


def call(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(Call|Llamar)")).click()
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached()


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Poll from here: the page's own policy forbids Playwright's wait_for_function."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"did not come within {PATIENCE_S} s"
        page.wait_for_timeout(50)


def lines(page: Page) -> list[str]:
    return [" ".join(row.split()) for row in page.locator("#lines > li .words").all_inner_texts()]


def asked(server: StandIn) -> list[object]:
    """What the page asked for after the greeting."""
    by_itself = ("avatar.ping", "avatar.face.update")
    types = [event["type"] for event in server.call.events if event["type"] not in by_itself]
    assert types[0] == "response.create"
    return types[1:]
