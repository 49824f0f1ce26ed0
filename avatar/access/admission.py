"""Who is let in: every door asks `Access.admit`."""

import asyncio
import logging
from collections.abc import Collection
from typing import Literal, NoReturn

from starlette.requests import HTTPConnection

from avatar.access import client_secrets
from avatar.access.addresses import is_local_page, may_come_from, network_of
from avatar.access.caller import BY_ADDRESS, BY_KEY, Caller
from avatar.access.client_secrets import ClientSecrets
from avatar.access.exposure import is_local
from avatar.access.keys import KeyRing
from avatar.access.limits import Failures
from avatar.routes.errors import ApiError, later
from avatar.settings import Settings

_log = logging.getLogger(__name__)

TICKET_HEADER = "presencia-ticket"
KEY_SUBPROTOCOL = "openai-insecure-api-key."
RESUME_SUBPROTOCOL = "presencia-resume."

_IN_A_URL = frozenset(
    ("key", "api_key", "api-key", "apikey", "token", "access_token", "authorization", "secret")
)
_HOW = (
    "Send a key as 'Authorization: Bearer KEY' or 'api-key: KEY', or the WebSocket subprotocol "
    f"'{KEY_SUBPROTOCOL}KEY'; docs/access.md says how to make one."
)

Purpose = Literal["call", "manage"]
"""What is asked for: a call and all that belongs to it; or what takes a key itself."""


class Access:
    """Lets callers in, or says why not and what to do.

    Args:
        settings: The server's.

    Raises:
        ConfigError: The file of keys can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        own = settings.access
        self.keys = KeyRing(own.keys_path, [key.get_secret_value() for key in own.keys])
        self.secrets = ClientSecrets(own.client_secrets)
        self._settings = own
        self._failures = Failures()
        self._is_local = is_local(settings)

    @property
    def key_required(self) -> bool:
        """Whether nobody calls without a key or a client secret."""
        return self.keys.demanded and not self._settings.open

    def admit(self, connection: HTTPConnection, purpose: Purpose = "call") -> Caller:
        """Find out who asks.

        Args:
            connection: A request, or a WebSocket before it is accepted.
            purpose: What they ask for.

        Raises:
            ApiError: They are not let in: `401`, `403` or `429`.
        """
        address = network_of(connection.client.host if connection.client else "")
        offered = [name.strip() for name in _list(connection, "sec-websocket-protocol")]
        caller = self._identify(_token(connection, offered), connection, address, purpose)
        return Caller(
            caller.owner,
            caller.key,
            caller.secret,
            ticket=connection.headers.get(TICKET_HEADER, ""),
            resume_token=_after(RESUME_SUBPROTOCOL, offered),
            address=address,
        )

    def admits(self, connection: HTTPConnection, purpose: Purpose = "call") -> bool:
        """Whether `admit` lets them in."""
        try:
            self.admit(connection, purpose)
        except ApiError:
            return False
        return True

    @property
    def allows_local_pages(self) -> bool:
        """Whether any page of this machine may call: while no other machine can."""
        return self._is_local and not self._settings.origins

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse what a page asks that may not; `Guard` asks this for every door.

        Raises:
            ApiError: `403`.
        """
        origin = connection.headers.get("origin")
        host = connection.headers.get("host", "")
        if may_come_from(origin, host, self._settings.origins):
            return
        if origin is not None and self.allows_local_pages and is_local_page(origin):
            return
        raise ApiError(
            403,
            "origin_not_allowed",
            f"Pages of {(origin or '')[:100]!r} may not call here. Add it to access.origins in the "
            "server's settings (docs/access.md).",
        )

    def _identify(
        self, token: str, connection: HTTPConnection, address: str, purpose: Purpose
    ) -> Caller:
        is_secret = token.startswith(client_secrets.PREFIX)
        if not token or not (is_secret or self.keys.demanded):
            # Without keys, whatever a client that insists on one has been given is as good as none.
            if self.key_required or (purpose == "manage" and not self._is_local):
                self._refuse_without_key(connection)
            return Caller(BY_ADDRESS + address)
        now_s = _now_s()
        wait_s = self._failures.wait_s(address, now_s)
        if wait_s > 0:
            raise later("too_many_attempts", "Too many wrong keys came from here. Wait.", wait_s)
        secret = self.secrets.find(token, now_s) if is_secret else None
        made_with = self.keys.named(secret.key_id) if secret is not None else None
        if secret is not None and (made_with is not None or not secret.key_id):
            if purpose == "manage":
                raise ApiError(
                    403, "key_required", "A client secret only begins calls; this takes a key."
                )
            owner = BY_KEY + made_with.id if made_with else BY_ADDRESS + address
            return Caller(owner, made_with, secret)
        key = None if is_secret else self.keys.find(token)
        if key is not None:
            return Caller(BY_KEY + key.id, key)
        self._failures.note(address, now_s)
        what = "client secret has expired or" if is_secret else "key"
        raise ApiError(
            401,
            "invalid_api_key",
            f"This {what} is not valid here. {_HOW}",
            **{"WWW-Authenticate": "Bearer"},
        )

    def _refuse_without_key(self, connection: HTTPConnection) -> NoReturn:
        message = f"This takes a key. {_HOW}"
        if any(name.lower() in _IN_A_URL for name in connection.query_params):
            message = f"A key in the URL is not read: URLs are kept in logs. {_HOW}"
        raise ApiError(401, "missing_api_key", message, **{"WWW-Authenticate": "Bearer"})


def _token(connection: HTTPConnection, subprotocols: Collection[str]) -> str:
    """The key or secret that was shown; empty if none was."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    return connection.headers.get("api-key", "").strip() or _after(KEY_SUBPROTOCOL, subprotocols)


def _after(prefix: str, values: Collection[str]) -> str:
    return next((v.removeprefix(prefix) for v in values if v.startswith(prefix)), "")


def _list(connection: HTTPConnection, header: str) -> list[str]:
    return connection.headers.get(header, "").split(",")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
