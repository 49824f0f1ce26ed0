"""`presencia turn`: a relay for networks that block UDP."""

import argparse
import ipaddress
import socket
import sys
from pathlib import Path

import psutil

from avatar.turn_server.configuration import Address, Relay
from speech.errors import ConfigError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `turn` command and its own commands."""
    turn = subparsers.add_parser("turn", help="set up a relay for networks that block UDP")
    commands = turn.add_subparsers(dest="turn_command", metavar="COMMAND", required=True)
    setup = commands.add_parser(
        "setup",
        help="install, configure and start coturn on this Debian machine",
        description="Install, configure and start coturn on this machine, and print the settings "
        "that presencia serve needs to use it. Again is harmless: the secret stays.",
    )
    setup.add_argument("--host", help="its name or address for clients (default: this machine's)")
    setup.add_argument(
        "--server-address",
        action="append",
        default=[],
        metavar="IP",
        help="of presencia serve, the only one relayed to; repeatable (default: this machine's)",
    )
    setup.add_argument("--public-address", metavar="IP", help="behind NAT: as the outside sees it")
    setup.add_argument("--listen", action="append", default=[], metavar="IP", help="default: all")
    setup.add_argument("--port", type=int, default=3478, help="UDP and TCP; default: %(default)s")
    setup.add_argument("--tls-port", type=int, default=443, help="default: %(default)s")
    setup.add_argument("--certificate", type=Path, help="TLS: the chain, PEM")
    setup.add_argument("--key", type=Path, help="TLS: the certificate's key, PEM")
    setup.add_argument(
        "--relay-ports", default="49152-49652", metavar="FIRST-LAST", help="UDP; %(default)s"
    )
    setup.add_argument("--conf", type=Path, help="default: /etc/turnserver.conf")
    setup.add_argument("--print", action="store_true", help="print the configuration; do nothing")
    turn.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Set the relay up; returns the exit status.

    Raises:
        ConfigError: An argument is no good, or something can't be installed, written or started.
    """
    from avatar.turn_server import setup

    conf = args.conf or setup.CONF
    relay = _relay(args, setup.existing_secret(conf) or setup.new_secret())
    if args.print:
        print(relay.turnserver_conf())
        print(relay.settings_toml(), end="")
        return 0
    setup.install(_say)
    setup.write(relay, conf, _say)
    if conf == setup.CONF:
        setup.start(relay, _say)
    else:
        _say(f"start it with: turnserver -c {conf}")
    _say(f"open in the firewall: {_ports(relay)}")
    _say("put these lines into presencia.toml, then: presencia doctor")
    print(relay.settings_toml(), end="")
    return 0


def _relay(args: argparse.Namespace, secret: str) -> Relay:
    listen = tuple(map(_address, args.listen))
    peers = tuple(map(_address, args.server_address)) or listen or tuple(own_addresses())
    first, _, last = args.relay_ports.partition("-")
    if not (first.isdigit() and last.isdigit()):
        raise ConfigError(f"--relay-ports {args.relay_ports}: write it as FIRST-LAST.")
    public = _address(args.public_address) if args.public_address else None
    return Relay(
        host=args.host or str(public or (listen or peers)[0]),
        secret=secret,
        peers=peers,
        listen=listen,
        public_address=public,
        port=args.port,
        tls_port=args.tls_port,
        certificate=args.certificate and args.certificate.absolute(),
        key=args.key and args.key.absolute(),
        relay_ports=(int(first), int(last)),
    )


def own_addresses() -> list[Address]:
    """This machine's addresses that others may reach: neither loopback nor link-local."""
    found = [
        ipaddress.ip_address(address.address.partition("%")[0])
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
    ]
    return sorted(
        (each for each in found if not (each.is_loopback or each.is_link_local)),
        key=lambda each: (each.version, int(each)),
    )


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not an IP address, as 192.0.2.7 is.") from error


def _ports(relay: Relay) -> str:
    first, last = relay.relay_ports
    tls = f", TCP {relay.tls_port}" if relay.certificate else ""
    return f"UDP and TCP {relay.port}{tls}, UDP {first}-{last}"


def _say(words: str) -> None:
    print(f"turn: {words}", file=sys.stderr, flush=True)
