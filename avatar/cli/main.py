"""The `presencia` command."""

import argparse
import sys

from avatar.cli import bake, bench, call, doctor, faces, keys, kiosk, models, replay, serve, turn
from speech.errors import PresenciaError


def main() -> int:
    """Run the subcommand that the command line names.

    Returns:
        The exit status: 0 success, 1 failure with one line on stderr, 2 wrong usage.
    """
    parser = argparse.ArgumentParser(
        prog="presencia", description="Talk face to face with a digital human."
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (serve, call, kiosk, keys, doctor, turn, replay, bench, bake, faces, models):
        command.add_parser(subparsers)
    args = parser.parse_args()
    try:
        return int(args.run(args))
    except PresenciaError as error:
        print(f"presencia: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
