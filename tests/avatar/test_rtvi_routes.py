"""SmallWebRTC's doors, with calls that answer by script."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from avatar.access.settings import AccessSettings
from avatar.protocol.dialect import Doors, FaceFiles
from avatar.protocol.rtvi.requests import Wishes
from avatar.protocol.rtvi.started import KEPT_S, MOST_OF_ONE, MOST_STARTED, Started
from avatar.resume import ResumeToken
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import IceServer, RtcSettings, Settings
from speech.errors import CallLimitError, ResumeExpiredError, ServerFullError, SignallingError

OFFER = {"sdp": "v=0", "type": "offer", "pc_id": None, "restart_pc": False}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdp_mid": "0"}


class Connection:
    """A call's connection."""

    def __init__(self, refusal=None):
        self.refusal, self.found, self.offers = refusal, [], []

    async def add_candidates(self, lines):
        if self.refusal is not None:
            raise self.refusal
        self.found += lines

    async def renegotiate(self, sdp):
        self.offers.append(sdp)
        return "v=0 again"


class Calls:
    """Answers every offer, or with `refusals`, one after the other."""

    def __init__(self, *refusals, token="t0ken"):
        self.refusals = list(refusals)
        self.token, self.call_id = token, "rtc_1"
        self.started, self.commands, self.shown = [], [], []
        self.connections = {"rtc_1": Connection()}

    async def start(self, sdp, config, speak, caller):
        self.started.append((sdp, config, caller.resume_token))
        if self.refusals and (refusal := self.refusals.pop(0)):
            raise refusal
        token = ResumeToken(self.token, 60.0) if self.token else None
        doors = Doors(
            call_id="rtc_1",
            language="en",
            instructions="",
            face=FaceFiles("elena", "/faces/"),
            send=lambda message: None,
            command=self.commands.append,
            resume=lambda: token,
            shows_watchers=self.shown.append,
        )
        speak(doors).open()
        return self.call_id, "v=0 answer"

    def __contains__(self, call_id):
        return call_id in self.connections

    def connection(self, call_id):
        return self.connections.get(call_id)


def client(calls=None, **settings):
    without_keys = AccessSettings(keys_file=Path("/nonexistent/keys.json"))
    app = create_app(Settings(access=without_keys, **settings), State(calls))
    return TestClient(app, base_url="http://localhost")


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


def test_an_offer_begins_a_call_and_its_name_tells_how_to_come_back():
    calls = Calls()
    response = client(calls).post("/api/offer", json=OFFER)
    assert response.status_code == 200
    assert response.json() == {"sdp": "v=0 answer", "type": "answer", "pc_id": "rtc_1.t0ken"}
    sdp, config, token = calls.started[0]
    assert (sdp, config.language, token) == ("v=0", None, "")


def test_a_call_that_can_t_be_gone_on_with_has_a_name_only():
    response = client(Calls(token="")).post("/api/offer", json=OFFER)
    assert response.json()["pc_id"] == "rtc_1"


def test_what_the_client_wants_comes_with_the_offer():
    calls = Calls()
    weather = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
    wishes = {"language": "es", "instructions": "Be brief.", "recording": True, "tools": [weather]}
    assert client(calls).post("/api/offer", json=OFFER | {"requestData": wishes}).status_code == 200
    config = calls.started[0][1]
    assert (config.language, config.instructions, config.recording) == ("es", "Be brief.", True)
    assert [tool.name for tool in calls.commands[0].tools] == ["get_weather"]


def test_the_client_says_with_the_offer_whether_it_shows_who_watches():
    for wishes, said in (({}, [False]), ({"shows_watchers": True}, [True])):
        calls = Calls()
        client(calls).post("/api/offer", json=OFFER | {"requestData": wishes})
        assert calls.shown == said


def test_another_offer_on_the_same_connection_is_answered_there():
    calls = Calls()
    again = OFFER | {"pc_id": "rtc_1.t0ken"}
    response = client(calls).post("/api/offer", json=again)
    assert response.json() == {"sdp": "v=0 again", "type": "answer", "pc_id": "rtc_1.t0ken"}
    assert (calls.connections["rtc_1"].offers, calls.started) == (["v=0"], [])


