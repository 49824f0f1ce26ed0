"""Networks of our own, in kernel namespaces: an office whose firewall drops every UDP packet.

    office 10.77.1.2 --- wall --- server 10.77.2.2
                               \\- relay  10.77.2.3

Needs root, iproute2, nftables and coturn. Nothing outside the namespaces is touched.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

OFFICE, SERVER, RELAY = "10.77.1.2", "10.77.2.2", "10.77.2.3"
_HOSTS = {"office": OFFICE, "server": SERVER, "relay": RELAY}
_WALL = """
table inet wall {
  counter dropped { }
  chain pass {
    type filter hook forward priority 0; policy accept;
    iifname "office" meta l4proto udp counter name dropped drop
    oifname "office" meta l4proto udp counter name dropped drop
  }
}
"""


def why_not() -> str:
    """Why there can be no such networks here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    needed = ("ip", "nft", "nsenter", "sysctl", "openssl", "turnserver")
    missing = [name for name in needed if shutil.which(name, path=_PATH) is None]
    return f"needs {' and '.join(missing)}: deploy/setup.sh dev" if missing else ""


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Networks:
    """The namespaces, by the role of who lives there."""

    prefix: str

    def inside(self, host: str) -> list[str]:
        """What to put before a command so that it runs on a host."""
        return ["nsenter", f"--net=/run/netns/{self.prefix}-{host}", "--"]

    def run(self, host: str, *command: str, text: str | None = None) -> str:
        """Run a command on a host, to its end; its output."""
        return _run(*self.inside(host), *command, text=text)

    def block_udp(self) -> None:
        """From now on, the office's firewall lets no UDP packet through, in either direction."""
        self.run("wall", "nft", "-f", "-", text=_WALL)

    def allow_only(self, *tcp_ports: int) -> None:
        """From now on, the office also reaches no TCP ports but these."""
        ports = ", ".join(map(str, tcp_ports))
        rule = ["iifname", "office", "tcp", "dport", "!=", "{", ports, "}", "drop"]
        self.run("wall", "nft", "add", "rule", "inet", "wall", "pass", *rule)

    def dropped(self) -> int:
        """UDP packets that the firewall has stopped."""
        listed = json.loads(self.run("wall", "nft", "-j", "list", "counters"))
        counters = [each["counter"] for each in listed["nftables"] if "counter" in each]
        return sum(counter["packets"] for counter in counters)


@contextmanager
def networks() -> Iterator[Networks]:
    """Make them, and take them away again; whatever still runs inside loses its network."""
    nets = Networks(f"presencia{os.getpid()}")
    made = []
    try:
        for name in ("wall", *_HOSTS):
            _run("ip", "netns", "add", f"{nets.prefix}-{name}")
            made.append(name)
            nets.run(name, "ip", "link", "set", "lo", "up")
        _wire(nets)
        yield nets
    finally:
        for name in made:
            _run("ip", "netns", "del", f"{nets.prefix}-{name}")


def _wire(nets: Networks) -> None:
    nets.run("wall", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    nets.run("wall", "ip", "link", "add", "outside", "type", "bridge")
    for name, address in _HOSTS.items():
        there = f"{nets.prefix}-{name}"
        nets.run(
            "wall",
            "ip",
            "link",
            "add",
            name,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            there,
        )
        gateway = address.rpartition(".")[0] + ".1"
        nets.run(name, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        nets.run(name, "ip", "link", "set", "eth0", "up")
        nets.run(name, "ip", "route", "add", "default", "via", gateway)
        nets.run("wall", "ip", "link", "set", name, "up")
        if name != "office":
            nets.run("wall", "ip", "link", "set", name, "master", "outside")
    for device, address in (("office", "10.77.1.1/24"), ("outside", "10.77.2.1/24")):
        nets.run("wall", "ip", "addr", "add", address, "dev", device)
        nets.run("wall", "ip", "link", "set", device, "up")


def _run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, env={**os.environ, "PATH": _PATH}
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
