import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import ClientSecretCreateResponse
from starlette.testclient import TestClient

from avatar.access.caller import BY_ADDRESS, Caller
from avatar.access.places import Places
from avatar.commands import Configure
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Doors, FaceFiles
from avatar.routes.queue import _stream
from avatar.terms import Terms, narrowed, without
from speech.errors import CallLimitError
from tests.avatar.access_kit import call, door, error_of, key_file, settings_with
from tests.session import virtual_clock

SECRETS = "/v1/realtime/client_secrets"


def with_session(client, **avatar):
    session = json.dumps({"type": "realtime", "avatar": avatar})
    form = {"sdp": (None, "v=0"), "session": (None, session)}
    return client.post("/v1/realtime/calls", files=form)


def test_a_client_secret_has_the_shape_that_openais_client_expects():
    client, _ = door()
    session = {"type": "realtime", "instructions": "Sell shoes."}
    asked = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session}
    response = client.post(SECRETS, json=asked)
    assert response.status_code == 200
    made = ClientSecretCreateResponse.model_validate(response.json())
    assert made.value.startswith("ek_")
    assert made.session.type == "realtime"
    assert made.session.instructions == "Sell shoes."
    again = client.post(SECRETS, content="").json()
    assert 590 <= again["expires_at"] - made.expires_at + 60 <= 610, "ten minutes by default"


