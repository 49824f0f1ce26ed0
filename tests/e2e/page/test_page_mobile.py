"""Phones and tablets, both ways up; zoom; a keyboard in the way; what iOS wants."""

import json
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import DESKTOP, call, eventually

pytestmark = pytest.mark.e2e

SMALLEST = {"width": 320, "height": 568}
SIZES = [
    SMALLEST,
    {"width": 568, "height": 320},
    {"width": 390, "height": 844},
    {"width": 844, "height": 390},
    {"width": 768, "height": 1024},
]
IN_CALL = ("#mute", "#captions", "#settings-open", "#hang-up", "#words", "#languages", "#status")
# What a finger can hit of every control, within which 44 x 44 px must answer.
TOO_SMALL = """() => {
  const controls = [...document.querySelectorAll("button, a, select, input:not([type=range])")];
  const small = [];
  for (const control of controls) {
    if (!control.checkVisibility() || control.closest(".visually-hidden")) continue;
    const {left, top, width, height} = control.getBoundingClientRect();
    const label = control.closest("label");
    for (const [dx, dy] of [[-21, 0], [21, 0], [0, -21], [0, 21]]) {
      const hit = document.elementFromPoint(left + width / 2 + dx, top + height / 2 + dy);
      const counts = hit && (control.contains(hit) || label?.contains(hit));
      if (!counts) small.push(control.id || control.value || control.className);
    }
  }
  return [...new Set(small)];
}"""
# Like Safari on a phone: what has been asked of it is kept.
IPHONE = """
globalThis.asked = {loads: [], sessions: [], locks: 0, releases: 0};
const load = HTMLMediaElement.prototype.load;
HTMLMediaElement.prototype.load = function () {
  asked.loads.push(navigator.userActivation.isActive);
  return load.call(this);
};
Object.defineProperty(navigator, "audioSession", {value: {
  set type(type) { asked.sessions.push(type); }, get type() { return asked.sessions.at(-1); }}});
Object.defineProperty(navigator, "wakeLock", {value: {request: async () => {
  asked.locks += 1;
  return {release: async () => { asked.releases += 1; }};
}}});
"""


def overflow(page) -> int:
    return page.evaluate("""Math.max(document.documentElement.scrollWidth - innerWidth,
      ...[...document.querySelectorAll("header *, .controls *")].filter((e) => e.checkVisibility()
        && !e.closest(".visually-hidden, .control-text"))
        .map((e) => Math.ceil(e.getBoundingClientRect().right - innerWidth)))""")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}x{size['height']}")
def test_a_call_fits_the_screen_and_the_finger(open_page, server, size):
    page = open_page(size=size)
    expect(page.get_by_role("button", name="Call Elena")).to_be_in_viewport(ratio=1)
    expect(page.locator("#languages label").first).to_be_visible()
    assert page.evaluate(TOO_SMALL) == []
    call(page)
    server.call.say("A sentence that is long enough to need more lines than one. " * 4)
    expect(page.locator("#caption")).to_be_visible()
    for part in IN_CALL:
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert overflow(page) <= 0
    assert page.evaluate(TOO_SMALL) == []
    page.click("#settings-open")
    for control in ("#microphones", "#picture"):
        page.locator(control).scroll_into_view_if_needed()
        expect(page.locator(control)).to_be_in_viewport(ratio=1)


def test_above_the_keyboard_there_is_room_for_words_and_field(open_page):
    page = open_page(size=SMALLEST)
    call(page)
    # The keyboard of iOS: the page keeps its size, the part of it that is seen shrinks.
    page.evaluate("""() => {
      Object.defineProperty(visualViewport, "height", {value: 308});
      visualViewport.dispatchEvent(new Event("resize"));
    }""")
    eventually(page, lambda: page.evaluate("document.body.clientHeight") == 308)
    assert page.evaluate("composer.getBoundingClientRect().bottom <= 308")
    assert page.evaluate("log.clientHeight") >= 24


def test_fields_are_large_enough_that_safari_does_not_zoom_in(open_page):
    page = open_page(size=SMALLEST)
    call(page)
    page.click("#settings-open")
    sizes = page.evaluate("""[...document.querySelectorAll("input[type=text], select")].map(
      (field) => parseFloat(getComputedStyle(field).fontSize))""")
    assert min(sizes) >= 16


def test_a_call_asks_of_an_iphone_what_it_needs_and_gives_it_back(open_page):
    page = open_page(script=IPHONE)
    call(page)
    assert page.evaluate("asked.loads")[0] is True  # within the press
    assert page.evaluate("asked.sessions") == ["play-and-record"]
    assert page.evaluate("document.querySelector('presencia-call').video.playsInline")
    eventually(page, lambda: page.evaluate("asked.locks") == 1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(page, lambda: page.evaluate("asked.locks") == 2)
    page.click("#hang-up")
    eventually(page, lambda: page.evaluate("asked.sessions.at(-1)") == "auto")
    eventually(page, lambda: page.evaluate("asked.releases") >= 1)


def test_after_a_phone_call_the_face_plays_on(open_page):
    page = open_page()
    call(page)
    page.evaluate("document.querySelector('presencia-call').video.pause()")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(
        page, lambda: not page.evaluate("document.querySelector('presencia-call').video.paused")
    )


def test_keyboard_alone_holds_a_whole_call(open_page, server):
    page = open_page(size=DESKTOP)
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
    press(page, "call")
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    press(page, "mute")
    expect(page.locator("#mute.muted")).to_be_visible()
    press(page, "settings-open")
    expect(page.locator("#settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#settings")).to_be_hidden()
    reach(page, "words")
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    eventually(page, lambda: bool(server.call.received("conversation.item.create")))
    press(page, "hang-up")
    expect(page.locator("body[data-phase=idle]")).to_be_attached()


def reach(page, element_id: str) -> None:
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == element_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"#{element_id} can't be reached by the Tab key")


def press(page, element_id: str) -> None:
    reach(page, element_id)
    page.keyboard.press("Enter")


def test_at_twice_the_zoom_nothing_is_lost_and_axe_finds_nothing(open_page, server):
    # 200 % of a 1280 x 720 window leaves so many CSS pixels.
    page = open_page(size={"width": 640, "height": 360})
    call(page)
    server.call.say("An answer.")
    for part in IN_CALL:
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert overflow(page) <= 0
    assert violations(page) == []


def test_with_colours_forced_and_motion_reduced_axe_finds_nothing(open_page, server):
    page = open_page()
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    call(page)
    server.call.say("An answer.")
    expect(page.locator("#caption")).to_be_visible()
    assert violations(page) == []
    moving = page.evaluate("""document.getAnimations().map(({effect}) =>
      effect.getComputedTiming()).filter(({duration, iterations}) =>
      duration > 10 && iterations > 1).length""")
    assert moving == 0
    page.click("#settings-open")
    assert violations(page) == []


def test_the_settings_lead_to_the_doctor_and_the_call_goes_on(open_page):
    page = open_page(size=SMALLEST)
    call(page)
    expect(page.locator("#notice-doctor")).to_be_hidden()
    page.click("#settings-open")
    link = page.locator("#settings .doctor")
    link.scroll_into_view_if_needed()
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.locator("#start")).to_be_visible()
    assert page.evaluate("document.body.dataset.phase") == "connected"


def violations(page) -> list[str]:
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    rules = json.dumps({"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    found = page.evaluate(f"axe.run(document, {rules}).then((result) => result.violations)")
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
