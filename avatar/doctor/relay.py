"""STUN and TURN servers, tried one URL at a time, as a client would use them."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from aioice import stun
from aioice.turn import TurnTransport, create_turn_endpoint

from avatar.doctor.findings import Finding, failed, good, skipped, warning
from avatar.setting_values import RELAY_URL

_PORT, _TLS_PORT = 3478, 5349
_LIMIT_S = 6.0
_RESENT_AFTER_S = (0.5, 1.0, 2.0)
"""UDP loses packets: RFC 8489, 6.2.1, has a question sent again at these intervals."""
_ARRIVES_WITHIN_S = 3.0
_FORBIDDEN = 403
_UNAUTHORIZED = (401, 441)
_QUOTA = 486
_PROBE = b"presencia doctor"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a URL leads.

    Attributes:
        url: As it is configured.
        scheme: stun, stuns, turn or turns.
        host: Name or address.
        port: Of the server.
        transport: udp or tcp.
    """

    url: str
    scheme: str
    host: str
    port: int
    transport: str

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Read a URL.

        Raises:
            ValueError: It is not a STUN or TURN URL.
        """
        found = RELAY_URL.fullmatch(url)
        if found is None:
            raise ValueError(url)
        scheme, host, port, transport = found.groups()
        secure = scheme.endswith("s")
        return cls(
            url,
            scheme,
            host.strip("[]"),
            int(port or (_TLS_PORT if secure else _PORT)),
            transport or ("tcp" if secure else "udp"),
        )

    @property
    def way(self) -> str:
        """As people call it: UDP, TCP or TLS."""
        return "TLS" if self.scheme.endswith("s") else self.transport.upper()


class _Inbox(asyncio.DatagramProtocol):
    """Keeps what arrives, or what went wrong."""

    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.first.done():
            self.first.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.first.done():
            self.first.set_exception(exc)


async def check(url: str, username: str | None, credential: str | None) -> Finding:
    """Try one STUN or TURN server.

    A relay is asked for a port, and then to bring a packet from there to this machine, as it will
    have to bring a client's media to a server that runs here.
    """
    try:
        server = Endpoint.parse(url)
    except ValueError:
        fix = "Write it as 'stun:host:3478' or 'turn:host:3478?transport=udp'."
        return failed(f"ice {url}", "not a STUN or TURN URL", fix)
    name = f"{server.scheme.rstrip('s')} over {server.way}, {server.host}:{server.port}"
    try:
        address = await _resolve(server)
    except OSError:
        fix = f"Correct the name in {url}, or the DNS that this machine asks."
        return failed(name, "nobody knows this name", fix)
    if server.scheme == "stuns":
        return skipped(name, "for browsers only; not tried from here")
    try:
        async with asyncio.timeout(_LIMIT_S):
            if server.scheme == "stun":
                return await _check_stun(name, address)
            return await _check_turn(name, server, address, username, credential)
    except (TimeoutError, OSError, stun.TransactionError) as error:
        return _explain(name, server, error)


async def _resolve(server: Endpoint) -> tuple[str, int]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
    host, port = found[0][4][:2]
    return str(host), int(port)


async def _check_stun(name: str, address: tuple[str, int]) -> Finding:
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(_Inbox, remote_addr=address)
    try:
        question = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))
        for wait_s in _RESENT_AFTER_S:
            transport.sendto(question)
            done, _ = await asyncio.wait([inbox.first], timeout=wait_s)
            if done:
                break
        else:
            raise TimeoutError
        answer = stun.parse_message(inbox.first.result())
    finally:
        transport.close()
    seen = answer.attributes.get("XOR-MAPPED-ADDRESS") or answer.attributes["MAPPED-ADDRESS"]
    own = _own_address(address)
    says = "sees this machine at its own address" if seen[0] == own else "sees it behind a NAT"
    return good(name, f"answers; {says}")


async def _check_turn(
    name: str,
    server: Endpoint,
    address: tuple[str, int],
    username: str | None,
    credential: str | None,
) -> Finding:
    # By name, for that is what a certificate is made out for.
    there = (server.host, server.port)
    tls = ssl.create_default_context() if server.way == "TLS" else None
    transport, errors = await create_turn_endpoint(
        _Inbox, there, username, credential, ssl=tls, transport=server.transport
    )
    try:
        return await _relay_a_packet(name, transport, errors, _own_address(address))
    finally:
        transport.close()


async def _relay_a_packet(
    name: str, relay: TurnTransport, errors: _Inbox, own_address: str
) -> Finding:
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(_Inbox, local_addr=(own_address, 0))
    try:
        relay.sendto(_PROBE, transport.get_extra_info("sockname")[:2])
        done, _ = await asyncio.wait(
            [inbox.first, errors.first],
            timeout=_ARRIVES_WITHIN_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for first in done:
            first.result()
    finally:
        transport.close()
    if inbox.first in done:
        return good(name, f"relays to this machine ({own_address})")
    fix = "Let UDP from the relay's ports in at this machine's firewall (docs/network.md)."
    return warning(name, f"takes calls, but brings nothing to this machine ({own_address})", fix)


def _own_address(towards: tuple[str, int]) -> str:
    """This machine's address on the way to another."""
    family = socket.AF_INET6 if ":" in towards[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(towards)
        return str(probe.getsockname()[0])


def _explain(name: str, server: Endpoint, error: BaseException) -> Finding:
    """What an error means, and what to do."""
    for matches, says, fix in _MEANINGS:
        if matches(error):
            return failed(name, says, fix.format(port=server.port, way=server.way))
    says = str(error) or type(error).__name__
    return failed(name, says, "See the relay's log: journalctl -u coturn.")


def _code(error: BaseException) -> int:
    return (error.response.error_code or 0) if isinstance(error, stun.TransactionFailed) else 0


_MEANINGS: tuple[tuple[Callable[[BaseException], bool], str, str], ...] = (
    (
        lambda error: _code(error) in _UNAUTHORIZED,
        "refuses our credentials",
        "Copy the lines that `presencia turn setup` prints there into presencia.toml, and check "
        "that both machines' clocks are right.",
    ),
    (
        lambda error: _code(error) == _FORBIDDEN,
        "does not relay to this machine",
        "Run `presencia turn setup --server-address` there with this machine's address.",
    ),
    (
        lambda error: _code(error) == _QUOTA,
        "has given out all that it may",
        "Wait a minute, or raise user-quota in its configuration.",
    ),
    (
        lambda error: isinstance(error, ssl.SSLCertVerificationError),
        "its certificate is not valid for this name",
        "Give `presencia turn setup` the whole chain of a current certificate for this name.",
    ),
    (
        lambda error: isinstance(error, ssl.SSLError),
        "does not speak TLS on this port",
        "Give `presencia turn setup` a certificate and its key.",
    ),
    (
        lambda error: isinstance(error, ConnectionRefusedError),
        "nothing listens there",
        "Start the relay: systemctl start coturn; it must listen at port {port}.",
    ),
    (
        lambda error: isinstance(error, TimeoutError | stun.TransactionTimeout),
        "nothing answers",
        "Open port {port} ({way}) in the firewalls on the way, and see that coturn runs.",
    ),
)
