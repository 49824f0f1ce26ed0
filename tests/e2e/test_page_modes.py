"""The call page in Chromium with WebGL, and the real server: one call in every mode."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.e2e.browser_call import BrowserCall, pause, webgl_browser
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with webgl_browser() as chromium:
        yield chromium


@pytest.fixture
def running_call(browser: Browser, live_server: Server) -> Iterator[BrowserCall]:
    call = BrowserCall(browser, live_server.url)
    call.call()
    yield call
    call.close()


def choose(call: BrowserCall, mode: str) -> None:
    call.page.click("#settings-open")
    call.page.select_option("#picture", mode)
    call.page.keyboard.press("Escape")
    call.wait_for(f"window.presencia.picture.shown === '{mode}'")


def picture(call: BrowserCall) -> np.ndarray:
    """What is on the page where the face is: BGR."""
    png = np.frombuffer(call.page.locator("#face").screenshot(), np.uint8)
    return cv2.imdecode(png, cv2.IMREAD_COLOR)


def shows_a_face(image: np.ndarray) -> bool:
    """Whether the middle has skin, and is lit as a face is: neither flat nor empty."""
    height, width = image.shape[:2]
    middle = image[int(0.25 * height) : int(0.7 * height), int(0.35 * width) : int(0.65 * width)]
    hue, saturation, value = cv2.split(cv2.cvtColor(middle, cv2.COLOR_BGR2HSV))
    skin = (hue < 25) & (saturation > 30) & (value > 60)
    return bool(skin.mean() > 0.5 and middle.std() > 12)


def comes_to_show_a_face(call: BrowserCall) -> bool:
    """Whether it does before long: one mode fades into the other."""
    for _ in range(40):
        if shows_a_face(picture(call)):
            return True
        pause(0.5)
    return False


def test_a_running_call_shows_a_face_in_every_mode(running_call):
    assert comes_to_show_a_face(running_call)
    for mode in ("client", "audio", "video", "client", "video"):
        choose(running_call, mode)
        pause(0.8)  # the fade: not what the mode before left
        assert comes_to_show_a_face(running_call), mode
    assert running_call.faults() == []


def test_a_switch_while_it_speaks_leaves_the_sound_whole(running_call):
    call = running_call
    call.type("Tell me about the history of Rome.")
    call.wait_for("window.presencia.state === 'speaking'")
    started_ms = call.now_ms()
    for mode in ("client", "audio", "video"):
        choose(call, mode)
        heard = call.page.evaluate("person.audio.length")
        call.wait_for(f"person.audio.length > {heard + 30}")
    received = call.received().between(started_ms, call.now_ms())
    gaps_ms = np.diff(received.audio_at_ms)
    print(f"\ngaps in the sound, ms: p99 {np.percentile(gaps_ms, 99):.0f}, {gaps_ms.max():.0f}")
    assert received.loud_at_ms().size > 30
    assert call.faults() == []
