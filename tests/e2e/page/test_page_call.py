"""The call page before and during a call."""

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import (
    asked,
    call,
    eventually,
    lines,
)
from tests.e2e.page.stand_in import CONFIG

pytestmark = pytest.mark.e2e


def test_the_page_says_that_this_is_an_ai_before_and_during_the_call(open_page):
    page = open_page()
    expect(page.locator("#disclosure")).to_have_text(CONFIG["disclosure"])
    expect(page.get_by_role("heading", name="Talk to Elena")).to_be_visible()
    expect(page.locator("#badge")).to_have_text("AI")
    call(page)
    expect(page.locator("#badge")).to_be_visible()
    expect(page.locator("#ai-line")).to_have_text(CONFIG["disclosure"])


def test_a_call_shows_the_face_and_sends_the_voice(open_page, server):
    page = open_page()
    call(page)
    expect(page.locator("#status")).to_have_text("Listening")
    assert page.evaluate("video.videoWidth") == 512
    assert page.evaluate("video.srcObject.getTracks().length") == 2
    assert server.call.language == "en"
    eventually(page, lambda: server.call.loudest > 1000)
    eventually(page, lambda: len(server.call.received("avatar.ping")) >= 2)


def test_the_face_waits_for_the_voice_by_what_the_browser_plays(open_page):
    page = open_page()
    call(page)
    targets = "held.connections[0].getReceivers().map(r => r.jitterBufferTarget)"
    voice_ms, face_ms = page.evaluate(targets)
    assert voice_ms >= 100
    assert face_ms != voice_ms  # a loudspeaker takes its time too
    page.evaluate(
        """() => {
          const [pc] = held.connections;
          const real = pc.getStats.bind(pc);
          pc.getStats = async () => new Map([...await real()].map(([id, entry]) => [id, {
            ...entry, estimatedPlayoutTimestamp: entry.kind === "audio" ? 9_000 : 9_200}]));
        }"""
    )
    eventually(page, lambda: page.evaluate(targets)[1] >= face_ms + 150)
    page.click("#hang-up")
    expect(page.locator("body[data-phase=idle]")).to_be_attached()


def test_the_state_is_told_in_words(open_page, server):
    page = open_page()
    call(page)
    for state, word in [
        ("thinking", "Thinking"),
        ("speaking", "Speaking"),
        ("listening", "Listening"),
    ]:
        server.call.send("avatar.state", state=state)
        expect(page.locator("#status")).to_have_text(word)
        assert page.evaluate("presencia.state") == state


# ---- Words ----


def test_malformed_events_do_not_break_the_page(open_page, server):
    page = open_page()
    call(page)
    for message in ("", "{", "null", "[]", '"text"', "{}", '{"type": 5}', b"\x00\xff"):
        server.call.send_raw(message)
    for type_ in (
        "avatar.state",
        "avatar.input_transcript.interim",
        "conversation.item.added",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.completed",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "response.done",
        "error",
        "something.new",
    ):
        server.call.send(type_)
        fields = {key: [1] for key in ("item", "item_id", "text", "delta", "error")}
        server.call.send(type_, state="dancing", **fields)
    server.call.hear("<b>Still</b> here.", "q1")
    expect(page.locator("#lines > li.person .words")).to_have_text("<b>Still</b> here.")
    expect(page.locator("#status")).to_have_text("Listening")


# ---- What the person does ----


def loudest_of(page, server, frames):
    """The highest sample of so many more frames of sound."""
    server.call.loudest, end = 0, server.call.heard + frames
    eventually(page, lambda: server.call.heard >= end)
    return server.call.loudest


def test_the_avatar_is_asked_to_greet_once_the_call_stands(open_page, server):
    page = open_page()
    call(page)
    eventually(page, lambda: len(server.call.received("response.create")) == 1)


def test_typed_words_are_sent_and_answered(open_page, server):
    page = open_page()
    call(page)
    field = page.get_by_role("textbox", name="Type a message to Elena")
    field.fill("  Where are you?  ")
    field.press("Enter")
    eventually(page, lambda: len(asked(server)) == 2)
    assert asked(server) == ["conversation.item.create", "response.create"]
    item = server.call.received("conversation.item.create")[0]["item"]
    assert item["content"] == [{"type": "input_text", "text": "Where are you?"}]
    expect(field).to_have_value("")
    server.call.send("conversation.item.added", item={**item, "id": "typed"})
    expect(page.locator("#lines > li.person .words")).to_have_text("Where are you?")


def test_the_answer_can_be_stopped_without_speaking(open_page, server):
    page = open_page()
    call(page)
    server.call.say("A long story.")
    page.get_by_role("button", name="Stop the answer").click()
    eventually(page, lambda: len(server.call.received("response.cancel")) == 1)


def test_an_answer_that_ended_just_as_it_was_stopped_is_no_error_to_the_person(open_page, server):
    page = open_page()
    call(page)
    for code in ("response_cancel_not_active", "server_error"):
        server.call.send("error", error={"code": code, "message": f"It was {code}."})
    expect(page.locator("#lines")).to_contain_text("It was server_error.")
    expect(page.locator("#lines")).not_to_contain_text("not_active")


