"""The words of a conversation: what of them is in sight, and what became of an answer."""

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import DESKTOP, PHONE, call, eventually, lines

pytestmark = pytest.mark.e2e

# Within a line's height: a reader of the newest words sees their end.
AT_ITS_END = "log.scrollHeight - log.scrollTop - log.clientHeight < 20"


def talk(server, turns=8):
    for turn in range(turns):
        server.call.hear(f"And question {turn}, which takes a line or two?", f"q{turn}")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_newest_words_stay_in_sight_whatever_takes_of_their_room(open_page, server, size):
    page = open_page(size=size)
    call(page)
    talk(server)
    expect(page.locator("#lines > li")).to_have_count(8)
    page.set_viewport_size({**size, "height": size["height"] - 100})
    eventually(page, lambda: page.evaluate(AT_ITS_END))
    page.keyboard.press("l")
    expect(page.locator("#latency")).to_be_visible()
    server.call.hear("The last one.", "last")
    expect(page.locator("#lines > li")).to_have_count(9)
    page.keyboard.press("l")
    eventually(page, lambda: page.evaluate(AT_ITS_END))


def test_who_scrolled_up_is_not_pulled_down(open_page, server):
    page = open_page(size=PHONE)
    call(page)
    talk(server)
    expect(page.locator("#lines > li")).to_have_count(8)
    page.evaluate("new Promise((done) => { log.onscrollend = done; log.scrollTop = 0; })")
    server.call.hear("The last one.", "last")
    expect(page.locator("#lines > li")).to_have_count(9)
    page.set_viewport_size({**PHONE, "height": PHONE["height"] - 60})
    page.wait_for_timeout(200)
    assert page.evaluate("log.scrollTop") < 20


def test_after_a_reload_the_newest_words_are_in_sight(open_page, server):
    server.resumes = True
    page = open_page(size=PHONE)
    call(page)
    talk(server)
    expect(page.locator("#lines > li")).to_have_count(8)
    page.reload()
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    expect(page.locator("#lines > li")).to_have_count(8)
    eventually(page, lambda: page.evaluate(AT_ITS_END))
    assert page.evaluate("log.scrollTop") > 0


@pytest.mark.parametrize("reloads", [False, True])
def test_an_answer_that_the_connection_broke_off_is_marked(open_page, server, reloads):
    server.resumes = True
    page = open_page()
    call(page)
    server.call.say("A bear and a bee")
    expect(page.locator("#lines > li")).to_have_count(1)
    first = server.call
    if reloads:
        page.reload()
    else:
        first.cut_off()
    expect(page.locator("#lines > li.cut .tag")).to_have_text("interrupted")
    assert lines(page) == ["A bear and a bee"]
