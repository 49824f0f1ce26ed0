"""`presencia keys`: make, list and revoke the keys that calls need."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from avatar.access.keys import Key, new_key, read_keys, write_keys
from avatar.settings import load
from speech.errors import ConfigError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `keys` command and its own commands."""
    keys = subparsers.add_parser("keys", help="make, list and revoke the keys that calls need")
    keys.add_argument("--config", type=Path, help="settings file (default: presencia.toml)")
    keys.set_defaults(run=run)
    commands = keys.add_subparsers(dest="keys_command", metavar="COMMAND", required=True)
    new = commands.add_parser("new", help="make a key; it is shown this once")
    new.add_argument("name", help="whom or what it is for, as 'shop'")
    new.add_argument("--calls", type=_positive, metavar="N", help="at most N at once with it")
    new.add_argument("--per-minute", type=_positive, metavar="N", help="at most N begun with it")
    commands.add_parser("list", help="show every key's id, name, day and limits")
    revoke = commands.add_parser("revoke", help="make a key worthless at once")
    revoke.add_argument("key", metavar="ID_OR_NAME")


def run(args: argparse.Namespace) -> int:
    """Run a `keys` command; returns the exit status.

    Raises:
        ConfigError: The settings or the file of keys are no good, or there is no such key.
    """
    file = load(args.config).access.keys_path
    keys = read_keys(file)
    match args.keys_command:
        case "new":
            return _new(file, keys, args)
        case "revoke":
            return _revoke(file, keys, args.key)
        case _:
            return _list(keys)


def _new(file: Path, keys: tuple[Key, ...], args: argparse.Namespace) -> int:
    if any(args.name in (key.name, key.id) for key in keys):
        raise ConfigError(f"There is a key '{args.name}' already. Revoke it, or name this another.")
    token, key = new_key(
        args.name,
        datetime.now(UTC).date().isoformat(),
        max_calls=args.calls,
        calls_per_minute=args.per_minute,
    )
    write_keys(file, [*keys, key])
    print(token)
    print(
        "This is the only time it is shown. From now on every call needs a key; a server that "
        "runs knows it already.",
        file=sys.stderr,
    )
    return 0


def _revoke(file: Path, keys: tuple[Key, ...], wanted: str) -> int:
    revoked = [key for key in keys if wanted in (key.id, key.name)]
    if not revoked:
        raise ConfigError(f"There is no key '{wanted}'. See them: presencia keys list")
    write_keys(file, [key for key in keys if key not in revoked])
    print(f"{revoked[0].id} ({revoked[0].name}) begins no call any more; those under way go on.")
    return 0


def _list(keys: tuple[Key, ...]) -> int:
    if not keys:
        print("No keys. Make one: presencia keys new NAME")
        return 0
    rows = [("ID", "NAME", "MADE", "CALLS", "PER MINUTE")]
    rows += [
        (key.id, key.name, key.created, _limit(key.max_calls), _limit(key.calls_per_minute))
        for key in keys
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0


def _limit(value: int | None) -> str:
    return "-" if value is None else str(value)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("is at least 1")
    return value
