"""The call page in headless Chromium, against the stand-in server of `page_fixture`."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import aioice.ice
import axe_playwright_python
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from avatar.protocol.poses import pack, pack_body
from render.types import ARKIT, FacePose
from tests.e2e.page_fixture.stand_in import CONFIG, RETRY_AFTER_S, StandIn

pytestmark = pytest.mark.e2e

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
]
# What a call must let go of is remembered here, for a test to look at.
REMEMBER = """
globalThis.held = {connections: [], tracks: [], contexts: []};
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) { super(...args); held.connections.push(this); }
};
globalThis.AudioContext = class extends AudioContext {
  constructor(...args) { super(...args); held.contexts.push(this); }
};
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) navigator.mediaDevices.getUserMedia = async (wishes) => {
  const stream = await open(wishes);
  held.tracks.push(...stream.getTracks());
  return stream;
};
"""
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
document.addEventListener("click", ({target}) => {
  if (target.closest("#hear")) navigator.userActivation.tapped = true;
}, true);
"""
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 640}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=CHROMIUM_ARGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def open_page(browser: Browser, server: StandIn) -> Iterator[OpenPage]:
    """Opens the page; at the end it must have had no error and asked nothing of other servers."""
    faults: list[str] = []
    contexts = []

    def open_(
        *,
        microphone: bool = True,
        size: dict[str, int] = DESKTOP,
        dark: bool = False,
        locale: str = "en-GB",
        script: str = "",
        url: str = "",
    ) -> Page:
        context = browser.new_context(
            viewport=size,
            permissions=["microphone"] if microphone else [],
            color_scheme="dark" if dark else "light",
            locale=locale,
        )
        contexts.append(context)
        context.add_init_script(REMEMBER + script)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda sent: is_local(sent.url) or faults.append(sent.url))
        page.goto(url or server.url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "http://insecure.test:"))


