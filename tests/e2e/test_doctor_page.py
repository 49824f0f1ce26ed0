"""The doctor's page in Chromium: real media to the real routes, and people in several troubles."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from avatar.settings import Settings
from tests.e2e.doctor_kit import MICROPHONE, DoctorServer, examined, findings
from tests.e2e.page.conftest import CHROMIUM_ARGS
from tests.e2e.page.stand_in import PATIENCE_S

pytestmark = pytest.mark.e2e
SETTINGS = Settings.model_validate({"rtc": {"offer_loopback": True}})
SPEAKS, WHISPERS, SHOUTS, IS_MUTE = ("0.2", "0.008", "3", "0")

NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("no", "NotAllowedError");
};
"""
# Neither end learns an address of the other's; the ten seconds that a way has to open are one.
NO_CANDIDATES = r"""
const later = window.setTimeout;
window.setTimeout = (f, ms) => later(f, ms === 10_000 ? 1_000 : ms);
const without = ({type, sdp}) => ({type, sdp: sdp.replace(/a=candidate.*\r\n/g, "")});
const accept = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
  return accept.call(this, without(answer));
};
const {get} = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, "localDescription");
Object.defineProperty(RTCPeerConnection.prototype, "localDescription", {
  get() { return without(get.call(this)); },
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=1000 * PATIENCE_S)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=CHROMIUM_ARGS
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server() -> Iterator[DoctorServer]:
    with DoctorServer(SETTINGS) as running:
        yield running


@pytest.fixture
def open_doctor(browser: Browser, server: DoctorServer) -> Iterator[Callable[..., Page]]:
    contexts, faults = [], []

    def open_(voice: str = SPEAKS, script: str = "", **options: object) -> Page:
        options = {"permissions": ["microphone", "clipboard-write"], "locale": "en-GB"} | options
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(1000 * PATIENCE_S)
        contexts[-1].add_init_script(MICROPHONE.replace("VOICE", voice) + script)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(server.url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def test_where_all_is_well_everything_is_good_and_what_is_copied_tells_nobody_apart(open_doctor):
    page = open_doctor()
    found = examined(page)
    expected = {
        "secure": ("good", "secureGood"),
        "browser": ("good", "browserGood"),
        "microphone": ("good", "microphoneGood"),
        "autoplay": ("good", "autoplayAfterPress"),
        "volume": ("good", "levelGood"),
        "echo": ("good", "echoGood"),
        "relay": ("skipped", "relayUnset"),
        "codecs": ("good", "codecsGood"),
    }
    assert {what: found[what] for what in expected} == expected
    # How good they are is for the machine to say, which may be starved; that they work is not.
    assert found["drawing"] in (("good", "drawingGood"), ("good", "drawingByServer"))
    assert found["speed"][1] in ("speedGood", "speedSlow")
    assert found["udp"][1] in ("udpGood", "udpPoor")
    assert found["server"][1] in ("serverGood", "serverBusy")
    rows = page.evaluate("presenciaDoctor.findings")
    codecs = next(row for row in rows if row["what"] == "codecs")["finding"]["values"]["codecs"]
    assert codecs == "Opus, VP8, H264"
    copied = page.evaluate("presenciaDoctor.report()")
    assert copied.splitlines()[0] == "Presencia: Connection check"
    assert "[good] Microphone" in copied
    assert "127.0.0.1" not in copied
    assert "Fake" not in copied
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")


def test_a_voice_that_arrives_badly_is_told_so(open_doctor):
    told = {
        WHISPERS: ("warning", "levelQuiet"),
        SHOUTS: ("warning", "levelClipped"),
        IS_MUTE: ("failed", "levelSilent"),
    }
    pages = {voice: open_doctor(voice) for voice in told}
    for page in pages.values():  # each listens for eight seconds
        page.click("#start")
    assert {voice: findings(page, "volume")["volume"] for voice, page in pages.items()} == told


def test_a_loudspeaker_in_the_microphone_is_an_echo(open_doctor):
    page = open_doctor(script="room.echo = 0.5;")
    assert examined(page, until="echo")["echo"] == ("warning", "echoHeard")


def test_without_a_microphone_the_rest_is_tried_all_the_same(open_doctor):
    page = open_doctor(script=NO_MICROPHONE)
    found = examined(page)
    assert found["microphone"] == ("failed", "microphoneDenied")
    assert found["volume"] == ("skipped", "levelNone")
    assert found["udp"][1] in ("udpGood", "udpPoor")
    expect(page.locator("#summary")).to_have_text("One thing keeps calls from working well.")
    expect(page.locator(".finding[data-what=microphone] .fix")).to_contain_text("Allow")


def test_a_server_that_is_gone_ends_the_journey_there(open_doctor, server):
    page = open_doctor(script=NO_MICROPHONE)
    page.route("**/v1/avatar/config", lambda route: route.abort())
    found = examined(page, until="udp")
    assert found["server"] == ("failed", "serverNone")
    assert found["udp"] == ("skipped", "noServer")


def test_where_a_key_is_wanted_no_call_is_tried(open_doctor, server):
    locked = {"key_required": True, "admitted": False}
    page = open_doctor(script=NO_MICROPHONE)
    page.route(
        "**/v1/avatar/config", lambda route: route.fulfill(json={**server.config, "access": locked})
    )
    found = examined(page, until="udp")
    assert found["server"] == ("warning", "serverLocked")
    assert found["udp"] == ("skipped", "noServer")


def test_a_server_that_goes_meanwhile_is_told_and_the_rest_is_tried(open_doctor, server):
    page = open_doctor(script=NO_MICROPHONE)
    page.route("**/v1/avatar/diagnosis/calls", lambda route: route.abort())
    found = examined(page, until="codecs")
    assert found["udp"] == ("failed", "brokeOff")
    assert found["codecs"] == ("good", "codecsOffered")
    expect(page.locator(".finding[data-what=udp] .fix")).to_contain_text("Check again")


def test_blocked_packets_are_told_from_a_relay_that_is_not_there(browser):
    nowhere = [
        {"urls": ["turn:127.0.0.1:9?transport=tcp"], "username": "u", "credential": "c"},
    ]
    with DoctorServer(SETTINGS, nowhere) as unreachable:
        context = browser.new_context(permissions=["microphone"], locale="en-GB")
        context.add_init_script(NO_MICROPHONE + NO_CANDIDATES)
        page = context.new_page()
        page.goto(unreachable.url)
        found = examined(page, until="codecs")
        context.close()
    assert found["udp"] == ("failed", "udpFailed")
    assert found["relayTcp"] == ("failed", "relayNone")
    assert found["codecs"] == ("good", "codecsOffered")


def test_it_speaks_spanish_and_remembers_it(open_doctor):
    page = open_doctor(locale="es-ES")
    expect(page.locator("h1")).to_have_text("Prueba de conexión")
    page.get_by_label("English").check()
    expect(page.locator("h1")).to_have_text("Connection check")
    page.reload()
    expect(page.locator("h1")).to_have_text("Connection check")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_keyboard_alone_runs_it(open_doctor):
    page = open_doctor(script=NO_MICROPHONE)
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#copy")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "start"


def test_axe_finds_nothing_and_nothing_is_cut_off(open_doctor):
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    looks = {"dark": 320, "light": 1280}
    pages = [
        open_doctor(IS_MUTE, color_scheme=scheme, viewport={"width": width, "height": 640})
        for scheme, width in looks.items()
    ]
    for page in pages:
        page.evaluate(axe)
        assert violations(page) == []
    for page in pages:  # both examinations take their time at once
        page.click("#start")
        expect(page.locator("#ask")).to_be_visible()
        assert violations(page) == []
    for page in pages:
        expect(page.locator("#copy")).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def violations(page: Page) -> list[str]:
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = json.dumps({"runOnly": tags})
    found = page.evaluate(f"axe.run(document, {rules}).then((result) => result.violations)")
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
