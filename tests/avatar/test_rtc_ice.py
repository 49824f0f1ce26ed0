from avatar.rtc.ice import browser_ice_servers, own_ice_servers
from avatar.settings import RtcSettings


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


def test_an_address_that_our_own_end_does_not_read_is_left_to_browsers():
    servers = settings({"urls": ["stun:[2001:db8::7]:3478", "stun:stun.example.org"]})
    assert [server.urls for server in own_ice_servers(servers)] == [["stun:stun.example.org"]]
