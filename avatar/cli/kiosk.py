"""`presencia kiosk`: a screen in a hall."""

import argparse
import asyncio
import getpass
import logging
import os
import sys
from pathlib import Path

from avatar.settings import Settings, load
from speech.errors import ConfigError

_SERVICE_WANTS = {
    "PRESENCIA_KIOSK__ENABLED": "true",
    # Without a network there is no other address; see docs/kiosk.md.
    "PRESENCIA_RTC__OFFER_LOOPBACK": "true",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser("kiosk", help="run a full-screen kiosk on this machine")
    parser.add_argument("--config", type=Path, help="settings file (default: presencia.toml)")
    commands = parser.add_subparsers(metavar="COMMAND", title="other commands")
    parser.set_defaults(run=run)
    parser.add_argument("--url", help="of a service that runs already (default: start one)")
    pin = commands.add_parser("pin", help="set the staff's PIN; reads it from the terminal")
    pin.set_defaults(run=set_pin)
    policy = commands.add_parser("policy", help="print Chromium's managed policy for this kiosk")
    policy.set_defaults(run=print_policy)
    status = commands.add_parser("status", help="print how the kiosk is, and what was restarted")
    status.set_defaults(run=print_status)


def run(args: argparse.Namespace) -> int:
    """Run the kiosk until interrupted.

    Raises:
        ConfigError: The settings are wrong, or a program is missing.
    """
    from avatar.kiosk import chromium, launcher

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("avatar.kiosk").setLevel(logging.INFO)
    settings = load(args.config)
    url = (args.url or _own_url(settings)).rstrip("/")
    if not chromium.has_policy(chromium.origin_of(url)):
        print(
            "presencia: Chromium has no policy for this kiosk and will ask for the microphone. "
            f"As root: presencia kiosk policy > {chromium.POLICY_FOLDER}/{chromium.POLICY_FILE}",
            file=sys.stderr,
        )
    if os.geteuid() == 0 and "--no-sandbox" not in settings.kiosk.chromium_args:
        raise ConfigError(
            "Chromium keeps no sandbox for root: run the kiosk as an ordinary user, as "
            "docs/kiosk.md sets one up."
        )
    line = None if args.url else launcher.serve_line(args.config, settings.server.port)
    plan = launcher.Plan(
        url, line, _SERVICE_WANTS, settings.kiosk.chromium, settings.kiosk.chromium_args
    )
    asyncio.run(launcher.run(plan))
    return 0


def set_pin(args: argparse.Namespace) -> int:
    """Set the staff's PIN.

    Raises:
        ConfigError: It is no PIN, or was mistyped.
    """
    from avatar.kiosk.staff import Staff

    if sys.stdin.isatty():
        pin = getpass.getpass("New PIN: ")
        if getpass.getpass("Again: ") != pin:
            raise ConfigError("Those were two different PINs: nothing was changed.")
    else:
        pin = sys.stdin.readline().strip()
    root = load(args.config).kiosk.root
    Staff(root).set_pin(pin)
    print(f"The PIN is kept as a salted hash in {root}/pin.json.")
    return 0


def print_policy(args: argparse.Namespace) -> int:
    """Print the managed policy."""
    from avatar.kiosk import chromium

    print(chromium.policy_text(_own_url(load(args.config))), end="")
    return 0


def print_status(args: argparse.Namespace) -> int:
    """Print the kiosk's status as JSON.

    Raises:
        ConfigError: No kiosk answers.
    """
    import httpx

    url = f"{_own_url(load(args.config))}/v1/kiosk/status"
    try:
        answer = httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise ConfigError(f"No kiosk answers at {url}: is it running?") from error
    print(answer.text)
    return 0


def _own_url(settings: Settings) -> str:
    if settings.server.port == 0:
        raise ConfigError("A kiosk needs a fixed port, for Chromium's policy: set server.port.")
    return f"http://127.0.0.1:{settings.server.port}"
