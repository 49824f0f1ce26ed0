"""Who draws the face: what the page asks for, shows and says."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from avatar.protocol.poses import pack, pack_body
from render.types import ARKIT, FacePose
from tests.e2e.page.kit import (
    OpenPage,
    call,
    eventually,
)
from tests.e2e.page.stand_in import StandIn

pytestmark = pytest.mark.e2e


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
    page.evaluate(  # the page waits 2.5 s for a picture, which a busy machine may be late to see
        "const later = window.setTimeout;"
        "window.setTimeout = (f, ms) => later(f, ms === 2500 ? 600_000 : ms);"
    )
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


RENDERER = """
WebGL2RenderingContext.prototype.getParameter = new Proxy(
  WebGL2RenderingContext.prototype.getParameter, {apply: (real, gl, [name]) =>
    name === 0x9246 ? "RENDERER" : Reflect.apply(real, gl, [name])});
const later = window.setTimeout;
window.setTimeout = (f, ms) =>
  later(() => { f(); globalThis.preloaded ||= ms === 3000; }, ms);
"""


@pytest.mark.parametrize(
    ("renderer", "is_hardware"),
    [
        ("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11)", True),
        ("Apple GPU", True),
        ("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)", False),
        ("ANGLE (Mesa, llvmpipe (LLVM 15.0.6 256 bits), OpenGL 4.5)", False),
        ("ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11)", False),
    ],
)
def test_a_face_is_made_ready_only_where_hardware_would_draw_it(
    open_page, server, renderer, is_hardware
):
    page = open_page(script=RENDERER.replace('RENDERER"', f'{renderer}"'))
    page.route(
        "**/face/face.js",
        lambda route: route.fulfill(content_type="text/javascript", body=FACE_VIEW),
    )
    call(page)
    eventually(page, lambda: page.evaluate("globalThis.preloaded"))
    if is_hardware:
        eventually(page, lambda: server.call.can_draw)
    page.wait_for_timeout(300)
    assert server.call.can_draw is is_hardware


def test_a_face_that_was_chosen_but_is_drawn_too_slowly_is_given_up(open_page, server):
    page = call_that_can_draw(open_page)
    page.evaluate(
        """() => {
          const next = window.requestAnimationFrame;
          window.requestAnimationFrame = (draw) => setTimeout(() => next(draw), 250);
        }"""
    )
    drawn(page, server)
    eventually(page, lambda: not server.call.can_draw)
    assert page.evaluate("posed.closed") == 1


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
