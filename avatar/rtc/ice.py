"""STUN and TURN servers: which ones we use, and which ones the browser is told of."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from avatar.rtc.relay_credentials import relay_credentials
from avatar.settings import IceServer, RtcSettings

logger = logging.getLogger(__name__)

_PREFERENCE = ("turn:udp", "turn:tcp", "turns:tcp")
"""TURN over UDP adds no head-of-line blocking; TLS is the last resort of closed networks."""


def browser_ice_servers(settings: RtcSettings) -> list[dict[str, object]]:
    """The servers as `RTCPeerConnection` takes them in a browser: all of them, with credentials.

    Those of `rtc.turn` are made anew each time, and hold for `rtc.turn.lifetime_s`.
    """
    servers: list[dict[str, object]] = []
    for server in settings.ice_servers:
        entry: dict[str, object] = {"urls": list(server.urls)}
        if server.username is not None:
            entry["username"] = server.username
        if server.credential is not None:
            entry["credential"] = _secret(server)
        servers.append(entry)
    turn = settings.turn
    if turn.urls:
        made = relay_credentials(turn.secret.get_secret_value(), turn.lifetime_s, datetime.now(UTC))
        servers.append(
            {"urls": list(turn.urls), "username": made.username, "credential": made.credential}
        )
    return servers


def own_ice_servers(settings: RtcSettings) -> list[RTCIceServer]:
    """The servers that our own end uses: at most one STUN and one TURN, for aioice takes no more.

    That of `rtc.turn` is not among them: only the browser's end of a call is relayed by it.
    Never None, which would mean aiortc's default, somebody else's public server.
    """
    stun: list[RTCIceServer] = []
    turn: list[tuple[int, RTCIceServer]] = []
    for url, kind, server in _each_url(settings):
        if kind == "stun":
            stun.append(RTCIceServer(urls=[url]))
        elif kind in _PREFERENCE:
            relay = RTCIceServer(
                urls=[url], username=server.username, credential=_secret(server) or None
            )
            turn.append((_PREFERENCE.index(kind), relay))
        else:
            logger.warning("ICE server is for browsers only: unsupported here", extra={"url": url})
    turn.sort(key=lambda ranked: ranked[0])
    chosen = [*stun[:1], *(server for _, server in turn[:1])]
    unused = [*stun[1:], *(server for _, server in turn[1:])]
    for spare in unused:
        logger.info("ICE server is for browsers only", extra={"url": spare.urls[0]})
    return chosen


def _each_url(settings: RtcSettings) -> Iterator[tuple[str, str, IceServer]]:
    for server in settings.ice_servers:
        for url in server.urls:
            try:
                parsed = parse_stun_turn_uri(url)
            except ValueError:  # aiortc reads no addresses of IPv6
                yield url, "unread", server
                continue
            scheme = str(parsed["scheme"])
            kind = f"{scheme}:{parsed['transport']}" if scheme.startswith("turn") else scheme
            yield url, kind, server


def _secret(server: IceServer) -> str:
    return server.credential.get_secret_value() if server.credential else ""