def test_a_client_secret_fixes_the_session_of_whoever_uses_it(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, calls = door(settings_with(keys_file=file))
    session = {"instructions": "Sell shoes.", "avatar": {"recording": True}}
    key = {"authorization": f"Bearer {token}"}
    secret = client.post(SECRETS, json={"session": session}, headers=key).json()["value"]
    assert call(client, authorization=f"Bearer {secret}").status_code == 201
    fixed = calls.callers[0].secret.fixed
    assert fixed.instructions == "Sell shoes."
    assert fixed.recording is None, "nobody else consents for the person"
    assert calls.callers[0].owner.startswith("key:"), "it counts as a call of the key's"


def test_a_client_secret_begins_calls_and_nothing_else(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    client, _ = door(settings_with(keys_file=file))
    key = {"authorization": f"Bearer {token}"}
    secret = client.post(SECRETS, headers=key).json()["value"]
    for method, path in (("POST", SECRETS), ("GET", "/v1/metrics"), ("GET", "/v1/avatar/metrics")):
        response = client.request(method, path, headers={"authorization": f"Bearer {secret}"})
        assert error_of(response) == (403, "key_required")


TOOL = {"type": "function", "name": "size", "parameters": {"type": "object"}}


def test_a_browser_sees_what_its_secret_fixes_and_is_told_that_it_stays():
    client, calls = door()
    session = {"type": "realtime", "instructions": "Sell shoes.", "tools": [TOOL]}
    secret = client.post(SECRETS, json={"session": session}).json()["value"]
    form = {"sdp": (None, "v=0"), "session": (None, '{"tools": [], "instructions": "Be rude."}')}
    key = {"authorization": f"Bearer {secret}"}
    assert client.post("/v1/realtime/calls", files=form, headers=key).status_code == 201
    sent, commands = [], []
    doors = Doors("rtc_1", "en", "Sell shoes.", FaceFiles("x", "/"), sent.append, commands.append)
    dialect = calls.speak(doors)
    dialect.open()
    created = json.loads(sent[0])["session"]
    assert [tool["name"] for tool in created["tools"]] == ["size"]
    assert commands[-1].tools[0].name == "size"
    del sent[:]
    rude = {"type": "realtime", "tools": [], "tool_choice": "none"}
    dialect.receive(json.dumps({"type": "session.update", "session": rude, "event_id": "mine"}))
    error, updated = (json.loads(message) for message in sent)
    assert error["error"]["code"] == "session_fixed"
    assert (error["error"]["param"], error["error"]["event_id"]) == ("session.tools", "mine")
    assert updated["session"]["tools"] == created["tools"]
    assert updated["session"]["tool_choice"] == "none", "what is open changes"
    assert commands[-1].tools is None


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        '{"expires_after": {"seconds": 5}}',
        '{"expires_after": {"seconds": 7201}}',
        '{"expires_after": {"anchor": "now"}}',
        '{"session": {"type": "transcription"}}',
        '{"session": 5}',
        '{"more": 1}',
    ],
)
def test_a_client_secret_that_cannot_be_made_says_why(body):
    client, _ = door()
    response = client.post(SECRETS, content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_client_secrets_are_bounded():
    client, _ = door(settings_with(client_secrets=2))
    large = {"session": {"instructions": "x" * 70_000}}
    assert client.post(SECRETS, json=large).status_code == 413
    assert [client.post(SECRETS).status_code for _ in range(3)] == [200, 200, 429]


FIELDS = st.builds(
    CallConfig,
    language=st.sampled_from([None, "en", "es"]),
    instructions=st.sampled_from([None, "", "Sell shoes.", "Sell cars."]),
)


@given(FIELDS, FIELDS, st.sampled_from([None, "en", "es"]), st.sampled_from([None, "", "Rob."]))
def test_no_client_widens_what_is_fixed(fixed, asked, language, instructions):
    terms = Terms(fixed=fixed)
    begins = narrowed(asked, fixed)
    wanted = Configure(language, instructions)
    allowed = without(wanted, terms.refused(wanted))
    for name in ("language", "instructions"):
        value = getattr(fixed, name)
        expected = getattr(asked, name) if value is None else value
        assert getattr(begins, name) == expected
        if value is None:
            assert getattr(allowed, name) == getattr(wanted, name), "what is open stays open"
        else:
            assert getattr(allowed, name) in (None, value)


def test_one_key_has_no_more_calls_at_once_than_it_may(tmp_path):
    file, (token,) = key_file(tmp_path, "shop", max_calls=1)
    client, calls = door(settings_with(keys_file=file))
    key = {"authorization": f"Bearer {token}"}
    assert call(client, **key).status_code == 201
    response = call(client, **key)
    assert error_of(response) == (429, "too_many_calls")
    assert "retry-after" in response.headers
    calls.end_one()
    assert call(client, **key).status_code == 201


def test_one_address_has_no_more_calls_at_once_than_it_may():
    client, _ = door(settings_with(calls_per_caller=2))
    assert [call(client).status_code for _ in range(3)] == [201, 201, 429]


def test_calls_a_minute_are_limited_by_the_settings_or_the_key(tmp_path):
    file, (token,) = key_file(tmp_path, "shop", calls_per_minute=2)
    client, calls = door(settings_with(keys_file=file, calls_per_minute=9))
    key = {"authorization": f"Bearer {token}"}
    assert [call(client, **key).status_code for _ in range(3)] == [201, 201, 429]
    calls.now_s += 30
    assert call(client, **key).status_code == 201


def test_what_is_counted_for_callers_is_forgotten_with_their_calls():
    places = Places(settings_with(max_calls=100), lambda: 0.0)
    taken = [places.take(Caller(f"{BY_ADDRESS}{n}")) for n in range(50)]
    for place in taken:
        places.release(place)
    assert not places._of


def test_one_caller_cannot_begin_calls_without_end():
    places = Places(settings_with(calls_per_minute=5), lambda: 0.0)
    caller = Caller(f"{BY_ADDRESS}192.0.2.7")
    for _ in range(5):
        places.count(caller)
    with pytest.raises(CallLimitError) as refused:
        places.count(caller)
    assert refused.value.wait_s == pytest.approx(12)


def test_a_caller_who_does_not_wait_hears_that_all_places_are_taken():
    client, _ = door(settings_with(max_calls=1))
    call(client)
    response = call(client)
    assert error_of(response) == (429, "server_full")
    assert int(response.headers["retry-after"]) > 0


def test_a_caller_who_waits_gets_a_ticket_then_a_place():
    client, calls = door(settings_with(max_calls=1))
    call(client)
    waits = call(client, prefer="wait, respond-async")
    assert waits.status_code == 202
    assert waits.headers["preference-applied"] == "wait"
    url, ticket = waits.headers["location"], waits.json()["ticket"]
    assert url == f"/v1/realtime/queue/{ticket}"
    standing = client.get(url).json()
    assert (standing["status"], standing["place"]) == ("waiting", 1)
    assert standing["expected_wait_s"] > 0
    early = call(client, presencia_ticket=ticket)
    assert early.status_code == 202, "too early: it keeps its place"
    assert early.json()["ticket"] == ticket
    calls.end_one()
    assert client.get(url).json()["status"] == "ready"
    assert call(client).status_code == 429, "the place is kept"
    assert call(client, presencia_ticket=ticket).status_code == 201
    assert error_of(client.get(url)) == (410, "ticket_expired")
    assert error_of(call(client, presencia_ticket=ticket)) == (410, "ticket_expired")


def test_a_page_says_in_the_session_that_it_waits_and_shows_its_ticket_there():
    client, calls = door(settings_with(max_calls=1))
    call(client)
    ticket = with_session(client, queue=True).json()["ticket"]
    calls.end_one()
    assert with_session(client, ticket=ticket).status_code == 201


def test_who_leaves_the_line_makes_room():
    client, _ = door(settings_with(max_calls=1, queue=1))
    call(client)
    url = call(client, prefer="wait").headers["location"]
    assert error_of(call(client, prefer="wait")) == (429, "queue_full")
    assert client.delete(url).status_code == 204
    assert call(client, prefer="wait").status_code == 202


def test_a_caller_who_takes_many_tickets_leaves_some_for_others():
    client, _ = door(settings_with(max_calls=1, queue=10, queue_per_caller=3))
    other = TestClient(client.app, base_url="http://localhost", client=("192.0.2.8", 50000))
    call(other)
    answers = [call(client, prefer="wait") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert error_of(answers[-1]) == (429, "too_many_calls")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert call(other, prefer="wait").json()["place"] == 4


def test_a_site_s_visitors_who_share_a_key_wait_each_for_themselves(tmp_path):
    file, (token,) = key_file(tmp_path, "shop")
    first, _ = door(settings_with(max_calls=1, queue_per_caller=1, keys_file=file))
    key = {"authorization": f"Bearer {token}"}
    secret = {"authorization": "Bearer " + first.post(SECRETS, headers=key).json()["value"]}
    second = TestClient(first.app, base_url="http://localhost", client=("192.0.2.8", 50000))
    call(first, **secret)
    assert call(first, prefer="wait", **secret).json()["place"] == 1
    assert call(second, prefer="wait", **secret).json()["place"] == 2
    assert error_of(call(second, prefer="wait", **secret)) == (429, "too_many_calls")
    assert call(first, prefer="wait", **key).json()["place"] == 3
    assert error_of(call(second, prefer="wait", **key)) == (429, "too_many_calls"), "one key"


def test_the_line_is_streamed_until_a_place_is_ready():
    async def watch():
        _, calls = door(settings_with(max_calls=1))
        line = calls.places.line
        line.now = asyncio.get_running_loop().time
        place = line.take("")
        ticket = line.join("")
        seen = []

        async def read():
            now_s = asyncio.get_running_loop().time
            seen.extend([(now_s(), event) async for event in _stream(line, ticket, "")])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            await asyncio.sleep(62)
            line.release(place)
        return seen

    seen = virtual_clock.run(watch())
    assert seen[-1][0] == 62, "told at once"
    assert seen[-1][1].startswith("event: ready\ndata: {")
    assert json.loads(seen[0][1].partition("data: ")[2])["place"] == 1
    assert max(b[0] - a[0] for a, b in pairwise(seen)) <= 5.1, "kept alive"


def test_a_stream_is_server_sent_events():
    client, calls = door(settings_with(max_calls=1))
    call(client)
    url = call(client, prefer="wait").headers["location"]
    calls.end_one()
    response = client.get(url, headers={"accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.startswith("event: ready")
    assert client.get("/v1/realtime/queue/none").status_code == 410


def test_a_call_that_is_forgotten_cannot_be_gone_on_with():
    client, _ = door()
    response = with_session(client, resume_token="of-yesterday")
    assert error_of(response) == (410, "resume_expired")