def test_a_new_connection_goes_on_with_the_call():
    calls = Calls()
    back = OFFER | {"pc_id": "rtc_1.0ld", "restart_pc": True}
    assert client(calls).post("/api/offer", json=back).json()["pc_id"] == "rtc_1.t0ken"
    assert [token for _, _, token in calls.started] == ["0ld"]


def test_a_call_that_is_forgotten_begins_anew():
    calls = Calls(ResumeExpiredError("It is over."))
    back = OFFER | {"pc_id": "rtc_0.0ld", "restart_pc": True}
    assert client(calls).post("/api/offer", json=back).status_code == 200
    assert [token for _, _, token in calls.started] == ["0ld", ""]


def test_late_addresses_reach_the_call_s_connection():
    calls = Calls()
    body = {"pc_id": "rtc_1.t0ken", "candidates": [CANDIDATE, {"candidate": ""}]}
    response = client(calls).patch("/api/offer", json=body)
    assert (response.status_code, response.json()) == (200, {"status": "success"})
    assert calls.connections["rtc_1"].found == [CANDIDATE["candidate"], ""]


def test_a_session_that_was_started_remembers_what_was_wanted():
    calls = Calls()
    ice = [IceServer(urls=["stun:stun.example:3478"])]
    app = client(calls, rtc=RtcSettings(ice_servers=ice))
    started = app.post("/start", json={"transport": "webrtc", "body": {"language": "es"}}).json()
    assert started["iceConfig"] == {"iceServers": [{"urls": ["stun:stun.example:3478"]}]}
    url = f"/sessions/{started['sessionId']}/api/offer"
    assert app.post(url, json=OFFER).status_code == 200
    assert calls.started[0][1].language == "es"
    patch = {"pc_id": "rtc_1", "candidates": [CANDIDATE]}
    assert app.patch(url, json=patch).status_code == 200


def test_who_starts_many_sessions_is_told_to_use_them_and_others_start_theirs():
    calls = Calls()
    app = client(calls)
    ids = [app.post("/start", json={}).json()["sessionId"] for _ in range(MOST_OF_ONE)]
    refused = app.post("/start", json={})
    assert error_of(refused) == (429, "too_many_calls")
    assert 0 < int(refused.headers["retry-after"]) <= KEPT_S
    assert "10 minutes" in refused.json()["error"]["message"]
    other = TestClient(app.app, base_url="http://localhost", client=("192.0.2.8", 50000))
    assert other.post("/start", json={}).status_code == 200
    for name in ids:
        assert app.post(f"/sessions/{name}/api/offer", json=OFFER).status_code == 200, "all kept"
    assert app.post("/start", json={}).status_code == 200, "those in a call are not counted"


def test_a_session_that_was_called_counts_no_more_when_its_call_is_over():
    calls = Calls()
    app = client(calls)
    for _ in range(2 * MOST_OF_ONE):
        started = app.post("/start", json={})
        assert started.status_code == 200, started.text
        calls.connections["rtc_1"] = Connection()
        url = f"/sessions/{started.json()['sessionId']}/api/offer"
        assert app.post(url, json=OFFER).status_code == 200
        del calls.connections["rtc_1"]  # hung up


@pytest.mark.parametrize("restart", [False, True])
def test_one_call_does_not_pass_for_the_calls_of_many_sessions(restart):
    app = client(Calls())
    assert app.post("/api/offer", json=OFFER).status_code == 200
    again = OFFER | {"pc_id": "rtc_1.t0ken", "restart_pc": restart}
    for _ in range(MOST_OF_ONE):
        url = f"/sessions/{app.post('/start', json={}).json()['sessionId']}/api/offer"
        assert app.post(url, json=again).status_code == 200
    assert error_of(app.post("/start", json={})) == (429, "too_many_calls")


def test_a_site_s_visitors_who_share_a_key_start_each_for_themselves():
    access = AccessSettings(keys_file=Path("/nonexistent/keys.json"), keys=["k" * 32])
    app = create_app(Settings(access=access), State(Calls()))
    first, second = (
        TestClient(app, base_url="http://localhost", client=(f"192.0.2.{n}", 50000)) for n in (7, 8)
    )
    key = {"authorization": "Bearer " + "k" * 32}
    made = first.post("/v1/realtime/client_secrets", headers=key).json()["value"]
    secret = {"authorization": f"Bearer {made}"}
    answers = [first.post("/start", json={}, headers=secret) for _ in range(MOST_OF_ONE + 1)]
    assert error_of(answers[-1]) == (429, "too_many_calls")
    assert second.post("/start", json={}, headers=secret).status_code == 200