def test_muting_sends_silence_until_unmuted(open_page, server):
    page = open_page()
    call(page)
    eventually(page, lambda: server.call.loudest > 1000)
    page.get_by_role("button", name="Mute", exact=True).click()
    eventually(page, lambda: loudest_of(page, server, frames=25) < 100)
    assert loudest_of(page, server, frames=100) < 100
    page.get_by_role("button", name="Unmute").click()
    eventually(page, lambda: server.call.loudest > 1000)


def test_the_language_changes_the_page_and_the_call(open_page, server):
    page = open_page()
    call(page)
    page.get_by_text("Español").click()
    expect(page.get_by_role("button", name="Colgar")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Escuchando")
    expect(page.locator("#ai-line")).to_contain_text("es una IA")
    assert page.evaluate("document.documentElement.lang") == "es"
    eventually(page, lambda: bool(server.call.received("session.update")))
    session = server.call.received("session.update")[0]["session"]
    assert session == {
        "type": "realtime",
        "audio": {"input": {"transcription": {"language": "es"}}},
    }


def test_the_browsers_language_is_the_calls_language(open_page, server):
    page = open_page(locale="es-MX")
    call(page)
    assert server.call.language == "es"


def test_keys_work_and_are_not_taken_from_the_text_field(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "false")
    server.call.say("A long story.")
    expect(page.locator("#status")).to_have_text("Speaking")
    page.keyboard.press("Escape")
    eventually(page, lambda: len(server.call.received("response.cancel")) == 1)
    page.keyboard.press("/")
    page.keyboard.type("mc/")
    expect(page.locator("#words")).to_have_value("mc/")
    page.keyboard.press("Escape")  # no letter: whoever types wants the answer to stop as well
    eventually(page, lambda: len(server.call.received("response.cancel")) == 2)
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()


def test_shortcuts_can_be_switched_off(open_page):
    page = open_page()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("switch", name="Keyboard shortcuts").uncheck()
    page.keyboard.press("Escape")
    call(page)
    page.keyboard.press("m")
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()


def test_a_call_can_be_made_and_ended_with_the_keyboard_alone(open_page, server):
    page = open_page()
    expect(page.locator("#languages input")).to_have_count(2)
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Call Elena")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Hang up")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Call Elena")).to_be_focused()
    eventually(page, lambda: server.call.has_hung_up)


def test_another_microphone_can_be_chosen_during_the_call(open_page, server):
    page = open_page()
    call(page)
    page.get_by_role("button", name="Settings").click()
    other = page.locator("#microphones option").last.get_attribute("value")
    page.locator("#microphones").select_option(other)
    eventually(
        page, lambda: page.evaluate("held.tracks.map(t => t.readyState)") == ["ended", "live"]
    )
    sent = "held.connections[0].getSenders()[0].track === held.tracks[1]"
    eventually(page, lambda: page.evaluate(sent))
    server.call.loudest = 0
    eventually(page, lambda: server.call.loudest > 1000)


# ---- The end of a call ----


def test_hanging_up_frees_everything_and_tells_the_server(open_page, server):
    page = open_page()
    call(page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
    eventually(page, lambda: server.call.has_hung_up)
    assert page.evaluate("held.tracks.map(t => t.readyState)") == ["ended"]
    assert page.evaluate("held.connections.map(c => c.connectionState)") == ["closed"]
    assert page.evaluate("held.contexts.map(c => c.state)") == ["closed"]
    assert page.evaluate("video.srcObject") is None
    expect(page.locator("#notice")).to_be_hidden()


def test_hanging_up_while_the_microphone_is_still_asked_for_leaves_nothing_open(open_page, server):
    slow = """
    const slowly = navigator.mediaDevices.getUserMedia;
    navigator.mediaDevices.getUserMedia = async (wishes) => {
      await new Promise((resolve) => { globalThis.allow = resolve; });
      return slowly(wishes);
    };
    """
    page = open_page(script=slow)
    page.get_by_role("button", name="Call Elena").click()
    eventually(page, lambda: page.evaluate("typeof allow") == "function")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
    page.evaluate("allow()")
    eventually(page, lambda: page.evaluate("held.tracks.map(t => t.readyState)") == ["ended"])
    assert page.evaluate("held.contexts.map(c => c.state)") == []
    assert server.offers == 0


def test_leaving_the_page_hangs_up(open_page, server):
    page = open_page()
    call(page)
    page.goto("about:blank")
    eventually(page, lambda: server.call.has_hung_up)


def test_a_second_call_starts_with_an_empty_log(open_page, server):
    page = open_page()
    call(page)
    server.call.hear("First.", "q1")
    expect(page.locator("#lines > li")).to_have_count(1)
    page.get_by_role("button", name="Hang up").click()
    call(page)
    expect(page.locator("#lines > li")).to_have_count(0)
    assert len(server.calls) == 2


def test_a_lost_connection_is_dialled_again_with_the_same_microphone(open_page, server):
    page = open_page()
    call(page)
    server.call.hear("Before.", "q1")
    first = server.call
    server.mode = "full"
    first.cut_off()
    expect(page.locator("#notice[data-kind=lost]")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Reconnecting")
    eventually(page, lambda: server.offers >= 2)
    server.mode = "open"
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached()
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#lines > li.note")).to_contain_text("This is a new call")
    assert lines(page)[0] == "Before."
    eventually(page, lambda: first.has_hung_up)
    eventually(page, lambda: server.call.loudest > 1000)
    assert page.evaluate("held.tracks.length") == 1
