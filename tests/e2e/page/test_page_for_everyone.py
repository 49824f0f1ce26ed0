"""Small screens, large screens, and people who can't see or point."""

import json
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.kit import (
    DESKTOP,
    PHONE,
    SILENT_MICROPHONE,
    call,
)

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("size", [PHONE, {"width": 740, "height": 360}, DESKTOP])
def test_everything_needed_fits_the_screen(open_page, server, size):
    page = open_page(size=size)
    expect(page.get_by_role("button", name="Call Elena")).to_be_in_viewport(ratio=1)
    expect(page.locator("#disclosure")).to_be_in_viewport(ratio=1)
    call(page)
    server.call.say("A sentence that is long enough to need more lines than one. " * 9)
    expect(page.locator("#caption")).to_be_visible()
    for part in ("#mute", "#captions", "#settings-open", "#hang-up", "#words", "#status", "#badge"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    mouth = "face.getBoundingClientRect().top + 0.6 * face.clientHeight"
    assert page.evaluate(f"caption.getBoundingClientRect().top > {mouth}")


@pytest.mark.parametrize(
    ("size", "trouble"),
    [
        (PHONE, {"microphone": False}),
        ({"width": 320, "height": 568}, {"script": SILENT_MICROPHONE}),
    ],
)
def test_on_a_small_phone_a_notice_leaves_room_for_face_and_text_field(open_page, size, trouble):
    page = open_page(size=size, **trouble)
    call(page)
    expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
    expect(page.locator("#composer")).to_be_in_viewport(ratio=1)
    composer_ends_above_the_controls = """
    composer.getBoundingClientRect().bottom <= controls.getBoundingClientRect().top
    """
    assert page.evaluate(composer_ends_above_the_controls)
    assert page.evaluate("face.clientHeight") >= 140


def test_the_poster_that_is_loaded_ahead_is_the_one_shown(open_page):
    page = open_page()
    expect(page.locator("#disclosure")).not_to_be_empty()
    asked = "performance.getEntriesByType('resource').map(({name}) => name)"
    posters = {url for url in page.evaluate(asked) if "poster.webp" in url}
    assert posters == {f"{page.url}poster.webp"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_axe_finds_nothing_against_wcag_aa(open_page, server, size, dark):
    page = open_page(size=size, dark=dark)
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    page.evaluate(axe)
    assert violations(page) == []
    server.mode = "full"
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice")).to_be_visible()
    assert violations(page) == []
    server.mode = "open"
    call(page)
    server.call.hear("And a question", "q1", final=False)
    server.call.hear("First.", "q2")
    server.call.say("An answer.")
    server.call.send("conversation.item.truncated", item_id="answer", avatar_heard="An")
    expect(page.locator("#lines > li.cut")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Settings").click()
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = json.dumps({"runOnly": tags})
    found = page.evaluate(f"axe.run(document, {rules}).then((result) => result.violations)")
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
