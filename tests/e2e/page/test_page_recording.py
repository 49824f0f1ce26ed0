"""Being recorded: the page asks before the call, shows it during it, and can end it."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import PHONE, call, eventually
from tests.e2e.page.stand_in import SESSION

pytestmark = pytest.mark.e2e


@pytest.fixture
def recording_server(server):
    server.config["recording"] = {"keep_days": 14}
    return server


def is_recorded(server, recorded):
    session = {"avatar": {**SESSION["avatar"], "recording": recorded}}
    server.call.send("session.updated", session=session)


def violations(page):
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
    return page.evaluate(f"axe.run({rules}).then((result) => result.violations.map((v) => v.id))")


def test_a_server_that_records_nothing_does_not_ask(open_page, server):
    page = open_page()
    expect(page.locator("#call")).to_be_enabled()
    expect(page.locator("#consent")).to_be_hidden()
    call(page)
    expect(page.locator("#recorded")).to_be_hidden()
    assert "recording" not in server.session["avatar"]


def test_the_page_asks_before_the_call_and_takes_no_answer_for_no(open_page, recording_server):
    page = open_page()
    expect(page.locator("#consent")).to_contain_text("Record this call")
    expect(page.locator("#consent")).to_contain_text("14 days")
    expect(page.locator("#consent-given")).not_to_be_checked()
    call(page)
    assert "recording" not in recording_server.session["avatar"]
    expect(page.locator("#recorded")).to_be_hidden()


def test_a_recorded_call_says_so_for_as_long_as_it_is(open_page, recording_server):
    page = open_page()
    page.locator("#consent-given").check()
    call(page)
    assert recording_server.session["avatar"]["recording"] is True
    expect(page.locator("#recorded")).to_be_hidden()  # until the server says that it records
    is_recorded(recording_server, True)
    expect(page.get_by_role("button", name="Recording: stop and delete")).to_be_visible()
    expect(page.locator("#recording-status")).to_have_text("This call is being recorded.")
    assert violations(page) == []
    is_recorded(recording_server, False)
    expect(page.locator("#recorded")).to_be_hidden()
    expect(page.locator("#recording-status")).to_have_text("")


def test_the_person_can_end_it_during_the_call(open_page, recording_server):
    page = open_page()
    page.locator("#consent-given").check()
    call(page)
    is_recorded(recording_server, True)
    page.locator("#recorded").click()
    eventually(page, lambda: recording_server.call.received("session.update"))
    (update,) = recording_server.call.received("session.update")
    assert update["session"]["avatar"] == {"recording": False}
    is_recorded(recording_server, False)
    expect(page.locator("#recorded")).to_be_hidden()
    expect(page.locator("#recording-status")).to_have_text("The recording was stopped and deleted.")


def test_each_call_is_asked_for_anew(open_page, recording_server):
    page = open_page()
    page.locator("#consent-given").check()
    call(page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#consent")).to_be_visible()
    expect(page.locator("#consent-given")).not_to_be_checked()
    call(page)
    assert "recording" not in recording_server.session["avatar"]


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
@pytest.mark.parametrize(
    "size", [PHONE, {"width": 390, "height": 844}, {"width": 375, "height": 760}]
)
def test_a_phone_shows_all_that_is_agreed_to(open_page, recording_server, size, locale):
    page = open_page(size=size, locale=locale)
    expect(page.locator("#consent")).to_be_visible()
    places = "['call', 'consent-words'].map((id) => document.getElementById(id))"
    boxes = f"{places}.map((part) => part.getBoundingClientRect())"
    top, bottom = page.evaluate(f"(([button, words]) => [button.top, words.bottom])({boxes})")
    assert bottom <= top


def test_a_reconnection_asks_for_what_the_person_wants_now(open_page, recording_server):
    page = open_page()
    page.locator("#consent-given").check()
    call(page)
    is_recorded(recording_server, True)
    first = recording_server.call
    page.locator("#recorded").click()
    eventually(page, lambda: first.received("session.update"))
    first.cut_off()
    eventually(page, lambda: recording_server.call is not first)
    assert "recording" not in recording_server.session.get("avatar", {})


def test_a_phone_shows_the_mark_beside_everything_else(open_page, recording_server):
    page = open_page(size=PHONE, locale="es-ES")
    expect(page.locator("#consent")).to_contain_text("Grabar esta llamada")
    assert violations(page) == []
    page.locator("#consent-given").check()
    call(page)
    is_recorded(recording_server, True)
    expect(page.locator("#recorded")).to_have_text("Grabando")
    mark, status = page.locator("#recorded"), page.locator("#status")
    expect(mark).to_be_visible()
    assert mark.bounding_box()["y"] >= status.bounding_box()["y"] + status.bounding_box()["height"]


def test_whoever_is_watched_is_told_and_may_refuse(open_page, server):
    page = open_page()
    call(page)
    mark = page.locator("#watched")
    expect(mark).to_be_hidden()
    server.call.send("avatar.watched", watchers=2)
    expect(mark).to_have_text("Watched by 2")
    expect(page.locator("#recording-status")).to_have_text("Watched by 2")
    page.get_by_role("button", name="Watched by 2: let nobody watch").click()
    eventually(page, lambda: bool(server.call.received("avatar.watching.forbid")))
    server.call.send("avatar.watched", watchers=0)
    expect(mark).to_be_hidden()


def test_what_is_taken_back_while_the_call_is_lost_stays_so(open_page, recording_server):
    server = recording_server
    server.resumes = True
    page = open_page()
    page.locator("#consent-given").check()
    call(page)
    server.mode = "full"
    server.call.cut_off()
    eventually(page, lambda: server.offers > 1)
    page.wait_for_timeout(100)  # the page takes the refusal
    page.evaluate("document.querySelector('presencia-call').stopRecording()")
    server.mode = "open"
    eventually(page, lambda: len(server.calls) == 2)
    assert server.session["avatar"]["recording"] is False
