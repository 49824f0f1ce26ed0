"""Every HTTP route against the OpenAPI document that the server itself serves, by schemathesis.

The application runs as it does in life, with real calls and scripted stages. What is made up from
the document, valid or not, and offers and tokens that are worse, is answered as the document says.
"""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from starlette.testclient import TestClient

from avatar.access.limits import Failures
from avatar.calls import Calls
from avatar.doctor.load import Load
from avatar.kiosk.settings import KioskSettings
from avatar.routes import doctor, kiosk
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import WatchingSettings
from tests.avatar.access_kit import key_file, settings_with
from tests.session.held_calls import engines

pytestmark = pytest.mark.e2e

EXAMPLES = 25
HERE = "http://localhost"
REFUSED = {401, 429}
JUDGES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
OFFER = (Path(__file__).parents[1] / "data" / "chromium_offer.sdp").read_bytes().decode()
LINES = OFFER.split("\r\n")
TOKENS = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer ek_wrong", "Basic eA==", "Bearer " * 9]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_it_is(_, value):
    return str(value).encode(errors="surrogatepass")


class _Over(Exception):
    """Ends the calls' tasks."""


@asynccontextmanager
async def calls_of(given, state):
    try:
        async with asyncio.TaskGroup() as tasks:
            state.calls = Calls(given, engines([], []), tasks)
            yield
            state.calls.hang_up_all()
            raise _Over
    except* _Over:
        pass


@st.composite
def offers(draw):
    """Offers of a browser, some of their words replaced; or none."""
    lines = list(LINES)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        words = lines[at].split(" ")
        words[draw(st.integers(0, len(words) - 1))] = draw(st.text(max_size=9))
        lines[at] = " ".join(words)
    return draw(st.one_of(st.just("\r\n".join(lines)), st.text()))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A client of a server with every door open, and a key for it."""
    folder = tmp_path_factory.mktemp("openapi")
    file, (key,) = key_file(folder, "shop")
    given = settings_with(keys_file=file, calls_per_minute=10**6, client_secrets=10, max_calls=50)
    given = given.model_copy(
        update={
            "watching": WatchingSettings(enabled=True),
            "kiosk": KioskSettings(enabled=True, state_folder=folder),
        }
    )
    state = State()
    app = create_app(given, state)
    with (
        pytest.MonkeyPatch.context() as patch,
        TestClient(app, HERE, raise_server_exceptions=False, client=("127.0.0.1", 5)) as client,
        client.portal.wrap_async_context_manager(calls_of(given, state)),
    ):

        async def at_once(*_):
            return Load(2, 0.5, 1.0)

        patch.setattr(doctor, "measure_load", at_once)
        patch.setattr(kiosk, "forget_visitors", at_once)
        client.key, client.state = key, state
        started = client.post("/start", json={}, headers={"Authorization": f"Bearer {key}"})
        client.session_id = started.json()["sessionId"]
        yield client


def document():
    given = settings_with(keys=["k" * 32]).model_copy(
        update={"watching": WatchingSettings(enabled=True), "kiosk": KioskSettings(enabled=True)}
    )
    return create_app(given, State()).openapi()


SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
CASES = [(one, GenerationMode.POSITIVE) for one in OPERATIONS]
CASES += [(one, GenerationMode.NEGATIVE) for one in OPERATIONS if list(one.body)]
PIN_NEEDED = {"PUT /v1/kiosk/choices", "POST /v1/kiosk/restart", "GET /v1/kiosk/diagnostics"}


def sent(client, case, authorization):
    """The answer to a case, which goes as it would over a network."""
    asked = requests.Request(**case.as_transport_kwargs(base_url=HERE)).prepare()
    headers = {name: value for name, value in asked.headers.items() if name != "Content-Length"}
    if authorization is not None:
        headers["Authorization"] = authorization
    return client.request(asked.method, asked.url, content=asked.body, headers=headers)


def known(client, parameter):
    """The name of something that is there: what is made up leads nowhere."""
    admitted = {"Authorization": f"Bearer {client.key}"}
    match parameter:
        case "session_id":
            return client.session_id
        case "call_id":
            offer = admitted | {"Content-Type": "application/sdp"}
            answer = client.post("/v1/realtime/calls", content=OFFER, headers=offer)
            return answer.headers["Location"].rpartition("/")[2]
        case "ticket":
            owner = client.state.access.keys.find(client.key).id
            return client.portal.call(client.state.calls.places.line.join, f"key:{owner}")
        case _:
            return "nobody"


@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=[f"{mode.value}-{one.label}" for one, mode in CASES]
)
def test_it_answers_as_it_is_documented(operation, mode, server):
    key = f"Bearer {server.key}"
    tokens = st.sampled_from([key] * len(TOKENS) + TOKENS)
    statuses = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def asks(data):
        case = data.draw(operation.as_strategy(mode))
        if isinstance(case.body, str) and data.draw(st.booleans()):
            case.body = data.draw(offers())
        for name in case.path_parameters or ():
            if data.draw(st.booleans()):
                case.path_parameters[name] = known(server, name)
        if "If-Match" in (case.headers or {}) and data.draw(st.booleans()):
            case.headers["If-Match"] = "*"
        answer = sent(server, case, data.draw(tokens))
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=JUDGES)
        server.portal.call(server.state.calls.hang_up_all)
        server.state.access._failures = Failures()  # or all that follow are told to wait

    asks()
    print(operation.label, mode.value, dict(statuses))
    assert operation.label in PIN_NEEDED or set(statuses) - REFUSED, "nothing else was tried"
