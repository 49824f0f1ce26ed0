"""What every request meets first: who is asked, by which page; and the headers of every answer.

A page that a browser loaded from elsewhere can make its own name point to 127.0.0.1 (DNS rebinding)
and then ask this server as if it were its own; but the name stays in the `Host` header.
"""

import ipaddress
import logging
from collections.abc import Collection

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from avatar.access.addresses import LOCAL_PAGE, host_name, is_loopback
from avatar.access.admission import Access
from avatar.routes.errors import ApiError, refuse
from avatar.settings import Settings

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""Of a request; a browser's offer is 5 to 15 kB."""

_HARMLESS = ("GET", "HEAD", "OPTIONS")


def guard(app: FastAPI, settings: Settings, access: Access) -> None:
    """Have every request checked, its sender known, and pages elsewhere told what they may do."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.access.origins,
        allow_origin_regex=LOCAL_PAGE if access.allows_local_pages else None,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["*"],  # those of clients' own: nothing here trusts a header for its origin
        expose_headers=["Location", "Retry-After", "Preference-Applied", "ETag", "Link"],
    )
    if settings.access.trusted_proxies:
        app.add_middleware(
            ProxyHeadersMiddleware, trusted_hosts=list(settings.access.trusted_proxies)
        )
    app.add_middleware(Guard, settings=settings, access=access)


def security_headers(origins: Collection[str]) -> dict[str, str]:
    """What every answer says about what pages may do with it.

    Args:
        origins: Of pages elsewhere that may put ours into a frame.
    """
    framed_by = " ".join(("'self'", *origins))
    return {
        # The page loads nothing from elsewhere; blob: and mediastream: are its own video.
        "Content-Security-Policy": "default-src 'self'; media-src 'self' blob: mediastream:; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors {framed_by}",
        "Permissions-Policy": "microphone=(self), camera=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class Guard:
    """ASGI middleware.

    Args:
        app: What it guards.
        settings: The server's.
        access: Knows which pages may ask.
    """

    def __init__(self, app: ASGIApp, settings: Settings, access: Access) -> None:
        self._app = app
        self._access = access
        self._hosts = frozenset(settings.access.hosts)
        self._is_local = is_loopback(settings.server.host)
        self._headers = security_headers(settings.access.origins)
        self._trusted = [ipaddress.ip_network(n) for n in settings.access.trusted_proxies]
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(HTTPConnection(scope))
            self._notice_proxy(HTTPConnection(scope))
        except ApiError as error:
            if scope["type"] == "websocket":
                await refuse(WebSocket(scope, receive, send_with_headers), error)
            else:
                await error.response()(scope, receive, send_with_headers)
            return
        await self._app(scope, bounded(receive), send_with_headers)

    def _check(self, connection: HTTPConnection) -> None:
        host = host_name(connection.headers.get("host", ""))
        if not self._knows(host):
            raise ApiError(
                403,
                "host_not_allowed",
                f"This server is not {host[:100]!r}. If a proxy serves it under that name, add the "
                "name to access.hosts in the server's settings (docs/access.md).",
            )
        # What a page only reads it can't see without leave: CORS. What it does has to be refused.
        if connection.scope.get("method") not in _HARMLESS:
            self._access.check_origin(connection)

    def _notice_proxy(self, connection: HTTPConnection) -> None:
        """Warn once of a proxy whose callers count as one, since it is not believed."""
        if self._has_warned or "x-forwarded-for" not in connection.headers:
            return
        peer = connection.client.host if connection.client else ""
        if not _is_address(peer) or any(ipaddress.ip_address(peer) in n for n in self._trusted):
            return
        self._has_warned = True
        _log.warning(
            "%s says for whom it calls, and is not believed: all its callers count as one. If it "
            "is a proxy of yours, name it in access.trusted_proxies (docs/access.md)",
            peer,
        )

    def _knows(self, host: str) -> bool:
        if not host:
            return False
        if host in self._hosts or is_loopback(host):
            return True
        # An address in the place of a name was resolved by nobody, and so can't be rebound.
        return not self._is_local and (not self._hosts or _is_address(host))


def bounded(receive: Receive) -> Receive:
    """The same, which raises an `ApiError` once a request's body is too large: `413`.

    Here, for whatever reads a body, chunked or not, would read it whole, files of forms included.
    """
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                limit = f"A request has at most {MAX_BODY_BYTES // 1024} kB."
                raise ApiError(413, "too_large", limit)
        return message

    return receive_some


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
