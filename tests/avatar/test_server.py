from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from avatar.access.guard import MAX_BODY_BYTES
from avatar.access.settings import AccessSettings
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import FaceSettings, IceServer, RecordingSettings, RtcSettings, Settings
from speech.errors import ConfigError, ServerFullError, SignallingError

OFFER = {"content-type": "application/sdp"}


class Calls:
    """Answers every offer, or with `refusal`."""

    def __init__(self, refusal=None):
        self.refusal = refusal
        self.started = []
        persona = SimpleNamespace(name="Elena", disclosure={"en": "I am an AI."})
        self.engines = SimpleNamespace(persona=persona, voices={"es": 1, "en": 2}, poster=b"webp")

    async def start(self, offer, config, speak, caller):
        if self.refusal is not None:
            raise self.refusal
        self.started.append((offer, config))
        return "rtc_1", "v=0 answer"

    def hang_up(self, call_id, *, for_good):
        return call_id == "rtc_1"


def client(calls=None, settings=None):
    without_keys = AccessSettings(keys_file=Path("/nonexistent/keys.json"))
    settings = (settings or Settings()).model_copy(update={"access": without_keys})
    app = create_app(settings, State(calls))
    return TestClient(app, base_url="http://localhost")


def error_of(response):
    return response.json()["error"]["code"]


def test_an_offer_is_answered_with_its_location():
    calls = Calls()
    response = client(calls).post("/v1/realtime/calls", content="v=0", headers=OFFER)
    assert (response.status_code, response.text) == (201, "v=0 answer")
    assert response.headers["location"] == "/v1/realtime/calls/rtc_1"
    assert response.headers["content-type"].startswith("application/sdp")
    assert calls.started[0][0] == "v=0"


def test_a_form_carries_the_session_with_the_offer():
    calls = Calls()
    session = '{"type": "realtime", "audio": {"input": {"transcription": {"language": "es"}}}}'
    form = {"sdp": (None, "v=0"), "session": (None, session)}
    assert client(calls).post("/v1/realtime/calls", files=form).status_code == 201
    assert calls.started[0][1].language == "es"


def test_a_form_with_a_bad_session_says_which_field():
    form = {"sdp": (None, "v=0"), "session": (None, '{"instructions": 7}')}
    response = client(Calls()).post("/v1/realtime/calls", files=form)
    assert (response.status_code, error_of(response)) == (400, "invalid_session")
    assert "session.instructions" in response.json()["error"]["message"]


def test_a_form_without_an_offer_is_refused():
    response = client(Calls()).post("/v1/realtime/calls", files={"session": (None, "{}")})
    assert (response.status_code, error_of(response)) == (400, "invalid_sdp")


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (ServerFullError("Every place is taken."), 429, "server_full"),
        (SignallingError("The offer has no audio."), 400, "invalid_sdp"),
    ],
)
def test_a_refused_call_says_why(refusal, status, code):
    response = client(Calls(refusal)).post("/v1/realtime/calls", content="v=0", headers=OFFER)
    assert (response.status_code, error_of(response)) == (status, code)
    assert response.json()["error"]["message"] == str(refusal)
    assert ("retry-after" in response.headers) == (status == 429)


def test_while_models_load_calls_wait_and_health_says_so():
    loading = client()
    response = loading.post("/v1/realtime/calls", content="v=0", headers=OFFER)
    assert (response.status_code, error_of(response)) == (503, "not_ready")
    assert loading.get("/v1/health/live").status_code == 200
    assert loading.get("/v1/health/ready").status_code == 503
    assert client(Calls()).get("/v1/health/ready").json() == {"status": "ok"}


@pytest.mark.parametrize("chunked", [False, True])
def test_an_enormous_body_is_refused(chunked):
    body = b"x" * (MAX_BODY_BYTES + 1)
    content = iter([body]) if chunked else body
    response = client(Calls()).post("/v1/realtime/calls", content=content, headers=OFFER)
    assert response.status_code == 413


def test_an_enormous_file_in_a_form_is_refused():
    head = b'--b\r\nContent-Disposition: form-data; name="sdp"; filename="x"\r\n\r\n'
    content = iter([head, b"x" * MAX_BODY_BYTES, b"\r\n--b--\r\n"])  # chunked: of no known length
    form = {"content-type": "multipart/form-data; boundary=b"}
    response = client(Calls()).post("/v1/realtime/calls", content=content, headers=form)
    assert (response.status_code, error_of(response)) == (413, "too_large")


def test_bytes_that_are_no_text_are_refused():
    response = client(Calls()).post("/v1/realtime/calls", content=b"\xff\xfe", headers=OFFER)
    assert (response.status_code, error_of(response)) == (400, "invalid_sdp")


def test_hanging_up_an_unknown_call_is_not_found():
    page = client(Calls())
    assert page.post("/v1/realtime/calls/rtc_1/hangup").status_code == 200
    response = page.post("/v1/realtime/calls/rtc_2/hangup")
    assert (response.status_code, error_of(response)) == (404, "call_not_found")


def test_the_page_learns_who_answers_and_how_to_reach_them():
    stun = IceServer(urls=["stun:stun.example.org"])
    settings = Settings(rtc=RtcSettings(ice_servers=[stun]))
    config = client(Calls(), settings).get("/v1/avatar/config").json()
    assert (config["name"], config["disclosure"]) == ("Elena", "I am an AI.")
    assert config["languages"] == ["en", "es"]
    assert config["ice_servers"] == [{"urls": ["stun:stun.example.org"]}]


def test_a_server_that_records_says_for_how_long_it_keeps_what_it_records():
    def recording(**settings):
        page = client(Calls(), Settings(recording=RecordingSettings(**settings)))
        return page.get("/v1/avatar/config").json()["recording"]

    assert recording() is None
    assert recording(enabled=True, keep_days=7) == {"keep_days": 7}


def test_a_client_that_draws_the_face_gets_its_files_from_the_server():
    page = client(Calls())
    face = page.get("/v1/avatar/config").json()["face"]
    assert face["name"] == "elena"
    card = page.get(face["url"] + "card.toml")
    assert card.status_code == 200
    assert "elena" in card.text.lower()
    assert page.get(face["url"] + "../elena/none.webp").status_code == 404


def test_the_poster_is_the_face_that_was_loaded_and_until_then_the_pages_own():
    assert client().get("/poster.webp").content[:4] == b"RIFF"
    poster = client(Calls()).get("/poster.webp")
    assert (poster.content, poster.headers["content-type"]) == (b"webp", "image/webp")


def test_a_face_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ConfigError, match=r"'helen'.*elena"):
        client(settings=Settings(face=FaceSettings(name="helen")))


def test_the_page_is_served_and_may_load_nothing_from_elsewhere():
    response = client(Calls()).get("/")
    assert response.status_code == 200
    assert "<html" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_metrics_can_be_scraped_before_the_models_are_loaded():
    response = client().get("/v1/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "\npresencia_calls 0.0\n" in response.text


def test_a_failure_inside_is_said_to_be_one_and_not_what_it_was():
    calls = Calls(ZeroDivisionError("a secret detail"))
    page = client(calls)
    page = TestClient(page.app, base_url="http://localhost", raise_server_exceptions=False)
    response = page.post("/v1/realtime/calls", content="v=0", headers=OFFER)
    assert (response.status_code, error_of(response)) == (500, "internal_error")
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text


def test_an_unknown_path_is_not_found_in_the_api_shape():
    response = client(Calls()).get("/v1/nonsense")
    assert (response.status_code, error_of(response)) == (404, "not_found")
