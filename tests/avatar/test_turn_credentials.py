import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from avatar.rtc.ice import browser_ice_servers, own_ice_servers
from avatar.rtc.relay_credentials import relay_credentials
from avatar.settings import RtcSettings, load
from speech.errors import ConfigError

URLS = ["turn:relay.example.org:3478?transport=udp", "turns:relay.example.org:443?transport=tcp"]
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def settings(**turn: object) -> RtcSettings:
    return RtcSettings.model_validate({"turn": {"urls": URLS, "secret": "s3cret", **turn}})


def test_the_username_says_until_when_and_the_credential_is_its_mac():
    made = relay_credentials("s3cret", 3600, NOON, "ana")
    assert made.username == f"{int(NOON.timestamp()) + 3600}:ana"
    mac = hmac.new(b"s3cret", made.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(made.credential) == mac


def test_two_callers_at_the_same_moment_are_two_users():
    assert relay_credentials("s", 60, NOON).username != relay_credentials("s", 60, NOON).username


def test_browsers_get_credentials_that_hold_for_the_configured_time_and_never_the_secret():
    before = datetime.now(UTC).timestamp()
    (server,) = browser_ice_servers(settings(lifetime_s=600))
    assert server["urls"] == URLS
    assert before + 599 <= int(str(server["username"]).split(":")[0]) <= before + 660
    assert "s3cret" not in str(server)


def test_our_own_end_needs_no_relay():
    assert own_ice_servers(settings()) == []


def test_urls_without_a_secret_are_refused_with_the_command_that_makes_one():
    with pytest.raises(ConfigError, match="presencia turn setup"):
        load(environ={"PRESENCIA_RTC__TURN__URLS": '["turn:relay.example.org"]'})


def test_a_stun_url_is_refused_where_relays_are_named():
    with pytest.raises(ConfigError, match=r"rtc\.ice_servers"):
        load(
            environ={
                "PRESENCIA_RTC__TURN__URLS": '["stun:relay.example.org"]',
                "PRESENCIA_RTC__TURN__SECRET": "s3cret",
            }
        )
