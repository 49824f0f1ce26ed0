"""Hosts, origins and addresses: what a request says about where it comes from."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

LOCAL_PAGE = r"https?://(localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
"""Origins of pages that this machine serves, as a regular expression."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def host_name(host_header: str) -> str:
    """The name in a `Host` header, without the port; empty if it is malformed."""
    return (_split(f"//{host_header}") or ("", None))[0]


def is_same_origin(origin: str, host_header: str) -> bool:
    """Whether a page of `origin` came from the server that is asked.

    The scheme doesn't count: behind a proxy that ends TLS the server doesn't know its own.
    """
    scheme = origin.partition("://")[0]
    port = _DEFAULT_PORTS.get(scheme)
    here, there = _split(f"//{host_header}"), _split(origin)
    if port is None or here is None or there is None or not here[0]:
        return False
    return (here[0], here[1] or port) == (there[0], there[1] or port)


def may_come_from(origin: str | None, host_header: str, allowed: Collection[str]) -> bool:
    """Whether a page may ask; what is no page sends no origin, and may."""
    if origin is None:
        return True
    return origin.lower() in allowed or is_same_origin(origin, host_header)


def is_local_page(origin: str) -> bool:
    """Whether a page came from a server of this machine."""
    return re.fullmatch(LOCAL_PAGE, origin) is not None


def network_of(address: str) -> str:
    """What counts as one caller's address: an IPv6 network of 64 bits, else the address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _split(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            return None
        return (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
