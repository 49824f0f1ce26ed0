"""Calls out of an office that blocks UDP: coturn, the real server and Chromium, each on a host."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.blocked_network import SERVER, Networks, networks, why_not
from tests.e2e.browser_call import BrowserCall
from tests.e2e.conftest import SPEECH
from tests.e2e.doctor_kit import MICROPHONE, examined
from tests.e2e.turn_kit import URL, office_browser, relay, server

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not() or "can")]

QUESTION = SPEECH / "public" / "en_ps_goforward.wav"
_REMEMBER = """() => {
  globalThis.held = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) { super(...args); held.push(this); }
  };
}"""
_ROUTE = """async () => {
  const stats = await held.at(-1).getStats();
  const {selectedCandidatePairId: id} = [...stats.values()].find(({type}) => type === "transport");
  const pair = stats.get(id);
  const local = stats.get(pair.localCandidateId);
  return [local.candidateType, local.relayProtocol, pair.bytesSent, pair.bytesReceived];
}"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Networks, Browser]]:
    folder: Path = tmp_path_factory.mktemp("turn")
    # coturn drops its rights and must reach the folder; pytest keeps others out of its own.
    temporary = Path(tempfile.gettempdir())
    for parent in (folder, *folder.parents):
        if parent.is_relative_to(temporary) and parent != temporary:
            parent.chmod(0o755)
    config = folder / "presencia.toml"
    with networks() as nets, relay(nets, folder) as lines:
        config.write_text(f'{lines}\n[access]\nopen = true\nhosts = ["{SERVER}"]\n')
        nets.block_udp()
        with server(nets, config), office_browser(nets, folder) as browser:
            yield nets, browser


def call_and_ask(browser: Browser) -> tuple[str, list[object], BrowserCall]:
    """Call, speak, hear and see the answer; its words and the route that it took."""
    call = BrowserCall(browser, URL)
    call.page.evaluate(_REMEMBER)
    call.call()
    answer = call.answered(lambda: call.say(QUESTION))
    call.see(pictures=5)
    return answer, call.page.evaluate(_ROUTE), call


def test_where_udp_is_dropped_a_call_is_relayed_over_tcp(office):
    nets, browser = office
    answer, (kind, protocol, sent, received), call = call_and_ask(browser)
    assert (kind, protocol) == ("relay", "tcp")
    assert answer
    assert call.lines("person")  # the voice arrived and was understood as some words
    assert call.received().loud_at_ms().size
    assert nets.dropped() > 0  # it was tried, and it was blocked
    print(f"over TCP: {sent} bytes sent, {received} received, {nets.dropped()} UDP packets dropped")
    call.close()


def test_the_doctor_tells_the_ways_that_are_open_from_those_that_are_not(office):
    _, browser = office
    context = browser.new_context(locale="en-GB")
    context.add_init_script(MICROPHONE.replace("VOICE", "0.2"))
    page = context.new_page()
    page.goto(f"{URL}/doctor.html")
    found = examined(page)
    assert found["udp"] == ("failed", "udpFailed")
    assert found["relayUdp"][0] == "failed"
    assert found["relayTcp"] == ("good", "relayGood")
    assert found["relayTls"] == ("good", "relayGood")
    assert found["codecs"] == ("good", "codecsGood")  # seen through the relay
    context.close()


def test_where_only_https_passes_a_call_is_relayed_over_tls(office):
    nets, browser = office
    nets.allow_only(80, 443)
    answer, (kind, protocol, sent, received), call = call_and_ask(browser)
    assert (kind, protocol) == ("relay", "tls")
    assert answer
    assert call.lines("person")
    print(f"over TLS: {sent} bytes sent, {received} received")
    call.close()
