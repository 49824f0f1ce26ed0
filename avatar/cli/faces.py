"""`presencia faces`: the faces that the setting `face.name` can choose from."""

import argparse
import tomllib

from avatar.face.library import face_folder, face_names
from avatar.settings import load


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser("faces", help="list the faces to choose from")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each face; the chosen one is marked.

    Raises:
        ConfigError: The settings are wrong.
    """
    del args
    chosen = load().face.name
    for name in face_names():
        folder = face_folder(name)
        card = tomllib.loads((folder / "card.toml").read_text("utf-8"))
        size_mb = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        mark = "*" if name == chosen else " "
        print(f"{mark} {name:<12}{size_mb:5.1f} MB  {card.get('licence', '')}")
    return 0