def test_what_was_started_is_forgotten_in_time_but_not_while_its_call_is_there():
    now_s, there = [0.0], {"rtc_1"}
    started = Started(lambda: now_s[0], there.__contains__)
    unused, used, called = (started.add(Wishes(), "address:a") for _ in range(3))
    started.find(called).begin("rtc_1")
    now_s[0] = KEPT_S - 1
    assert started.find(used) is not None
    now_s[0] = KEPT_S + 1
    assert started.find(unused) is None
    now_s[0] = 2 * KEPT_S - 2
    assert started.find(used) is not None
    assert started.find(called) is not None
    now_s[0] *= 2
    there.clear()
    assert started.find(used) is None, "and it is seen that the call is over"
    now_s[0] += KEPT_S
    assert started.find(called) is not None, "the call was its last use"
    now_s[0] += KEPT_S + 1
    assert started.find(called) is None
    assert not started._promises


def test_nobody_s_promise_goes_for_the_sake_of_another_s():
    started = Started(lambda: 0.0, lambda call_id: False)
    names = [started.add(Wishes(), f"address:{n // MOST_OF_ONE}") for n in range(MOST_STARTED)]
    with pytest.raises(CallLimitError, match="There are 100"):
        started.add(Wishes(), "address:new")
    assert all(started.find(name) for name in names)


def test_a_full_server_says_when_to_come_again():
    response = client(Calls(ServerFullError("All places are taken."))).post(
        "/api/offer", json=OFFER
    )
    assert error_of(response) == (429, "server_full")
    assert int(response.headers["retry-after"]) > 0


MALFORMED = {
    "no JSON": "hello",
    "no object": "[]",
    "no offer": "{}",
    "an answer": '{"sdp": "v=0", "type": "answer"}',
    "a wish misspelt": '{"sdp": "v=0", "requestData": {"langage": "es"}}',
    "a bad tool": '{"sdp": "v=0", "requestData": {"tools": [{"name": "a b"}]}}',
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_says_what_is_wrong_in_one_line(what):
    calls = Calls()
    response = client(calls).post("/api/offer", content=MALFORMED[what])
    assert error_of(response) == (400, "invalid_request")
    assert "\n" not in response.json()["error"]["message"]
    assert calls.started == []


def test_a_bad_offer_or_address_is_refused():
    refused = client(Calls(SignallingError("The offer has no audio."))).post(
        "/api/offer", json=OFFER
    )
    assert error_of(refused) == (400, "invalid_sdp")
    calls = Calls()
    calls.connections["rtc_1"] = Connection(SignallingError("That is no candidate."))
    body = {"pc_id": "rtc_1", "candidates": [CANDIDATE]}
    assert client(calls).patch("/api/offer", json=body).status_code == 400


@pytest.mark.parametrize("path", ["/api/offer", "/sessions/{started}/api/offer"])
def test_a_call_that_is_not_there_has_no_addresses_and_no_next_offer(path):
    app = client(Calls())
    path = path.format(started=app.post("/start", json={}).json()["sessionId"])
    patch = app.patch(path, json={"pc_id": "rtc_9", "candidates": [CANDIDATE]})
    again = app.post(path, json=OFFER | {"pc_id": "rtc_9"})
    assert error_of(patch) == error_of(again) == (404, "call_not_found")


def test_nobody_is_let_in_without_the_key_that_the_server_asks_for():
    access = AccessSettings(keys_file=Path("/nonexistent/keys.json"), keys=["k" * 32])
    state = State(SimpleNamespace())
    app = TestClient(create_app(Settings(access=access), state), base_url="http://localhost")
    for answer in (
        app.post("/api/offer", json=OFFER),
        app.patch("/api/offer", json={"pc_id": "rtc_1", "candidates": []}),
        app.post("/start", json={}),
    ):
        assert answer.status_code == 401
