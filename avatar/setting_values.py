"""Kinds of values in the settings that are checked before anything starts."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

RELAY_URL = re.compile(
    r"(stuns?|turns?):(\[[0-9a-fA-F:.]+\]|[^:?\[\]/@\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?"
)
"""Scheme, host, port and transport: RFC 7064, RFC 7065."""
_LARGEST_PORT = 65_535


def _http_url(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its port is no number, or too large
        is_one = False
    if not is_one or re.search(r"\s", value):
        raise ValueError(
            "a URL begins with http:// or https:// and names a host, as 'http://127.0.0.1:8000'"
        )
    return value


def _relay_url(value: str) -> str:
    found = RELAY_URL.fullmatch(value)
    if found is None or int(found[3] or 1) not in range(1, _LARGEST_PORT + 1):
        raise ValueError("write it as 'stun:host:3478' or 'turn:host:3478?transport=udp'")
    if found[1].startswith("stun") and found[4]:
        raise ValueError("a stun: URL takes no ?transport: browsers refuse it")
    return value


def _turn_url(value: str) -> str:
    if not value.startswith(("turn:", "turns:")):
        raise ValueError("urls begin with turn: or turns:; STUN goes to rtc.ice_servers")
    return _relay_url(value)


def _from_home(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError("nobody has that home folder") from None


Text = Annotated[str, StringConstraints(min_length=1)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]  # "" is none
RelayUrl = Annotated[str, AfterValidator(_relay_url)]
TurnUrl = Annotated[str, AfterValidator(_turn_url)]
UserPath = Annotated[Path, AfterValidator(_from_home)]
