import pytest

from avatar.rtc.ice import browser_ice_servers, own_ice_servers
from avatar.settings import RtcSettings
from speech.errors import ConfigError


def settings(*servers: dict) -> RtcSettings:
    return RtcSettings.model_validate({"ice_servers": list(servers)})


RELAY = {"username": "ana", "credential": "secret"}


def test_without_servers_there_is_an_empty_list_and_never_a_public_default():
    assert own_ice_servers(settings()) == []
    assert browser_ice_servers(settings()) == []


def test_the_browser_is_told_of_every_server_with_its_credentials():
    servers = settings(
        {"urls": ["stun:stun.example.org"]},
        {"urls": ["turn:relay.example.org", "turns:relay.example.org:443"], **RELAY},
    )
    assert browser_ice_servers(servers) == [
        {"urls": ["stun:stun.example.org"]},
        {"urls": ["turn:relay.example.org", "turns:relay.example.org:443"], **RELAY},
    ]


def test_our_own_end_takes_the_first_stun_server_and_the_best_relay():
    urls = ["turns:relay.example.org:443", "turn:relay.example.org?transport=tcp"]
    chosen = own_ice_servers(
        settings(
            {"urls": ["stun:one.example.org", "stun:two.example.org"]},
            {"urls": [*urls, "turn:relay.example.org"], **RELAY},
        )
    )
    assert [server.urls for server in chosen] == [
        ["stun:one.example.org"],
        ["turn:relay.example.org"],
    ]
    assert (chosen[1].username, chosen[1].credential) == ("ana", "secret")


def test_a_relay_over_tls_is_used_when_it_is_the_only_one():
    (chosen,) = own_ice_servers(settings({"urls": ["turns:relay.example.org:443"], **RELAY}))
    assert chosen.urls == ["turns:relay.example.org:443"]


def test_a_server_that_we_cannot_use_is_left_to_browsers():
    assert own_ice_servers(settings({"urls": ["stuns:stun.example.org"]})) == []


@pytest.mark.parametrize(
    "url", ["stun.example.org", "http://x", "stun:a:b:c", "stun:x?transport=udp"]
)
def test_a_malformed_url_is_a_configuration_error_that_names_it(url):
    with pytest.raises(ConfigError, match=r"rtc\.ice_servers") as caught:
        own_ice_servers(settings({"urls": [url]}))
    assert url in str(caught.value)
