import logging

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from avatar.access.exposure import check_exposure
from avatar.access.keys import write_keys
from avatar.access.limits import FREE_FAILURES
from speech.errors import ConfigError
from tests.avatar.access_kit import call, door, error_of, key_file, settings_with


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_without_keys_this_machine_calls_with_whatever_key_its_client_insists_on():
    client, calls = door()
    assert call(client).status_code == 201
    assert call(client, **bearer("sk-anything")).status_code == 201
    assert [caller.key for caller in calls.callers] == [None, None]


@pytest.mark.parametrize("how", ["authorization", "api_key"])
def test_with_keys_only_a_key_calls(tmp_path, how):
    file, (token,) = key_file(tmp_path, "shop")
    client, calls = door(settings_with(keys_file=file))
    assert error_of(call(client)) == (401, "missing_api_key")
    wrong = call(client, **bearer(token[:-2] + "xx"))
    assert error_of(wrong) == (401, "invalid_api_key")
    assert wrong.headers["www-authenticate"] == "Bearer"
    header = {"authorization": f"bearer {token}"} if how == "authorization" else {how: token}
    assert call(client, **header).status_code == 201
    assert calls.callers[0].key.name == "shop"


def test_a_websocket_shows_its_key_as_a_subprotocol(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    admitted = []

    @client.app.websocket("/try")
    async def accept(socket: WebSocket):
        admitted.append(client.state.access.admit(socket))
        await socket.accept("realtime")
        await socket.close()

    # the page's files are mounted at "/" and would come first
    client.app.router.routes.insert(0, client.app.router.routes.pop())
    shown = ["realtime", f"openai-insecure-api-key.{token}", "presencia-resume.abc"]
    here = "ws://localhost/try"
    with client.websocket_connect(here, subprotocols=shown) as socket:
        assert socket.accepted_subprotocol == "realtime", "a key is no answer"
    assert (admitted[0].key.name, admitted[0].resume_token) == ("shop", "abc")
    for url, status in ((here, 401), ("ws://evil.example/try", 403)):
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(url):
            pass
        assert refused.value.status_code == status


@pytest.mark.parametrize("name", ["api-key", "api_key", "token", "Authorization"])
def test_a_key_in_the_url_is_not_read_and_the_answer_says_why(tmp_path, name):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    response = client.post(f"/v1/realtime/calls?{name}={token}", content="v=0")
    assert error_of(response) == (401, "missing_api_key")
    assert "URL" in response.json()["error"]["message"]
    assert token not in response.text


def test_no_token_gets_into_a_log(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    secret = client.post("/v1/realtime/client_secrets", headers=bearer(token)).json()["value"]
    shown = [token, secret, token[:-3] + "abc", "ek_" + "x" * 40]
    for value in shown:
        call(client, **bearer(value))
        call(client, api_key=value)
        client.post(f"/v1/realtime/calls?api-key={value}", content="v=0")
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    text = "\n".join(record.getMessage() + str(record.__dict__) for record in ours)
    assert not [value for value in shown if value in text]


def test_guessing_keys_has_to_wait_and_is_told_how_long(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    for _ in range(FREE_FAILURES + 1):
        assert call(client, **bearer("pres_guess_guess")).status_code == 401
    response = call(client, **bearer(token))
    assert error_of(response) == (429, "too_many_attempts")
    assert response.headers["retry-after"] == "1"
    elsewhere = TestClient(client.app, base_url="http://localhost", client=("192.0.2.8", 1))
    assert call(elsewhere, **bearer(token)).status_code == 201


def test_a_revoked_key_ends_its_client_secrets(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    secret = client.post("/v1/realtime/client_secrets", headers=bearer(token)).json()["value"]
    assert call(client, **bearer(secret)).status_code == 201
    write_keys(file, [])
    assert error_of(call(client, **bearer(secret))) == (401, "invalid_api_key")


def test_open_access_needs_no_key_but_believes_no_wrong_one(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, calls = door(settings_with(host="0.0.0.0", keys_file=file, open=True))
    assert call(client).status_code == 201
    assert call(client, **bearer(token)).status_code == 201
    assert call(client, **bearer("ek_forged")).status_code == 401
    assert [caller.owner[:4] for caller in calls.callers] == ["addr", "key:"]


def test_where_everybody_may_call_secrets_and_metrics_still_take_a_key():
    client, _ = door(settings_with(host="0.0.0.0", open=True))
    for method, path in (("POST", "/v1/realtime/client_secrets"), ("GET", "/v1/metrics")):
        for headers in ({}, bearer("sk-anything")):
            response = client.request(method, path, headers=headers)
            assert error_of(response) == (401, "missing_api_key")
    assert call(client).status_code == 201


def test_relay_credentials_and_metrics_are_not_for_strangers(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    assert client.get("/v1/metrics").status_code == 401
    assert client.get("/v1/avatar/metrics").status_code == 401
    assert client.get("/v1/metrics", headers=bearer(token)).status_code == 200
    config = client.get("/v1/avatar/config").json()
    assert config["access"] == {"key_required": True, "admitted": False}
    config = client.get("/v1/avatar/config", headers=bearer(token)).json()
    assert config["access"] == {"key_required": True, "admitted": True}


@pytest.mark.parametrize(
    ("settings", "is_refused"),
    [
        (settings_with(), False),
        (settings_with(host="::1"), False),
        (settings_with(host="localhost"), False),
        (settings_with(host="0.0.0.0"), True),
        (settings_with(host="192.168.1.5"), True),
        (settings_with(hosts=["avatar.example"]), True),
        (settings_with(host="0.0.0.0", open=True), False),
        (settings_with(host="0.0.0.0", keys=["a-container-has-this-one"]), False),
    ],
)
def test_a_server_that_others_reach_needs_keys_or_a_word(settings, is_refused):
    if not is_refused:
        check_exposure(settings)
        return
    with pytest.raises(ConfigError) as refused:
        check_exposure(settings)
    for what in ("presencia keys new", "access.open = true", "TLS", "docs/access.md"):
        assert what in str(refused.value)
