"""A conversation that goes on: after a lost connection, and after the page is loaded again."""

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import asked, call, eventually, lines

pytestmark = pytest.mark.e2e

STORED = "JSON.stringify([Object.values(sessionStorage), Object.values(localStorage)])"


def talk_before(server):
    server.call.hear("Where are you?", "q1")
    server.call.say("Right here.")
    done = "response.output_audio_transcript.done"
    server.call.send(done, item_id="answer", transcript="Right here.")


def went_on(server, first):
    """The call that goes on with the first one, once it is there; nobody is greeted in it."""
    return len(server.calls) > 1 and server.call is not first and server.call.events


def test_after_a_lost_connection_the_same_conversation_goes_on(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    expect(page.locator("#lines > li")).to_have_count(2)
    first = server.call
    first.cut_off()
    eventually(page, lambda: went_on(server, first))
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached()
    assert server.session["avatar"] == {"shows_watchers": True, "resume_token": "token of call 1"}
    server.call.hear("And now?", "q2")
    expect(page.locator("#lines > li")).to_have_count(3)
    assert lines(page) == ["Where are you?", "Right here.", "And now?"]
    assert not server.call.received("response.create")
    assert not first.has_hung_up


def test_an_answer_that_the_connection_broke_off_is_gone_on_with(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    server.call.hear("Tell me a story.", "q1")
    server.call.say("Once upon a time there was a farmer. He had a dog and")
    expect(page.locator("#lines > li")).to_have_count(2)
    first = server.call
    first.cut_off()
    eventually(page, lambda: went_on(server, first) and server.call.received("response.create"))
    (asked_for,) = server.call.received("conversation.item.create")
    item = asked_for["item"]
    assert "about “was a farmer. He had a dog and”" in item["content"][0]["text"]
    server.call.send("conversation.item.added", item=item)  # nobody said it: it is not shown
    expect(page.locator("#lines > li.note")).to_contain_text("The connection broke off here")
    server.call.say("they went to the market.", item_id="rest")
    expect(page.locator("#lines > li")).to_have_count(4)
    assert lines(page)[-1] == "they went to the market."
    second = server.call
    server.call.send("response.output_audio_transcript.done", item_id="rest", transcript="")
    server.call.send("response.done", response={"id": "r", "status": "completed"})
    second.cut_off()
    eventually(page, lambda: went_on(server, second))
    page.wait_for_timeout(500)
    assert not server.call.received("response.create"), "that one was heard to its end"


def test_after_a_reload_the_same_conversation_goes_on(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    expect(page.locator("#lines > li")).to_have_count(2)
    first = server.call
    page.reload()
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached()
    eventually(page, lambda: went_on(server, first))
    assert server.session["avatar"]["resume_token"] == "token of call 1"
    assert lines(page) == ["Where are you?", "Right here."]
    assert not server.call.received("response.create")
    eventually(page, lambda: first.may_come_back)
    assert not first.has_hung_up
    page.reload()  # each connection has its own token
    eventually(page, lambda: len(server.calls) == 3)
    assert server.session["avatar"]["resume_token"] == "token of call 2"


def test_what_is_forgotten_begins_anew_and_says_so(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    server.tokens = set()
    server.call.cut_off()
    expect(page.locator("#lines > li.note")).to_contain_text("This is a new call")
    assert "resume_token" not in server.session["avatar"]
    assert lines(page)[:2] == ["Where are you?", "Right here."]


def test_hanging_up_leaves_nothing_to_go_on_with(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    eventually(page, lambda: "Right here." in page.evaluate(STORED))
    assert page.evaluate("JSON.stringify(Object.values(localStorage))").count("token") == 0
    page.get_by_role("button", name="Hang up").click()
    eventually(page, lambda: server.call.has_hung_up)
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
    assert len(server.calls) == 1


def lose_the_way(page, server):
    """Lose the call; tries are answered from now on, and come to nothing."""
    page.evaluate(
        "const later = window.setTimeout;"  # the page's own limit is 15 s
        "window.setTimeout = (f, ms) => later(f, ms === 15000 && window.isHurried ? 300 : ms);"
        "window.isHurried = true;"
    )
    server.connects = False
    server.call.cut_off()


def test_a_try_that_ends_after_its_answer_leaves_the_conversation(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    expect(page.locator("#lines > li")).to_have_count(2)
    lose_the_way(page, server)
    eventually(page, lambda: any(one.may_come_back or one.has_hung_up for one in server.calls[1:]))
    assert not any(one.has_hung_up for one in server.calls)
    page.evaluate("window.isHurried = false")
    server.connects = True
    eventually(page, lambda: server.call.events)
    assert server.session["avatar"]["resume_token"] == "token of call 1"
    assert lines(page) == ["Where are you?", "Right here."]


def test_a_reload_while_a_try_is_under_way_leaves_the_conversation(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    expect(page.locator("#lines > li")).to_have_count(2)
    server.connects = False
    server.call.cut_off()
    eventually(page, lambda: len(server.calls) == 2)
    tried = server.call
    page.wait_for_timeout(100)  # the page takes the answer
    server.connects = True
    page.reload()
    eventually(page, lambda: server.call is not tried and server.call.events)
    assert lines(page) == ["Where are you?", "Right here."]
    assert not any(one.has_hung_up for one in server.calls)


def test_hanging_up_between_two_tries_leaves_nothing_to_go_on_with(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    talk_before(server)
    server.mode = "full"
    server.call.cut_off()
    expect(page.locator("body[data-phase=reconnecting]")).to_be_attached()
    eventually(page, lambda: server.offers > 1)
    page.get_by_role("button", name="Hang up").click()
    eventually(page, lambda: server.call.has_hung_up)
    assert page.evaluate("sessionStorage.length") == 0


def test_a_call_of_hours_ago_is_not_begun_again_unasked(open_page, server):
    server.resumes = True
    page = open_page()
    call(page)
    eventually(page, lambda: page.evaluate("sessionStorage.length") == 1)
    page.add_init_script(
        "const epoch = Date.now; Date.now = () => epoch() + 3 * 3600 * 1000;"  # after the reload
    )
    page.reload()
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
    assert len(server.calls) == 1


# ---- In line for a place ----


def test_place_and_wait_are_shown_until_the_call_begins_by_itself(open_page, server):
    server.mode, server.place = "queueing", 3
    page = open_page()
    page.get_by_role("button", name="Call Elena").click()
    notice = page.locator("#notice[data-kind=queued]")
    expect(notice).to_contain_text("You are number 3 in line")
    expect(notice).to_contain_text("in about 2 minutes")
    expect(page.locator("#status")).to_have_text("In line")
    assert page.evaluate("held.tracks.filter(t => t.readyState === 'live').length") == 0
    server.place, server.wait_s = 1, 20
    expect(notice).to_contain_text("You are number 1 in line")
    expect(notice).to_contain_text("in less than a minute")
    page.get_by_text("Español").click()
    expect(notice).to_contain_text("Eres el número 1 de la cola")
    server.place = 0
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    expect(page.locator("#notice")).to_be_hidden()
    assert server.session["avatar"]["ticket"] == "ticket1"
    eventually(page, lambda: server.call.received("response.create"))
    assert asked(server) == []


def test_the_line_can_be_left(open_page, server):
    server.mode, server.place = "queueing", 3
    page = open_page()
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=queued]")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Call Elena")).to_be_focused()
    eventually(page, lambda: server.waiting == 0)
    assert server.calls == []
