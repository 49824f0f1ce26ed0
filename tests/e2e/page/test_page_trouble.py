"""What the page says and does when something is wrong."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import (
    SILENT_MICROPHONE,
    SOUND_NEEDS_A_TAP,
    asked,
    call,
    eventually,
)

pytestmark = pytest.mark.e2e


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
    expect(silent).to_contain_text("Nothing is heard")
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


def test_a_microphone_that_is_unplugged_while_the_connection_is_lost_is_noticed(open_page, server):
    page = open_page()
    call(page)
    server.mode = "full"
    server.call.cut_off()
    expect(page.locator("#status")).to_have_text("Reconnecting")
    page.evaluate("held.tracks[0].dispatchEvent(new Event('ended'))")
    server.mode = "open"
    expect(page.locator("body[data-phase=connected]")).to_be_attached()
    expect(page.locator("#notice[data-kind=mic-unplugged]")).to_be_visible()
    page.get_by_role("button", name="Use microphone").click()
    eventually(page, lambda: server.call.loudest > 1000)


def test_a_full_server_counts_down_to_the_next_try(open_page, server):
    page = open_page()
    server.mode = "full"
    page.get_by_role("button", name="Call Elena").click()
    expect(page.locator("#notice[data-kind=full]")).to_contain_text("All lines are busy")
    again = page.get_by_role("button", name=re.compile(r"Try again in \d+ s"))
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


def test_whoever_lacks_a_key_is_not_told_how_programs_show_one(open_page):
    page = open_page()
    error = {"error": {"code": "missing_api_key", "message": "Send 'Authorization: Bearer KEY'."}}
    page.route("**/v1/realtime/calls", lambda route: route.fulfill(status=401, json=error))
    page.get_by_role("button", name="Call Elena").click()
    notice = page.locator("#notice[data-kind=unauthorized]")
    expect(notice).to_contain_text("Ask whoever runs this page.")
    expect(notice).not_to_contain_text("Bearer")


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


def test_nothing_says_that_the_person_is_heard_before_they_are(open_page, server):
    page = open_page()
    page.evaluate("""
        globalThis.loudest = 0;
        document.querySelector("presencia-call").addEventListener("presencia-level", (event) => {
          loudest = Math.max(loudest, event.detail.level);
        });
    """)
    server.connects = False
    page.get_by_role("button", name="Call Elena").click()
    eventually(page, lambda: page.evaluate("held.contexts.map(c => c.state)") == ["running"])
    page.wait_for_timeout(2500)  # the device beeps once a second
    expect(page.locator("#status")).to_have_text("Connecting")
    assert page.evaluate("loudest") == 0
    page.get_by_role("button", name="Hang up").click()
    server.connects = True
    call(page)
    eventually(page, lambda: page.evaluate("loudest") > 0.05)
