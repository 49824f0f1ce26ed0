"""What coturn is told: relay for holders of our credentials, to our server and to nobody else."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from speech.errors import ConfigError

_SECRET = re.compile(r"^\s*static-auth-secret\s*=\s*(\S+)\s*$", re.MULTILINE)
_ALLOCATIONS_PER_CALL = 16
"""A browser asks for one per URL and network interface, and again when it calls again."""
_CALL_BYTES_PER_S = 1_500_000
"""Each way: ten times what a call sends, so that it never meets the limit."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Relay:
    """A TURN server for Presencia.

    Attributes:
        host: Its name or address as clients reach it, in the URLs.
        secret: Shared with `presencia serve`.
        peers: Addresses of `presencia serve`; the relay sends to no other.
        listen: Addresses to listen at and to relay from; empty means all of the machine's.
        public_address: The address that the outside sees, where it is none of the machine's (NAT).
        port: UDP and TCP.
        tls_port: TURN over TLS, with a certificate.
        certificate: PEM, the whole chain; None: no TLS.
        key: PEM, of the certificate.
        relay_ports: First and last UDP port that calls are relayed from.
    """

    host: str
    secret: str
    peers: tuple[Address, ...]
    listen: tuple[Address, ...] = ()
    public_address: Address | None = None
    port: int = 3478
    tls_port: int = 443
    certificate: Path | None = None
    key: Path | None = None
    relay_ports: tuple[int, int] = (49152, 49652)

    def __post_init__(self) -> None:
        if not self.peers:
            raise ConfigError("The relay needs to know whom to relay to: give --server-address.")
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("TLS needs both --certificate and --key.")
        first, last = self.relay_ports
        if not 1024 <= first < last <= 65535:
            raise ConfigError(f"--relay-ports {first}-{last}: give FIRST-LAST within 1024-65535.")
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", self.host):
            raise ConfigError(f"{self.host!r} is neither a host's name nor an address.")

    @property
    def urls(self) -> list[str]:
        """TURN URLs, in the order in which a browser should prefer them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        urls = [f"turn:{host}:{self.port}?transport={each}" for each in ("udp", "tcp")]
        return [*urls, f"turns:{host}:{self.tls_port}?transport=tcp"] if self.certificate else urls

    def turnserver_conf(self) -> str:
        """`turnserver.conf`, as coturn 4.6 reads it."""
        lines = [
            "# Written by `presencia turn setup`, which writes it anew: change its arguments.",
            f"realm={self.host}",
            f"listening-port={self.port}",
            *(f"listening-ip={address}" for address in self.listen),
            *(f"relay-ip={address}" for address in self.listen),
            *([f"external-ip={self.public_address}"] if self.public_address else []),
            f"min-port={self.relay_ports[0]}",
            f"max-port={self.relay_ports[1]}",
            "# Credentials that expire, made by `presencia serve`.",
            "use-auth-secret",
            f"static-auth-secret={self.secret}",
            "fingerprint",
            "# A relay leads into the network that it stands in: this one to our server only.",
            "denied-peer-ip=0.0.0.0-255.255.255.255",
            "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            *(f"allowed-peer-ip={address}" for address in self.peers),
            *(["allow-loopback-peers"] if any(peer.is_loopback for peer in self.peers) else []),
            "no-multicast-peers",
            "no-tcp-relay",
            f"user-quota={_ALLOCATIONS_PER_CALL}",
            f"max-bps={_CALL_BYTES_PER_S}",
            *self._tls(),
            "no-dtls",
            "no-cli",
            "no-rfc5780",
            "no-stun-backward-compatibility",
            "response-origin-only-with-rfc5780",
            "no-software-attribute",
            "syslog",
        ]
        return "\n".join(lines) + "\n"

    def settings_toml(self) -> str:
        """What `presencia.toml` needs."""
        urls = ", ".join(f'"{url}"' for url in self.urls)
        return f'[rtc.turn]\nurls = [{urls}]\nsecret = "{self.secret}"\n'

    def _tls(self) -> list[str]:
        if self.certificate is None:
            return ["no-tls"]
        return [
            f"tls-listening-port={self.tls_port}",
            f"cert={self.certificate}",
            f"pkey={self.key}",
            "no-tlsv1",
            "no-tlsv1_1",
        ]


def secret_in(conf: str) -> str | None:
    """The shared secret of a `turnserver.conf`, so that it outlives a change of the rest."""
    found = _SECRET.search(conf)
    return found[1] if found else None
