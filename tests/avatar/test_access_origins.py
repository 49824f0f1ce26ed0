import pytest

from avatar.access.addresses import is_loopback, is_same_origin, network_of
from avatar.access.settings import AccessSettings
from tests.avatar.access_kit import call, door, error_of, settings_with

SHOP = "https://shop.example"


def public(**access):
    return door(settings_with(host="0.0.0.0", open=True, **access), "http://avatar.example")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "a.localhost"])
def test_this_machine_knows_itself_by_its_own_names(host):
    client, _ = door()
    assert call(client, host=host).status_code == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(host):
    client, _ = door()
    for response in (call(client, host=host), client.get("/", headers={"host": host})):
        assert error_of(response) == (403, "host_not_allowed")
        assert "access.hosts" in response.json()["error"]["message"]
        assert "content-security-policy" in response.headers


@pytest.mark.parametrize("host", ["", " ", "a b", "[::1", "localhost/x", "localhost@evil.example"])
def test_a_malformed_host_is_refused(host):
    client, _ = door()
    assert error_of(call(client, host=host)) == (403, "host_not_allowed")


def test_a_name_that_a_proxy_uses_is_known_and_others_are_not():
    client, _ = public(hosts=["avatar.example"])
    assert call(client).status_code == 201
    assert call(client, host="10.0.0.4:8080").status_code == 201, "a probe asks by address"
    assert error_of(call(client, host="evil.example")) == (403, "host_not_allowed")


def test_pages_elsewhere_call_only_if_they_are_named():
    client, calls = public(origins=[SHOP])
    assert call(client, origin=SHOP).status_code == 201
    assert call(client, origin="http://avatar.example").status_code == 201, "its own page"
    assert call(client, origin="https://avatar.example").status_code == 201, "behind TLS"
    for origin in ("https://evil.example", f"{SHOP}.evil.example", "http://shop.example", "null"):
        response = call(client, origin=origin)
        assert error_of(response) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in response.headers
    assert len(calls.callers) == 3


def test_a_page_that_is_named_may_read_what_it_needs_without_credentials():
    client, _ = public(origins=[SHOP])
    asked = {
        "origin": SHOP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
    }
    allowed = client.options("/v1/realtime/calls", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SHOP
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    answer = call(client, origin=SHOP)
    assert "Location" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    refused = client.options("/v1/realtime/calls", headers=asked | {"origin": "https://e.example"})
    assert "access-control-allow-origin" not in refused.headers


def test_an_error_can_be_read_by_the_page_that_caused_it():
    client, _ = public(origins=[SHOP])
    response = client.post("/v1/realtime/calls", content=b"\xff", headers={"origin": SHOP})
    assert response.status_code == 400
    assert response.headers["access-control-allow-origin"] == SHOP


def test_only_pages_that_are_named_may_frame_ours():
    own, _ = public()
    assert "frame-ancestors 'self';" in own.get("/").headers["content-security-policy"] + ";"
    client, _ = public(origins=[SHOP])
    policy = client.get("/").headers["content-security-policy"]
    assert f"frame-ancestors 'self' {SHOP}" in policy
    assert client.get("/").headers["permissions-policy"] == "microphone=(self), camera=()"


def test_a_developers_page_on_this_machine_calls_a_server_that_nobody_else_reaches():
    client, _ = door()
    response = call(client, origin="http://localhost:5173")
    assert response.status_code == 201
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
    for origin in ("http://localhost.evil.example", "https://evil.example", "null", "http://[::1"):
        assert error_of(call(client, origin=origin)) == (403, "origin_not_allowed")
    reachable, _ = public()
    assert call(reachable, origin="http://localhost:5173").status_code == 403
    strict, _ = door(settings_with(origins=[SHOP]))
    assert call(strict, origin="http://localhost:5173").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_foreign_page_does_nothing_at_any_door(method):
    client, _ = public(origins=[SHOP])
    for path in ("/v1/realtime/client_secrets", "/api/offer", "/v1/whatever/comes/next"):
        response = client.request(method, path, headers={"origin": "https://evil.example"})
        assert error_of(response) == (403, "origin_not_allowed")
        assert "content-security-policy" in response.headers


def test_a_foreign_page_cannot_hang_up():
    client, calls = public(origins=[SHOP])
    hangup = "/v1/realtime/calls/rtc_1/hangup"
    assert client.post(hangup, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post(hangup, headers={"origin": SHOP}).status_code == 200
    assert client.post(hangup + "?resume=true").status_code == 200
    assert calls.ended == [("rtc_1", True), ("rtc_1", False)]


@pytest.mark.parametrize(
    ("trusted", "sees"), [([], "192.0.2.7"), (["192.0.2.0/24", "10.9.0.1"], "198.51.100.5")]
)
def test_only_a_trusted_proxy_says_who_calls(trusted, sees):
    client, calls = public(trusted_proxies=trusted)
    forwarded = "203.0.113.99, 198.51.100.5, 10.9.0.1"  # the first was made up by the caller
    assert call(client, x_forwarded_for=forwarded).status_code == 201
    assert calls.callers[0].owner == f"address:{sees}"


def test_a_proxy_that_is_not_believed_is_named_once_in_the_log(caplog):
    client, _ = public()
    for _ in range(3):
        call(client, x_forwarded_for="203.0.113.99")
    assert caplog.text.count("access.trusted_proxies") == 1
    assert "192.0.2.7" in caplog.text
    assert "203.0.113.99" not in caplog.text
    caplog.clear()
    trusting, _ = public(trusted_proxies=["192.0.2.0/24"])
    call(trusting, x_forwarded_for="203.0.113.99")
    assert not caplog.text


@pytest.mark.parametrize(
    "origin", ["*", "shop.example", f"{SHOP}/", "https://*.shop.example", "https://u@shop.example"]
)
def test_an_origin_that_is_none_is_refused_at_start(origin):
    with pytest.raises(ValueError, match="origin"):
        AccessSettings(origins=[origin])


def test_addresses_of_one_household_count_as_one():
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::2")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("fe80::1%eth0") == network_of("fe80::2%eth1")
    assert len(network_of("x" * 1000)) == 64


def test_names_and_ports_make_an_origin():
    assert is_same_origin("http://a.example:8080", "a.example:8080")
    assert is_same_origin("https://a.example", "a.example:443")
    assert not is_same_origin("https://a.example", "a.example:8443")
    assert not is_same_origin("null", "null")
    assert not is_same_origin("", "")
    assert is_loopback("127.8.8.8")
    assert not is_loopback("localhost.example")
