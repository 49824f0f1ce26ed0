"""What tests of access share: an application whose calls are answered without a conversation."""

from pathlib import Path
from types import SimpleNamespace

from starlette.testclient import TestClient

from avatar.access.caller import Caller
from avatar.access.keys import new_key, write_keys
from avatar.access.places import Places
from avatar.access.settings import AccessSettings
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import ServerSettings, Settings
from speech.errors import ResumeExpiredError

NOWHERE = Path("/nonexistent/keys.json")
OFFER = {"content-type": "application/sdp"}


class AnsweringCalls:
    """Takes places as calls do, and answers."""

    def __init__(self, settings):
        self.now_s = 0.0
        self.places = Places(settings, lambda: self.now_s)
        self.callers: list[Caller] = []
        self.configs = []
        self.speak = None
        self.taken = []
        self.ended = []
        persona = SimpleNamespace(name="Elena", disclosure={"en": "I am an AI."})
        self.engines = SimpleNamespace(persona=persona, voices={"en": 1}, poster=b"")

    def __len__(self):
        return len(self.places)

    async def start(self, offer, config, speak, caller):
        if caller.resume_token:
            raise ResumeExpiredError("It is over.")
        self.places.count(caller)
        self.taken.append(self.places.take(caller))
        self.callers.append(caller)
        self.configs.append(config)
        self.speak = speak
        return f"rtc_{len(self.taken)}", "v=0 answer"

    def hang_up(self, call_id, *, for_good):
        self.ended.append((call_id, for_good))
        return call_id.startswith("rtc_")

    def end_one(self):
        self.places.release(self.taken.pop(0))


def settings_with(host="127.0.0.1", max_calls=20, **access):
    access.setdefault("keys_file", NOWHERE)
    server = ServerSettings(host=host, max_calls=max_calls)
    return Settings(server=server, access=AccessSettings(**access))


def door(settings=None, base_url="http://localhost", address="192.0.2.7"):
    """A client of an application, and its calls."""
    settings = settings or settings_with()
    calls = AnsweringCalls(settings)
    state = State(calls)
    app = create_app(settings, state)
    client = TestClient(app, base_url=base_url, client=(address, 50000))
    client.state = state
    return client, calls


def key_file(tmp_path, *names, **limits):
    """A file of keys; returns it and the keys."""
    file = tmp_path / "keys.json"
    made = [new_key(name, "2026-11-28", **limits) for name in names]
    write_keys(file, [key for _, key in made])
    return file, [token for token, _ in made]


def call(client, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/realtime/calls", content="v=0", headers=OFFER | names)


def error_of(response):
    return response.status_code, response.json()["error"]["code"]
