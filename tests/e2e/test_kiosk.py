"""The kiosk's page in Chromium, against the stand-in: visitors, accidents, staff."""

import json
from collections.abc import Iterator

import aioice.ice
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.e2e.kiosk_kit import HALL, PIN, KioskStandIn
from tests.e2e.page.conftest import CHROMIUM_ARGS
from tests.e2e.page.kit import eventually
from tests.e2e.page.stand_in import PATIENCE_S

pytestmark = pytest.mark.e2e

SECRET = "marmaladezebra"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            headless=True,
            args=[*CHROMIUM_ARGS, "--autoplay-policy=no-user-gesture-required"],
        )
        yield chromium
        chromium.close()


def limits(**seconds: float) -> pytest.MarkDecorator:
    """Other limits than the kit's, for a test that waits for them."""
    return pytest.mark.parametrize("server", [seconds], indirect=True)


@pytest.fixture
def server(request, monkeypatch, tmp_path) -> Iterator[KioskStandIn]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    with KioskStandIn(tmp_path, **getattr(request, "param", {})) as stand_in:
        yield stand_in


@pytest.fixture
def page(browser, server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1080, "height": 1920})
    context.set_default_timeout(1000 * PATIENCE_S)
    context.add_init_script(HALL)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{server.url}kiosk.html")
    shows(page, "attract")
    yield page
    context.close()
    assert faults == []


def holds(page: Page, condition: str) -> bool:
    try:
        return bool(page.evaluate(condition))
    except Error:  # it is just being loaded again
        return False


def shows(page: Page, *screens: str) -> None:
    eventually(page, lambda: holds(page, f"{json.dumps(screens)}.includes(kiosk.state.screen)"))


def calls(page: Page, server: KioskStandIn, language: str = "en") -> None:
    """Choose a language by hand, and be in the call."""
    before = len(server.calls)
    page.evaluate("person.here = true")
    shows(page, "welcome")
    page.click(f'#choices [data-language="{language}"]')
    shows(page, "call")
    eventually(page, lambda: any(c.language == language for c in server.calls[before:]))
    server.call.send("avatar.state", state="listening")


def spoken(page: Page, id_: str) -> str:
    return page.locator(f"#{id_}").inner_text()


def test_a_visitor_comes_talks_and_leaves_nothing(page, server):
    context = page.context
    page.evaluate("window.oldPage = true")
    calls(page, server, "es")
    visited = server.call
    assert page.evaluate("document.documentElement.lang") == "es"
    visited.hear(f"Me llamo {SECRET}", "u1")
    eventually(page, lambda: SECRET in spoken(page, "theirs"))
    visited.say(f"Encantada, {SECRET}.")
    eventually(page, lambda: SECRET in spoken(page, "ours"))
    # What a page could keep of somebody, it is made to keep here.
    page.evaluate(
        """async (secret) => {
          localStorage.setItem(secret, secret);
          sessionStorage.setItem(secret, secret);
          document.cookie = `${secret}=${secret}`;
          await (await caches.open(secret)).put("/" + secret, new Response(secret));
          await new Promise((done) => { indexedDB.open(secret).onsuccess = ({target}) => {
            target.result.close(); done(); }; });
        }""",
        SECRET,
    )
    wipes = len(server.wiped)
    page.click("#finish")
    shows(page, "goodbye")
    eventually(page, lambda: visited.has_hung_up)
    eventually(page, lambda: holds(page, "!window.oldPage && kiosk.state.screen !== 'goodbye'"))
    shows(page, "attract", "welcome")
    assert len(server.wiped) >= wipes + 2  # at the goodbye, and before the next visitor
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("indexedDB.databases()") == []
    assert context.cookies() == []
    assert SECRET not in page.content()
    assert page.evaluate("kiosk.lines") == []
    assert SECRET not in heap_of(page)


def heap_of(page: Page) -> str:
    """Everything that JavaScript holds, as a heap snapshot."""
    session = page.context.new_cdp_session(page)
    chunks: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    snapshot = "".join(chunks)
    assert "KioskPage" in snapshot, "that is no snapshot of this page"
    return snapshot


def test_the_heap_of_a_page_that_still_has_a_visitor_is_known_to_hold_them(page, server):
    calls(page, server)
    server.call.hear(f"I am {SECRET}", "u1")
    eventually(page, lambda: SECRET in spoken(page, "theirs"))
    assert SECRET in heap_of(page)


@limits(idle_s=6, countdown_s=5)
def test_who_walks_away_mid_word_is_counted_down_and_wiped(page, server):
    calls(page, server)
    visited = server.call
    visited.hear("Where can I find the", "u1", final=False)
    page.evaluate("person.here = false")
    shows(page, "countdown")
    assert page.locator("#countdown").is_visible()
    assert int(spoken(page, "seconds")) <= 5
    shows(page, "goodbye")
    eventually(page, lambda: visited.has_hung_up)
    shows(page, "attract")


@limits(idle_s=5)
def test_a_touch_stops_the_countdown(page, server):
    calls(page, server)
    shows(page, "countdown")
    page.click("#stay")
    shows(page, "call")
    assert not page.locator("#countdown").is_visible()
    assert not server.call.has_hung_up


@limits(idle_s=6, countdown_s=3)
def test_a_voice_wakes_it_and_a_shout_that_says_nothing_makes_it_deaf_for_a_while(page, server):
    page.evaluate("person.shout(0.8)")
    shows(page, "connecting", "call")
    page.evaluate("person.shout(0)")
    shows(page, "attract")
    assert "#deaf=60000" in page.url


