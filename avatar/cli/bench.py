"""`presencia bench`: measure calls from the person's end."""

import argparse
import asyncio
import logging
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

from avatar.cli import bench_face, bench_peer, bench_turns
from avatar.cli.checkout import need_checkout
from speech.errors import ConfigError
from speech.types import Language

_TURNS, _BARGE_INS = 30, 10
_FEWEST_TURNS = 10  # a 95th percentile of fewer means nothing
_NOTHING_ANSWERED = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser(
        "bench",
        help="measure calls from the person's end, with recorded human speech",
        description="Start a server, talk with it over WebRTC, and print what the person got. "
        "docs/bench.md says what each number is.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object alone on stdout")
    parser.add_argument(
        "--turns",
        type=int,
        default=_TURNS,
        metavar="N",
        help=f"{_FEWEST_TURNS} or more; %(default)s",
    )
    parser.add_argument(
        "--barge-ins", type=int, default=_BARGE_INS, metavar="N", help="%(default)s"
    )
    parser.add_argument(
        "--language", choices=get_args(Language), default="en", help="that is spoken; %(default)s"
    )
    parser.add_argument("--url", help="measure a running server instead of starting one")
    parser.add_argument(
        "--recordings", type=Path, metavar="FOLDER", help="with a transcripts.tsv; default: ours"
    )
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="decode none, and measure no face: the client's largest share of the cores, taken out",
    )
    parser.add_argument("--verbose", action="store_true", help="pass the server's log on")
    parser.set_defaults(run=run)
    others = parser.add_subparsers(metavar="face|peer|turns")
    bench_face.add_parser(others)
    bench_peer.add_parser(others)
    bench_turns.add_parser(others)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit status: 5 when no turn was answered.

    Raises:
        ConfigError: This is no checkout, or an argument is no good.
        CallError: The server did not start.
    """
    if args.turns < _FEWEST_TURNS or args.barge_ins < 0:
        raise ConfigError(f"--turns takes {_FEWEST_TURNS} or more, --barge-ins 0 or more.")
    need_checkout("`presencia bench`")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    return asyncio.run(_bench(args))


async def _bench(args: argparse.Namespace) -> int:
    # After the arguments are known to be good: they import aiortc and the face.
    from avatar.client.mouth import face_reader
    from avatar.settings import load
    from bench.calls import measure
    from bench.recordings import FOLDER, recordings
    from bench.report import machine_facts
    from bench.server_process import serving
    from bench.side import Plan

    machine = machine_facts()
    spoken = recordings(args.recordings or FOLDER, args.language)
    read_mouth = None if args.no_pictures else face_reader(load().face.name)
    plan = Plan(turns=args.turns, barge_ins=args.barge_ins, language=args.language)
    server = nullcontext(args.url) if args.url else serving(verbose=args.verbose)
    async with server as url:
        report = await measure(url, spoken, plan, read_mouth)
    print(report.as_json(machine) if args.json else report.as_table(machine))
    answered = report.counts["turns"] - report.counts["turns_lost"]
    return 0 if answered else _NOTHING_ANSWERED
