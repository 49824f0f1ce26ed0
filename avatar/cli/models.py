"""`presencia models`: list, fetch and verify the models."""

import argparse
import sys
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from avatar.store import Entry, ModelStore
from speech.errors import ModelStoreError
from speech.types import Language


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `models` command and its own commands."""
    models = subparsers.add_parser("models", help="list, fetch and verify the models")
    models.set_defaults(run=run)
    commands = models.add_subparsers(dest="models_command", metavar="COMMAND", required=True)
    commands.add_parser("list", help="show every model, its size, licence and whether it is here")
    fetch = commands.add_parser(
        "fetch", help="fetch models: those that calls need by default, or the ones named"
    )
    fetch.add_argument("names", nargs="*", metavar="NAME")
    fetch.add_argument("--all", action="store_true", help="every model of the list")
    fetch.add_argument(
        "--language", choices=get_args(Language), help="only what calls in this language need"
    )
    verify = commands.add_parser("verify", help="hash the models that are here, or those named")
    verify.add_argument("names", nargs="*", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Run a `models` command; returns the exit status.

    Raises:
        ModelStoreError: A name is unknown, or a model can't be fetched.
    """
    store = ModelStore.default()
    match args.models_command:
        case "list":
            return _list(store)
        case "verify":
            return _verify(store, args.names)
        case _:
            for name in _wanted(store, args.names, args.all, args.language):
                fetch_with_bar(store, name)
            return 0


def fetch_with_bar(store: ModelStore, name: str) -> Path:
    """The model's folder; what has to be fetched shows a bar, or lines where there's no terminal.

    Raises:
        ModelStoreError: It can't be fetched.
    """
    entry = store.entry(name)
    if store.is_fetched(name):
        return store.path(name)
    if not sys.stderr.isatty():
        print(f"fetching {name} ({_megabytes(entry)})", file=sys.stderr, flush=True)
        return store.fetch(name)
    with tqdm(
        desc=name, total=entry.bytes, unit="B", unit_scale=True, file=sys.stderr, leave=True
    ) as bar:

        def show(here: int) -> None:
            # A package arrives, then is unpacked: only the further of the two moves the bar.
            bar.update(max(0, here - bar.n))

        return store.fetch(name, show)


def _wanted(store: ModelStore, names: list[str], everything: bool, language: str) -> list[str]:
    if names:
        return [store.entry(name).name for name in names]
    entries = [store.entry(name) for name in store.names()]
    return [
        entry.name
        for entry in entries
        if (everything or entry.default)
        and (not language or not entry.languages or language in entry.languages)
    ]


def _list(store: ModelStore) -> int:
    rows = [("NAME", "FOR", "LANGUAGE", "SIZE", "LICENCE", "HERE")]
    for name in store.names():
        entry = store.entry(name)
        here = "yes" if store.is_fetched(name) else "no" if entry.default else "no (optional)"
        languages = " ".join(entry.languages) or "any"
        rows.append((name, entry.kind, languages, _megabytes(entry), entry.licence, here))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0


def _verify(store: ModelStore, names: list[str]) -> int:
    failed = False
    for name in names or [name for name in store.names() if store.is_fetched(name)]:
        try:
            store.verify(name)
            print(f"{name}: good", flush=True)
        except ModelStoreError as error:
            print(error, file=sys.stderr, flush=True)
            failed = True
    return 1 if failed else 0


def _megabytes(entry: Entry) -> str:
    return f"{entry.bytes / 1e6:.0f} MB"
