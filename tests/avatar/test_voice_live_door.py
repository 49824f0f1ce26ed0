import pytest
from starlette.testclient import WebSocketDenialResponse

from tests.avatar.access_kit import door, key_file, settings_with

HERE = "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"


class Reached(Exception):
    """The caller was let in."""


def opened(client, calls, url=HERE, **headers):
    """The status that a caller is refused with; None if it is let in."""

    async def enter(config, caller):
        raise Reached

    calls.enter = enter
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with client.websocket_connect(f"ws://localhost{url}", headers=headers):
            pytest.fail("nobody answers here")
    except WebSocketDenialResponse as refused:
        return refused.status_code, refused.json()["error"]["code"]
    except Reached:
        return None


def test_where_no_key_is_needed_whatever_the_sdk_sends_is_taken():
    client, calls = door()
    assert opened(client, calls) is None
    assert opened(client, calls, api_key="none-needed") is None
    assert opened(client, calls, f"{HERE}&api-key=none-needed&h-x=1") is None


def test_keys_are_taken_from_the_headers_of_the_sdks_and_never_from_the_url(tmp_path):
    file, (key,) = key_file(tmp_path, "app")
    client, calls = door(settings_with(keys_file=file))
    assert opened(client, calls, api_key=key) is None
    assert opened(client, calls, authorization=f"Bearer {key}") is None
    assert opened(client, calls) == (401, "missing_api_key")
    assert opened(client, calls, api_key="wrong") == (401, "invalid_api_key")
    assert opened(client, calls, f"{HERE}&api-key={key}") == (401, "missing_api_key")


def test_agents_are_not_to_be_had():
    client, calls = door()
    url = "/voice-live/realtime?api-version=1&agent-name=a&agent-project-name=p"
    assert opened(client, calls, url) == (400, "agents_not_supported")
