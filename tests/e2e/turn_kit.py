"""A relay and a server in networks of their own, and a browser in an office that blocks UDP."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.e2e.blocked_network import RELAY, SERVER, Networks
from tests.e2e.browser_call import CHROMIUM, CHROMIUM_ARGS, PATIENCE_S
from tests.e2e.conftest import Server, stop_server
from tests.e2e.page.stand_in import wait_until

URL = f"http://{SERVER}"
# The page is not on https here; for what a browser then withholds, this origin is trusted.
_OFFICE_ARGS = [
    f"--unsafely-treat-insecure-origin-as-secure={URL}",
    "--ignore-certificate-errors",
]
# The server listens at 127.0.0.1 alone; as from a proxy on its machine, port 80 comes to it.
_PROXY = """
table ip proxy {
  chain arrive {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 80 dnat to 127.0.0.1:8080
  }
}
"""
_LISTENING = "0A"  # TCP state, in /proc/net/tcp


@contextmanager
def relay(nets: Networks, folder: Path) -> Iterator[str]:
    """coturn as `presencia turn setup` configures it; yields the lines for `presencia.toml`."""
    certificate, key, conf = folder / "chain.pem", folder / "key.pem", folder / "turnserver.conf"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={RELAY}", "-addext", f"subjectAltName=IP:{RELAY}"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run([*make, *subject, *files], check=True, capture_output=True)
    os.chmod(folder, 0o755)
    for each in (certificate, key):
        each.chmod(0o644)
    settings = _presencia(
        "turn", "setup", "--conf", str(conf), "--listen", RELAY,
        "--server-address", SERVER, "--certificate", str(certificate), "--key", str(key),
    )  # fmt: skip
    command = ["turnserver", "-c", str(conf), f"--pidfile={folder}/turnserver.pid"]
    process = subprocess.Popen(
        [*nets.inside("relay"), *command], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        wait_until(lambda: _listens(process.pid, 443), "coturn's port for TLS")
        yield settings
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def server(nets: Networks, config: Path) -> Iterator[Server]:
    """`presencia serve` with its real models, reached at `URL`."""
    nets.run("server", "sysctl", "-qw", "net.ipv4.conf.eth0.route_localnet=1")
    nets.run("server", "nft", "-f", "-", text=_PROXY)
    command = [sys.executable, "-m", "avatar.cli.main", "serve", "--port", "8080"]
    process = subprocess.Popen(
        [*nets.inside("server"), *command, "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Server(process)
    threading.Thread(target=running.follow, daemon=True).start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        stop_server(running)


@contextmanager
def office_browser(nets: Networks, folder: Path) -> Iterator[Browser]:
    """Chromium on the office's host."""
    script = folder / "chromium"
    script.write_text(f'#!/bin/sh\nexec {" ".join(nets.inside("office"))} {CHROMIUM} "$@"\n')
    script.chmod(0o755)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(script), headless=True, args=[*CHROMIUM_ARGS, *_OFFICE_ARGS]
        )
        yield browser
        browser.close()


def _presencia(*arguments: str) -> str:
    command = [sys.executable, "-m", "avatar.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _listens(pid: int, port: int) -> bool:
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in table]
    return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTENING for row in rows)
