"""WHEP's doors, with calls that are watched by script."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from avatar.access.settings import AccessSettings
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import IceServer, RtcSettings, ServerSettings, Settings, WatchingSettings
from avatar.whep import IceRestartError, WatchError
from speech.errors import ServerFullError, SignallingError

OFFER = {"content-type": "application/sdp"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}
CREDENTIALS = "a=ice-ufrag:abcd\r\na=ice-pwd:efgh\r\n"
CANDIDATE = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"


class Audience:
    """Lets everybody in, or refuses with `refusal`."""

    def __init__(self, refusal=None):
        self.refusal, self.watchers, self.found = refusal, {}, []

    def __contains__(self, name):
        return name in self.watchers

    async def admit(self, sdp):
        if self.refusal is not None:
            raise self.refusal
        self.watchers["w4tcher-1"] = sdp
        return "w4tcher-1", "v=0 answer"

    async def add_candidates(self, name, credentials, lines):
        if credentials != ("abcd", "efgh"):
            raise IceRestartError("ICE can't be restarted here.")
        self.found.append((self.watchers[name], lines))

    def dismiss(self, name):
        return self.watchers.pop(name, None) is not None


class Calls:
    def __init__(self, **audiences):
        self.audiences = audiences

    def audience(self, call_id):
        return self.audiences.get(call_id)

    @property
    def under_way(self):
        return tuple(self.audiences)


def client(calls, *, enabled=True, keys=(), **settings):
    access = AccessSettings(keys_file=Path("/nonexistent/keys.json"), keys=keys)
    watching = WatchingSettings(enabled=enabled)
    app = create_app(Settings(access=access, watching=watching, **settings), State(calls))
    return TestClient(app, base_url="http://localhost")


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


def test_an_offer_is_answered_with_where_to_leave_again():
    audience = Audience()
    ice = [IceServer(urls=["turn:relay.example:3478"], username="u", credential="c")]
    app = client(Calls(rtc_1=audience), rtc=RtcSettings(ice_servers=ice))
    answer = app.post("/whep/rtc_1", content="v=0", headers=OFFER)
    assert (answer.status_code, answer.text) == (201, "v=0 answer")
    assert answer.headers["content-type"].startswith("application/sdp")
    assert answer.headers["location"] == "/whep/rtc_1/w4tcher-1"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["link"] == (
        '<turn:relay.example:3478>; rel="ice-server"; username="u"; credential="c"; '
        'credential-type="password"'
    )
    assert app.delete(answer.headers["location"]).status_code == 200
    assert error_of(app.delete(answer.headers["location"])) == (404, "watcher_not_found")
    assert audience.watchers == {}


def test_the_only_call_needs_no_name_and_its_watchers_learn_none():
    audience = Audience()
    app = client(Calls(rtc_7=audience))
    answer = app.post("/whep/only", content="v=0", headers=OFFER)
    where = answer.headers["location"]
    assert (where, "rtc_7" in str(answer.headers)) == ("/whep/only/w4tcher-1", False)
    tagged = FRAGMENT | {"if-match": answer.headers["etag"]}
    body = f"{CREDENTIALS}{CANDIDATE}\r\n"
    assert app.patch(where, content=body, headers=tagged).status_code == 204
    app = client(Calls(rtc_7=audience, rtc_8=Audience()))  # meanwhile another call has begun
    assert app.delete(where).status_code == 200
    assert error_of(app.delete(where)) == (404, "watcher_not_found")
    for calls in (Calls(), Calls(rtc_1=Audience(), rtc_2=Audience())):
        answer = client(calls).post("/whep/only", content="v=0", headers=OFFER)
        assert error_of(answer) == (409, "nothing_to_watch")
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (WatchError("The person does not want to be watched."), 409, "nothing_to_watch"),
        (ServerFullError("3 watch already."), 503, "too_many_watchers"),
        (SignallingError("The offer has no audio."), 400, "invalid_sdp"),
    ],
)
def test_a_player_that_is_not_let_in_is_told_why(refusal, status, code):
    app = client(Calls(rtc_1=Audience(refusal)))
    answer = app.post("/whep/rtc_1", content="v=0", headers=OFFER)
    assert error_of(answer) == (status, code)
    assert (status == 400) or int(answer.headers["retry-after"]) > 0


def test_what_is_no_offer_or_of_no_call_is_refused():
    app = client(Calls(rtc_1=Audience()))
    assert app.post("/whep/rtc_1", json={"sdp": "v=0"}).status_code == 415
    assert app.post("/whep/rtc_9", content="v=0", headers=OFFER).status_code == 404


def test_late_addresses_are_taken_for_the_session_that_they_belong_to():
    audience = Audience()
    app = client(Calls(rtc_1=audience))
    answer = app.post("/whep/rtc_1", content="v=0", headers=OFFER)
    where, tag = answer.headers["location"], answer.headers["etag"]
    body = f"{CREDENTIALS}{CANDIDATE}\r\na=end-of-candidates\r\n"
    for match in (tag, "*"):
        taken = app.patch(where, content=body, headers=FRAGMENT | {"if-match": match})
        assert (taken.status_code, taken.content) == (204, b"")
        assert "etag" not in taken.headers
    assert audience.found == [("v=0", [CANDIDATE])] * 2
    assert app.patch(where, content=body, headers=FRAGMENT).status_code == 428
    assert app.patch(where, content=body, headers=FRAGMENT | {"if-match": '"x"'}).status_code == 412
    assert app.patch(where, content=body, headers=OFFER | {"if-match": tag}).status_code == 415
    tagged = FRAGMENT | {"if-match": "*"}
    assert app.patch(where, content=CANDIDATE, headers=tagged).status_code == 400
    assert app.patch("/whep/rtc_1/nobody", content=body, headers=tagged).status_code == 404


def test_a_restart_of_ice_is_not_done_and_says_so():
    app = client(Calls(rtc_1=Audience()))
    where = app.post("/whep/rtc_1", content="v=0", headers=OFFER).headers["location"]
    body = "a=ice-ufrag:new\r\na=ice-pwd:newer\r\n"
    answer = app.patch(where, content=body, headers=FRAGMENT | {"if-match": "*"})
    assert error_of(answer) == (422, "ice_restart_unsupported")


def test_a_player_finds_out_what_the_address_is():
    app = client(Calls(rtc_1=Audience()))
    assert app.get("/whep/rtc_1").status_code == 204
    assert app.head("/whep/rtc_1").headers["content-type"] == "application/sdp"
    options = app.options("/whep/rtc_1")
    assert (options.status_code, options.headers["accept-post"]) == (200, "application/sdp")


def test_nobody_watches_unless_that_is_switched_on():
    app = client(Calls(rtc_1=Audience()), enabled=False)
    assert app.post("/whep/rtc_1", content="v=0", headers=OFFER).status_code in (404, 405)


def test_nobody_watches_without_the_key_that_the_server_asks_for():
    app = client(SimpleNamespace(), keys=["k" * 32])
    assert app.post("/whep/rtc_1", content="v=0", headers=OFFER).status_code == 401
    assert app.delete("/whep/rtc_1/w").status_code == 401


def test_whoever_may_only_call_watches_nobody():
    key = "k" * 32
    app = client(Calls(rtc_1=Audience()), keys=[key])
    with_key = {"authorization": f"Bearer {key}"}
    secret = app.post("/v1/realtime/client_secrets", json={}, headers=with_key).json()["value"]
    with_secret = OFFER | {"authorization": f"Bearer {secret}"}
    answer = app.post("/whep/only", content="v=0", headers=with_secret)
    assert error_of(answer) == (403, "key_required")
    assert app.post("/whep/only", content="v=0", headers=OFFER | with_key).status_code == 201


def test_a_server_without_keys_that_is_open_to_all_shows_nobody_s_call():
    everywhere = ServerSettings(host="0.0.0.0")
    app = client(Calls(rtc_1=Audience()), server=everywhere)
    answer = app.post("/whep/only", content="v=0", headers=OFFER)
    assert error_of(answer) == (401, "missing_api_key")
