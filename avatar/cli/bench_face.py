"""`presencia bench face`: what a face costs, whether its lips are right, how it looks."""

import argparse
from pathlib import Path

from avatar.cli.checkout import need_checkout
from speech.errors import ConfigError

_QUICK_MINUTES = 0.5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to `presencia bench`."""
    parser = subparsers.add_parser(
        "face",
        help="measure faces: cost, lip sync in the pixels, sync in a browser; write sheets, clips",
        description="Draw every face, measure it, and write contact sheets and a clip of each. "
        "docs/bench.md says what each number is.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object alone on stdout")
    parser.add_argument(
        "--face", action="append", default=[], metavar="NAME", help="repeatable; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="a little of everything")
    parser.add_argument(
        "--clips", choices=("en", "es"), help="only write clips, in which they speak that"
    )
    parser.add_argument("--out", type=Path, default=Path("out/face"), metavar="DIR")
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="in a browser, in either mode; 0 for none; 10"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, write and print; returns the exit status.

    Raises:
        ConfigError: This is no checkout, or there is no such face.
        RenderError: A face is damaged.
        CallError: The server did not start.
    """
    need_checkout("`presencia bench face`")
    # After the arguments are known to be good: they import the face and the voices.
    from avatar.face.library import face_names
    from bench.face.run import Plan, measure_faces, write_clips
    from bench.report import machine_facts

    if args.clips:
        for path in write_clips(args.face or face_names(), args.clips, args.out):
            print(path)
        return 0
    minutes = args.minutes
    if minutes is None:
        minutes = _QUICK_MINUTES if args.quick else 10.0
    if minutes < 0:
        raise ConfigError("--minutes takes 0 or more.")
    machine = machine_facts()
    report = measure_faces(args.face or face_names(), Plan(args.out, quick=args.quick))
    if minutes:
        from bench.face.browser import measure_skew

        report.shared |= measure_skew(minutes)
    print(report.as_json(machine) if args.json else report.as_table(machine))
    return 0
