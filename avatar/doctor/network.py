"""The network: the HTTP port, who can reach the page, the relays."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aioice.ice
import httpx

from avatar.doctor import relay
from avatar.doctor.findings import Finding, failed, good, skipped, warning
from avatar.rtc.ice import browser_ice_servers
from avatar.settings import RtcSettings, ServerSettings
from speech.errors import CallError, ServerFullError

_HTTP_LIMIT_S = 10.0
_TRIAL_PATH = "/v1/avatar/diagnosis/calls"


class Running:
    """A server that is running, seen from outside.

    Args:
        url: As "http://127.0.0.1:8080".
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @property
    def name(self) -> str:
        """Its port, for a finding."""
        parts = urlsplit(self.url)
        return f"port {parts.port or (443 if parts.scheme == 'https' else 80)}"

    async def is_there(self) -> bool:
        """Whether it is a Presencia server."""
        try:
            answer = await self._request("GET", "/v1/health/live")
            return answer.is_success and answer.json() == {"status": "ok"}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return False

    async def admits(self) -> bool:
        """Whether it lets us hold a trial call: not while it loads, nor where it wants a key."""
        try:
            answer = await self._request("GET", "/v1/avatar/config")
            return answer.is_success and answer.json()["access"]["admitted"] is True
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
            return False

    async def try_call(self, offer_sdp: str) -> str:
        """The answer to an offer for a trial call.

        Raises:
            CallError: It refuses.
        """
        try:
            answer = await self._request("POST", _TRIAL_PATH, offer_sdp)
        except httpx.HTTPError as error:
            raise CallError(f"No answer from {self.url}: {error}") from error
        if answer.is_success:
            return answer.text
        try:
            message = str(answer.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            message = f"HTTP {answer.status_code}"
        raise (ServerFullError if answer.status_code == 429 else CallError)(message)

    async def _request(self, method: str, path: str, body: str = "") -> httpx.Response:
        headers = {"Content-Type": "application/sdp"} if body else {}
        # On its own machine a server is asked by its address, which no certificate names.
        is_ours = is_loopback(urlsplit(self.url).hostname or "")
        async with httpx.AsyncClient(
            timeout=_HTTP_LIMIT_S, trust_env=False, verify=not is_ours
        ) as http:
            return await http.request(method, self.url + path, content=body, headers=headers)


async def port(running: Running) -> Finding:
    """Whether a server answers where one is said to be."""
    if await running.is_there():
        return good(running.name, f"Presencia answers at {running.url}")
    return failed(
        running.name,
        f"no Presencia server answers at {running.url}",
        "Start it there, or give --url where it is.",
    )


async def own_port(server: ServerSettings, running: Running) -> Finding:
    """Whether the HTTP port of the settings is ours or free."""
    name = running.name
    if server.port == 0:
        return skipped("port", "0: each start picks a free one; give --port to try that one")
    if await running.is_there():
        return good(name, f"Presencia answers at {running.url}")
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((server.host, server.port))
    except OSError as error:
        fix = "End the other program, or choose another port: presencia serve --port."
        return failed(name, f"can't be used: {error.strerror}", fix)
    return good(name, "free; no server runs there now (at another port: --port)")


def page_address(server: ServerSettings) -> Finding:
    """Whether browsers will give the page a microphone."""
    if server.tls_certificate:
        return good("page address", f"{server.host}: https, which browsers want for a microphone")
    if is_loopback(server.host):
        return good("page address", f"{server.host}: this machine only, where browsers allow it")
    return warning(
        "page address",
        f"{server.host}: browsers give a page the microphone only on https or localhost",
        "Set server.tls_certificate and server.tls_key, or put a proxy with TLS in front.",
    )


def media_addresses(rtc: RtcSettings) -> Finding:
    """The addresses that calls are offered at."""
    name = "media addresses"
    found = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    if rtc.offer_loopback:
        found = [*found, "127.0.0.1"]
    if not found:
        return failed(
            name, "none: this machine has no network", "Set rtc.offer_loopback = true to call here."
        )
    public = any(not ipaddress.ip_address(each).is_private for each in found)
    more = "" if public or rtc.ice_servers or rtc.turn.urls else "; all private: for this network"
    return good(name, ", ".join(found) + more)


async def ice_servers(rtc: RtcSettings) -> AsyncIterator[Finding]:
    """Every STUN and TURN URL, each by itself, with the credentials that a client gets."""
    servers = browser_ice_servers(rtc)
    if not servers:
        yield skipped("relay", "none is configured: where UDP is blocked nobody can call")
    for server in servers:
        urls = server["urls"]
        assert isinstance(urls, list)
        for url in urls:
            username, credential = server.get("username"), server.get("credential")
            yield await relay.check(
                str(url),
                None if username is None else str(username),
                None if credential is None else str(credential),
            )


def own_url(server: ServerSettings) -> str:
    """Where a server with these settings is reached from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    scheme = "https" if server.tls_certificate else "http"
    return (
        f"{scheme}://[{host}]:{server.port}" if ":" in host else f"{scheme}://{host}:{server.port}"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
