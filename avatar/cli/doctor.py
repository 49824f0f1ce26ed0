"""`presencia doctor`: what keeps calls from working here, and how to mend it."""

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from avatar.doctor.findings import Finding, as_json, table

EXIT_CODES = """exit codes:
  0  nothing failed; what only deserves a look does not count
  1  something failed, and the line below it says what to do

It looks at this machine. The page /doctor.html looks at a person's: microphone, loudspeaker,
browser, and the way from there to here.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="find what keeps calls from working, and how to mend it",
        description="Look at settings, models, machine, network and relays; try a call.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="settings file (default: presencia.toml)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", default="", help="of a running server (default: as configured)")
    where.add_argument("--port", type=int, help="as given to `presencia serve`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="trust the models' last check; read no checksums"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine and print; returns the exit status.

    Raises:
        PresenciaError: The installation is too broken to be examined.
    """
    # What the libraries say about attempts that fail is said better by the findings.
    logging.disable(logging.CRITICAL)
    try:
        findings = asyncio.run(_examine(args))
    finally:
        logging.disable(logging.NOTSET)
    failures = sum(finding.status == "failed" for finding in findings)
    if args.json:
        print(json.dumps(as_json(findings), indent=2))
    else:
        print(table(findings))
        print(f"\n{failures} of {len(findings)} failed." if failures else "\nNothing failed.")
    return 1 if failures else 0


async def _examine(args: argparse.Namespace) -> list[Finding]:
    # Not at the top: it comes with aiortc, which takes a second to import.
    from avatar.doctor.examination import examine

    shows_progress = sys.stderr.isatty() and not args.json
    found = []
    async for finding in examine(args.config, args.url, args.port, hash_models=not args.quick):
        found.append(finding)
        if shows_progress:
            print(f"\r{len(found)} looked at", end="", file=sys.stderr, flush=True)
    if shows_progress:
        print("\r", end="", file=sys.stderr)
    return found
