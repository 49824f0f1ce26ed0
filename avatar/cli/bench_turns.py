"""`presencia bench turns`: who is cut off when they pause, and how long the others wait."""

import argparse
import asyncio
from pathlib import Path

from avatar.cli.checkout import need_checkout


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to `presencia bench`."""
    parser = subparsers.add_parser(
        "turns",
        help="measure the end of turns: people cut off against the wait, on recorded speech",
        description="Play recorded people to the voice detector, the turn detector and the "
        "recogniser, and what these say to the endpointer, on a simulated clock. "
        "docs/turn-taking-measured.md says what each number is.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object alone on stdout")
    parser.add_argument(
        "--recordings",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="with a talks.tsv; repeatable; default: the repository's",
    )
    parser.add_argument("--curve", type=Path, metavar="FILE.svg", help="draw the trade-off here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit status.

    Raises:
        ConfigError: This is no checkout, or a table of recordings is no good.
        ModelStoreError: A model is missing and can't be fetched.
    """
    need_checkout("`presencia bench turns`")
    # After the arguments are known to be good: they import the models' runtimes.
    from bench.report import machine_facts
    from bench.turns.run import hear, measure
    from bench.turns.talks import FOLDER

    machine = machine_facts()
    report = measure(asyncio.run(hear(args.recordings or [FOLDER])), args.curve)
    print(report.as_json(machine) if args.json else report.as_table(machine))
    return 0