def test_a_camera_that_is_pulled_leaves_a_kiosk_that_is_woken_by_touch(page, server):
    page.evaluate("person.camera = false; person.eye.getTracks().forEach((t) => t.stop())")
    page.evaluate("person.eye.getTracks()[0].dispatchEvent(new Event('ended'))")
    eventually(page, lambda: holds(page, "kiosk.state.present === null"))
    page.click("#attract h1")
    shows(page, "welcome")
    eventually(page, lambda: server.kiosk.status()["page"]["camera"] is False)


def test_without_the_service_it_says_so_and_comes_back_by_itself(page, server):
    page.route("**/v1/kiosk/*", lambda route: route.abort())
    shows(page, "broken")
    eventually(page, lambda: "short break" in spoken(page, "broken-title"))
    page.unroute("**/v1/kiosk/*")
    shows(page, "attract")


@limits(idle_s=6, countdown_s=3)
def test_a_network_that_goes_in_a_call_ends_the_visit_without_a_browsers_error(page, server):
    calls(page, server)
    page.route("**/v1/**", lambda route: route.abort())
    server.call.cut_off()
    shows(page, "broken")
    page.unroute("**/v1/**")
    shows(page, "attract", "welcome")
    assert page.evaluate("kiosk.lines") == []


def hold_the_corner(page: Page) -> None:
    page.mouse.move(40, 40)
    page.mouse.down()
    shows(page, "staff")
    page.mouse.up()


def enter(page: Page, pin: str) -> None:
    for digit in pin:
        page.click(f'#pad button:text-is("{digit}")')
    page.click("#pad button:nth-child(12)")


def test_an_answer_that_a_lost_connection_broke_off_is_gone_on_with(page, server):
    server.resumes = True
    calls(page, server)
    first = server.call
    first.hear("Where is the museum?", "q1")
    first.say("Behind the station, on the left. Go through the")
    eventually(page, lambda: "through the" in spoken(page, "ours"))
    first.cut_off()
    eventually(page, lambda: server.call is not first and server.call.received("response.create"))
    (asked_for,) = server.call.received("conversation.item.create")
    item = asked_for["item"]
    assert "on the left. Go through the" in item["content"][0]["text"]
    server.call.send("conversation.item.added", item=item)
    server.call.say("green gate.", item_id="rest")
    eventually(page, lambda: "green gate." in spoken(page, "ours"))
    assert "Sorry, the line" not in page.content(), "nobody said that"


def test_staff_enter_by_pin_change_the_volume_and_leave_no_pin(page, server):
    hold_the_corner(page)
    enter(page, "111222")
    eventually(page, lambda: spoken(page, "pin-note") == "That is not the PIN.")
    enter(page, PIN)
    page.fill('#fields input[type="range"]', "0.25")
    page.click("#settings-save")
    eventually(page, lambda: spoken(page, "settings-note") == "Saved.")
    assert "Microphone" in spoken(page, "facts")
    page.click("#settings-close")
    shows(page, "attract")
    eventually(page, lambda: holds(page, "document.querySelector('video').volume === 0.25"))
    assert PIN not in page.content()
    assert server.kiosk.settings.volume == 0.25


def test_staff_are_told_when_the_service_does_not_answer(page):
    page.route("**/v1/kiosk/diagnostics", lambda route: route.abort())
    page.route("**/v1/kiosk/restart", lambda route: route.abort())
    hold_the_corner(page)
    enter(page, PIN)
    eventually(page, lambda: spoken(page, "settings-note") == "The service doesn't answer.")
    page.fill('#fields input[type="range"]', "0.5")
    page.click("#settings-save")
    eventually(page, lambda: spoken(page, "settings-note") == "Saved.")
    page.get_by_role("button", name="The browser").click()
    eventually(page, lambda: spoken(page, "settings-note") == "The service doesn't answer.")


def test_a_service_that_asks_for_a_reload_gets_it(page, server):
    from avatar.kiosk.watchdog import Restart

    page.evaluate("window.oldPage = true")
    server.kiosk.restart(Restart("page", "memory", "test"))
    eventually(page, lambda: holds(page, "!window.oldPage && kiosk.state.screen === 'attract'"))


def test_the_page_says_how_it_is(page, server):
    eventually(page, lambda: (server.kiosk.status()["page"] or {}).get("camera") is True)
    said = server.kiosk.status()["page"]
    assert (said["screen"], said["occupied"], said["microphone"]) == ("attract", False, True)
    calls(page, server)
    eventually(page, lambda: server.kiosk.status()["page"]["occupied"])
    assert server.kiosk.status()["visits"] == 1


def test_a_visitor_is_shown_that_others_watch_and_may_let_nobody(page, server):
    calls(page, server, "es")
    assert server.session["avatar"]["shows_watchers"] is True
    mark = page.locator("#watched")
    assert not mark.is_visible()
    server.call.send("avatar.watched", watchers=2)
    eventually(page, mark.is_visible)
    assert "Otros que me ven: 2" in mark.inner_text()
    assert mark.bounding_box()["height"] >= 90, "read from two metres, touched with a finger"
    check(page)
    mark.click()
    eventually(page, lambda: bool(server.call.received("avatar.watching.forbid")))
    server.call.send("avatar.watched", watchers=0)
    eventually(page, mark.is_hidden)


@limits(idle_s=5)
def test_nothing_in_its_screens_keeps_anybody_out(page, server):
    """Axe, on every screen that a visitor meets."""
    check(page)
    calls(page, server)
    server.call.say("The library is on the second floor.")
    check(page)
    server.call.send("avatar.state", state="listening")
    shows(page, "countdown")
    check(page)


def check(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # words that are fading in are not yet words
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert serious == [], json.dumps(serious, indent=1)[:2000]
