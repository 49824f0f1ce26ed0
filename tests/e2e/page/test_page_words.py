"""The words of a call on the page: as they are said, as they are heard, as they are cut."""

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import (
    call,
    lines,
)

pytestmark = pytest.mark.e2e


def test_words_appear_while_they_are_spoken_and_the_final_ones_replace_them(open_page, server):
    page = open_page()
    call(page)
    server.call.hear("what time", "q1", final=False)
    expect(page.locator("#lines > li.interim")).to_contain_text("what time")
    expect(page.locator("#caption")).to_contain_text("what time")
    assert page.locator("#announcer").inner_text() == ""
    server.call.hear("What time is it?", "q1")
    expect(page.locator("#caption")).to_contain_text("What time is it?")
    assert lines(page) == ["What time is it?"]
    assert page.locator("#announcer").inner_text() == "You: What time is it?"


def test_screen_readers_are_told_the_words_with_captions_switched_off_as_well(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("c")
    expect(page.locator("#captions")).to_have_attribute("aria-pressed", "false")
    server.call.hear("What time is it?", "q1")
    expect(page.locator("#announcer")).to_have_text("You: What time is it?")
    assert page.locator("#caption").is_hidden()


def test_a_late_interim_does_not_undo_the_final_words(open_page, server):
    page = open_page()
    call(page)
    server.call.hear("Good morning.", "q1")
    server.call.hear("good mor", "q1", final=False)
    server.call.hear("Next.", "q2")
    expect(page.locator("#lines > li")).to_have_count(2)
    assert lines(page) == ["Good morning.", "Next."]


def test_the_words_of_an_utterance_that_came_to_nothing_go(open_page, server):
    page = open_page()
    call(page)
    server.call.send("input_audio_buffer.speech_started", item_id="cough", audio_start_ms=0)
    server.call.hear("uh", "cough", final=False)
    expect(page.locator("#lines > li")).to_have_count(1)
    server.call.send("input_audio_buffer.speech_started", item_id="q1", audio_start_ms=0)
    server.call.hear("Hello.", "q1")
    expect(page.locator("#lines > li .words")).to_have_text(["Hello."])


def test_the_answer_is_written_as_it_is_heard(open_page, server):
    page = open_page()
    call(page)
    server.call.say("Good morning.", " How can I help?")
    expect(page.locator("#caption")).to_have_text("Good morning. How can I help?")
    assert lines(page) == ["Good morning. How can I help?"]
    assert page.locator("#announcer").inner_text() == ""
    done = "response.output_audio_transcript.done"
    server.call.send(done, item_id="answer", transcript="Good morning. How can I help?")
    expect(page.locator("#announcer")).to_have_text("Elena: Good morning. How can I help?")


def test_an_interrupted_answer_keeps_only_what_was_heard(open_page, server):
    page = open_page()
    call(page)
    server.call.say("One two three. ", "Four five six.")
    cut = {"content_index": 0, "audio_end_ms": 700, "avatar_heard": "One two three. Four"}
    server.call.send("conversation.item.truncated", item_id="answer", **cut)
    done = "response.output_audio_transcript.done"
    server.call.send(done, item_id="answer", transcript="One two three. Four five six.")
    server.call.send("response.done", response={"status": "cancelled"})
    expect(page.locator("#lines > li.cut .tag")).to_have_text("interrupted")
    assert lines(page) == ["One two three. Four"]


def test_an_answer_cut_before_its_first_word_leaves_no_line(open_page, server):
    page = open_page()
    call(page)
    server.call.say("Well,")
    server.call.send("conversation.item.truncated", item_id="answer", avatar_heard="")
    expect(page.locator("#lines > li")).to_have_count(0)


def test_an_error_of_the_server_is_shown_in_its_words(open_page, server):
    page = open_page()
    call(page)
    error = {
        "type": "server_error",
        "code": "stage",
        "message": "The voice failed. Please ask again.",
    }
    server.call.send("error", error=error)
    expect(page.locator("#lines > li.note")).to_have_text("The voice failed. Please ask again.")


def test_captions_can_be_switched_off_and_the_log_stays(open_page, server):
    page = open_page()
    call(page)
    page.get_by_role("button", name="Captions").click()
    server.call.say("Quietly.")
    expect(page.locator("#lines > li .words")).to_have_text("Quietly.")
    expect(page.locator("#caption")).to_be_hidden()