def call(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(Call|Llamar)")).click()
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached()


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Poll from here: the page's own policy forbids Playwright's wait_for_function."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("did not come within 10 s")


def lines(page: Page) -> list[str]:
    return [" ".join(row.split()) for row in page.locator("#lines > li .words").all_inner_texts()]


# ---- Before and during a call ----


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


def test_both_receivers_have_the_same_jitter_buffer_target(open_page):
    page = open_page()
    call(page)
    targets = "held.connections[0].getReceivers().map(r => r.jitterBufferTarget)"
    assert page.evaluate(targets) == [100, 100]


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


def asked(server: StandIn) -> list[object]:
    """What the page asked for after the greeting."""
    by_itself = ("avatar.ping", "avatar.face.update")
    types = [event["type"] for event in server.call.events if event["type"] not in by_itself]
    assert types[0] == "response.create"
    return types[1:]


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


def test_muting_sends_silence_until_unmuted(open_page, server):
    page = open_page()
    call(page)
    eventually(page, lambda: server.call.loudest > 1000)
    page.get_by_role("button", name="Mute", exact=True).click()
    page.wait_for_timeout(500)
    server.call.loudest = 0
    page.wait_for_timeout(2500)
    assert server.call.loudest < 100
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
      await new Promise((resolve) => setTimeout(resolve, 800));
      return slowly(wishes);
    };
    """
    page = open_page(script=slow)
    page.get_by_role("button", name="Call Elena").click()
    page.get_by_role("button", name="Hang up").click()
    eventually(page, lambda: page.evaluate("held.tracks.map(t => t.readyState)") == ["ended"])
    expect(page.get_by_role("button", name="Call Elena")).to_be_visible()
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
    expect(page.locator("body[data-phase=connected][data-picture=live]")).to_be_attached(
        timeout=15_000
    )
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#lines > li.note")).to_contain_text("This is a new call")
    assert lines(page)[0] == "Before."
    eventually(page, lambda: first.has_hung_up)
    eventually(page, lambda: server.call.loudest > 1000)
    assert page.evaluate("held.tracks.length") == 1


# ---- The picture ----

FACE_VIEW = """
globalThis.posed = {folder: "", jaws: [], closed: 0};
export class FaceView {
  static async attach(canvas, url) {
    posed.folder = url;
    return new FaceView(canvas);
  }
  constructor(canvas) { this.paper = canvas.getContext("2d"); }
  show(pose) {
    this.paper.fillStyle = "teal";
    this.paper.fillRect(0, 0, 300, 150);
    posed.jaws.push(pose.weights[24]);
  }
  close() { posed.closed += 1; }
}
"""


def pose_message(sequence: int, timestamp: int, jaw: float = 0.0) -> bytes:
    weights = np.zeros(len(ARKIT), np.float32)
    weights[ARKIT.index("jawOpen")] = jaw
    pose = FacePose(weights, np.array([0.1, 0, -0.2]), np.array([0.01, 0]), 0.5, 0)
    return pack(pack_body(pose), sequence, timestamp)


def choose_picture(page: Page, label: str) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Picture").select_option(label=label)
    page.keyboard.press("Escape")


def last_wish(server: StandIn) -> tuple[object, object, object]:
    wish = server.call.received("avatar.face.update")[-1]
    return wish["mode"], wish["automatic"], wish["reason"]


def call_that_can_draw(open_page: OpenPage) -> Page:
    page = open_page()
    page.route(
        "**/face/face.js",
        lambda route: route.fulfill(content_type="text/javascript", body=FACE_VIEW),
    )
    call(page)
    return page


def drawn(page: Page, server: StandIn) -> None:
    """Have the face drawn by the page, and wait until it is."""
    choose_picture(page, "Drawn here")
    eventually(page, lambda: server.call.can_draw)
    server.call.show_face("client")
    server.call.send_pose(pose_message(1, 0, jaw=0.4))
    expect(page.locator("body[data-shown=client]")).to_be_attached()


def test_without_a_choice_video_is_asked_for_and_the_server_may_show_less(open_page, server):
    page = open_page()
    call(page)
    eventually(page, lambda: bool(server.call.received("avatar.face.update")))
    assert last_wish(server) == ("video", True, "chosen")
    expect(page.locator("body[data-shown=video]")).to_be_attached()


def test_a_chosen_picture_is_asked_for_shown_and_remembered(open_page, server):
    page = call_that_can_draw(open_page)
    drawn(page, server)
    assert last_wish(server) == ("client", False, "chosen")
    assert page.evaluate("posed.folder") == "/v1/avatar/faces/elena/"
    assert page.evaluate("posed.jaws.at(-1)") == pytest.approx(0.4, abs=0.01)
    expect(page.locator("#drawn")).to_have_css("opacity", "1")
    choose_picture(page, "Sound only")
    eventually(page, lambda: last_wish(server) == ("audio", False, "chosen"))
    server.call.show_face("audio", frame_rate=0)
    expect(page.locator("#drawn")).to_have_css("opacity", "0")
    expect(page.locator("#video")).to_have_css("opacity", "0")
    choose_picture(page, "Video")
    eventually(page, lambda: last_wish(server) == ("video", False, "chosen"))
    server.call.show_face("video")
    expect(page.locator("#video")).to_have_css("opacity", "1")
    assert page.locator("#picture-note").inner_text() == ""
    page.reload()
    call(page)
    eventually(page, lambda: last_wish(server) == ("video", False, "chosen"))


def test_the_picture_can_be_chosen_with_the_keyboard(open_page, server):
    page = open_page()
    call(page)
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Enter")
    for _ in range(12):
        if page.evaluate("document.activeElement.id") == "picture":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    eventually(page, lambda: last_wish(server) == ("audio", False, "chosen"))


def test_the_drawn_face_stays_until_the_video_shows_a_new_picture(open_page, server):
    page = call_that_can_draw(open_page)
    drawn(page, server)
    page.evaluate("video.requestVideoFrameCallback = (next) => { globalThis.comes = next; }")
    server.call.show_face("video")
    page.wait_for_timeout(500)
    expect(page.locator("body[data-shown=client]")).to_be_attached()
    page.evaluate("comes()")
    expect(page.locator("body[data-shown=video]")).to_be_attached()


def test_a_page_that_can_not_draw_says_nothing_and_keeps_the_video(open_page, server):
    page = open_page()
    page.route("**/face/face.js", lambda route: route.abort())
    call(page)
    choose_picture(page, "Drawn here")
    eventually(page, lambda: last_wish(server)[0] == "client")
    server.call.show_face("video", "drawing")
    expect(page.locator("#picture-note")).to_have_text("Video: this device can't draw Elena.")
    assert not server.call.can_draw
    expect(page.locator("body[data-shown=video]")).to_be_attached()


def test_a_page_that_loses_its_graphics_tells_the_server_and_goes_on(open_page, server):
    page = call_that_can_draw(open_page)
    drawn(page, server)
    page.evaluate("drawn.dispatchEvent(new Event('webglcontextlost'))")
    eventually(page, lambda: not server.call.can_draw)
    assert page.evaluate("posed.closed") == 1
    server.call.show_face("video", "drawing")
    expect(page.locator("body[data-shown=video]")).to_be_attached()


@pytest.mark.parametrize(
    ("mode", "reason", "frame_rate", "words"),
    [
        ("client", "busy", 25, "Drawn here: the server is busy."),
        ("audio", "network", 0, "Sound only: the connection is slow."),
        ("video", "busy", 12, "Fewer pictures: the server is busy."),
        ("video", "recovered", 25, "Video again."),
    ],
)
def test_a_picture_that_changes_by_itself_says_why(
    open_page, server, mode, reason, frame_rate, words
):
    page = open_page()
    call(page)
    server.call.show_face(mode, reason, frame_rate)
    expect(page.locator("#picture-note")).to_have_text(words)
    for fields in ({"mode": "dance"}, {"mode": ["video"]}, {}):
        server.call.send("avatar.face.updated", **fields)
    page.get_by_text("Español").click()
    expect(page.locator("#picture-note")).not_to_have_text(words)


def test_poses_are_given_out_in_time_blended_and_the_newer_counts(open_page):
    page = open_page()
    begin = 2**32 - 2000  # the timestamps wrap
    messages = [
        pose_message(65535, begin, jaw=0.2),
        pose_message(0, (begin + 1920) % 2**32, jaw=0.9),
        pose_message(1, (begin + 1920) % 2**32, jaw=0.4) + pose_message(2, begin + 3840 - 2**32, 1),
        pose_message(65534, (begin + 1920) % 2**32, jaw=0.0),
        b"",
        b"\x01short",
        bytes(74),
    ]
    at = [begin - 500, begin, begin + 960, begin + 1920, begin + 2880, begin + 90_000]
    jaws = page.evaluate(
        """async ([messages, times]) => {
          const {PoseQueue} = await import("/poses.js");
          const queue = new PoseQueue();
          queue.take("no poses");
          for (const bytes of messages) queue.take(Uint8Array.from(bytes).buffer);
          return times.map((at) => queue.at(at % 2 ** 32).weights[24]);
        }""",
        [[list(message) for message in messages], at],
    )
    assert jaws == pytest.approx([0.2, 0.2, 0.3, 0.4, 0.7, 1.0], abs=0.005)


def test_what_is_heard_is_told_by_the_timestamps_of_the_voice(open_page):
    page = open_page()
    errors_ms = page.evaluate(
        """async () => {
          const {HeardClock} = await import("/heard.js");
          const origin = 2 ** 32 - 48 * 1000; // wraps after a second
          let now = 5000;
          const receiver = {getSynchronizationSources: () => [{
            rtpTimestamp: (origin + 48 * 20 * Math.floor((now - 5000) / 20)) % 2 ** 32,
            timestamp: performance.timeOrigin + 5000 + 20 * Math.floor((now - 5000) / 20),
          }]};
          const clock = new HeardClock(receiver);
          const errors = [];
          for (; now < 9000; now += 16) {
            const truth = (origin + 48 * (now - 5000)) % 2 ** 32;
            errors.push(Math.abs(clock.at(now) - truth) / 48);
          }
          return Math.max(...errors);
        }"""
    )
    assert errors_ms < 1


def wishes(page: Page, seconds: list[dict[str, object]], can_draw: bool = True) -> list[str]:
    """What the policy wishes for after each second."""
    return page.evaluate(
        """async ([seconds, canDraw]) => {
          const {PicturePolicy} = await import("/picture_policy.js");
          const policy = new PicturePolicy();
          return seconds.map((second) => {
            policy.observe({mode: "video", lost: 0, dropped: 0, drawnFps: null, ...second});
            return policy.wish(canDraw && !policy.isSlow);
          });
        }""",
        [seconds, can_draw],
    )


def test_loss_for_seconds_asks_for_less_and_a_hiccup_does_not(open_page):
    page = open_page()
    lossy, fine = {"lost": 0.2}, {"lost": 0.01}
    assert set(wishes(page, [fine] * 10 + [lossy] * 3 + [fine] * 10)) == {"video"}
    assert wishes(page, [fine] * 10 + [lossy] * 4)[-1] == "client"
    assert wishes(page, [fine] * 10 + [lossy] * 4, can_draw=False)[-1] == "audio"
    assert wishes(page, [fine] * 10 + [{"dropped": 0.8}] * 4)[-1] == "client"


def test_video_is_tried_again_after_a_while_and_later_each_time_in_vain(open_page):
    page = open_page()
    lossy, drawn = {"lost": 0.2}, {"mode": "client", "drawnFps": 50}
    once = wishes(page, [{}] * 5 + [lossy] * 4 + [drawn] * 80)
    assert once[-1] == "video"
    waited = once.count("client")
    twice = wishes(
        page, [{}] * 5 + [lossy] * 4 + [drawn] * (waited + 2) + [lossy] * 8 + [drawn] * 80
    )
    assert twice[-1] == "video"
    assert twice[5 + 4 + waited + 2 :].count("client") > 1.5 * waited


def test_drawing_that_is_too_slow_is_given_up(open_page):
    page = open_page()
    lossy, slow = {"lost": 0.2}, {"mode": "client", "drawnFps": 6}
    assert wishes(page, [{}] * 5 + [lossy] * 4 + [slow] * 10)[-1] == "audio"


# ---- When something is wrong ----


def test_without_the_microphone_one_can_type_and_allow_it_later(open_page, server):
    page = open_page(microphone=False)
    call(page)
    expect(page.locator("#notice[data-kind=mic-denied]")).to_contain_text(
        "The microphone is blocked"
    )
    expect(page.get_by_role("button", name="No mic")).to_be_disabled()
    page.locator("#words").fill("Hello")
    page.get_by_role("button", name="Send").click()
    eventually(page, lambda: len(asked(server)) == 2)
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#notice")).to_be_hidden()
    eventually(page, lambda: server.call.loudest > 1000)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("name", "kind", "title"),
    [
        ("NotFoundError", "mic-none", "No microphone found"),
        ("NotReadableError", "mic-busy", "The microphone is in use"),
    ],
)
def test_a_missing_or_busy_microphone_is_explained(open_page, name, kind, title):
    failing = f"""
    navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException("", "{name}"); }};
    """
    page = open_page(script=failing)
    call(page)
    expect(page.locator(f"#notice[data-kind={kind}]")).to_contain_text(title)


def test_a_microphone_that_gives_no_sound_is_noticed(open_page):
    page = open_page(script=SILENT_MICROPHONE)
    call(page)
    silent = page.locator("#notice[data-kind=mic-silent]")
    expect(silent).to_contain_text("Nothing is heard", timeout=12_000)
    page.get_by_role("button", name="Choose another").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()


def test_a_microphone_that_is_unplugged_is_noticed(open_page):
    page = open_page()
    call(page)
    page.evaluate("held.tracks[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#notice[data-kind=mic-unplugged]")).to_be_visible()
    page.get_by_role("button", name="Use microphone").click()
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_enabled()


def test_a_full_server_counts_down_to_the_next_try(open_page, server):
    page = open_page()
    server.mode = "full"
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=full]")).to_contain_text("All lines are busy")
    again = page.get_by_role("button", name=f"Try again in {RETRY_AFTER_S} s")
    expect(again).to_be_disabled()
    server.mode = "open"
    call(page)
    expect(page.locator("#notice")).to_be_hidden()
    assert page.evaluate("held.tracks.map(t => t.readyState)") == ["ended", "live"]


def test_a_server_that_still_loads_is_waited_for_without_the_microphone(open_page, server):
    page = open_page()
    server.mode = "loading"
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=waiting]")).to_contain_text("Elena is getting ready")
    assert page.evaluate("held.tracks.length") == 0
    server.mode = "open"
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    expect(page.locator("#notice")).to_be_hidden()


def test_waiting_can_be_cancelled(open_page, server):
    page = open_page()
    server.mode = "loading"
    page.get_by_role("button", name="Call Elena").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Call Elena")).to_be_focused()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_refusal_is_told_in_the_servers_words(open_page, server):
    page = open_page()
    server.mode = "refusing"
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=refused]")).to_contain_text("The stand-in says no.")


def test_an_unreachable_server_is_explained_and_can_be_tried_again(open_page):
    page = open_page()
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=unreachable]")).to_be_visible()
    page.unroute("**/v1/**")
    call(page)


def test_a_page_that_is_not_secure_says_so(open_page, server):
    page = open_page(url=server.url.replace("127.0.0.1", "insecure.test"))
    expect(page.locator("#notice[data-kind=insecure]")).to_contain_text("not secure")
    expect(page.get_by_role("button", name="Call")).to_be_disabled()


def test_where_sound_needs_a_tap_the_face_shows_silently_and_asks_for_it(open_page):
    page = open_page(script=SOUND_NEEDS_A_TAP)
    call(page)
    assert page.evaluate("video.muted")
    page.get_by_role("button", name="Tap to hear Elena").click()
    expect(page.locator("#hear")).to_be_hidden()
    assert not page.evaluate("video.muted")


# ---- For everyone ----


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


def test_on_a_small_phone_a_notice_leaves_room_for_face_and_text_field(open_page):
    page = open_page(size=PHONE, microphone=False)
    call(page)
    expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
    expect(page.locator("#composer")).to_be_in_viewport(ratio=1)
    composer_ends_above_the_controls = """
    composer.getBoundingClientRect().bottom <= controls.getBoundingClientRect().top
    """
    assert page.evaluate(composer_ends_above_the_controls)
    assert page.evaluate("face.clientHeight") >= 150


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
