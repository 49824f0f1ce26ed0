"""`presencia replay`: run a recorded call, or the corpus of written ones, through today's code."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from avatar.cli.checkout import need_checkout
from avatar.settings import Settings, load
from speech.errors import ConfigError, PresenciaError

CORPUS = "corpus"

EXIT_CODES = """exit codes:
  0  it holds: nothing is worse, and nothing changed
  1  it could not be run
  2  the recording or an argument is no good
  6  something is worse, or changed
"""
_DOES_NOT_HOLD = 6


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser(
        "replay",
        help="run a recorded call again, and compare",
        description="Run a recorded call, or the corpus of written ones, through today's code, "
        "without a network. docs/replay.md says what is compared.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "call", metavar="CALL", help=f"a recording's folder, or its name; or '{CORPUS}'"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object alone on stdout")
    parser.add_argument(
        "--clock",
        choices=("real", "virtual"),
        help="real: latency is measured (default for a recording); "
        "virtual: the same each time, and faster (default for the corpus)",
    )
    parser.add_argument("--reference", type=Path, metavar="FILE", help="what was really said")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the replay as a recording")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="of the corpus; repeatable"
    )
    parser.add_argument("--config", type=Path, help="settings file (default: presencia.toml)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay and print; returns an exit code of `EXIT_CODES`."""
    try:
        settings = load(args.config)
        with TemporaryDirectory(prefix="presencia-replay-") as scratch:
            root = args.out or Path(scratch)
            if args.call == CORPUS:
                return _corpus(args, settings, root)
            return _recording(args, settings, root)
    except (PresenciaError, OSError) as error:
        print(f"presencia: {error}", file=sys.stderr)
        return 2 if _is_about_the_input(error) else 1


def _recording(args: argparse.Namespace, settings: Settings, root: Path) -> int:
    from avatar.recording.about import shaping
    from avatar.recording.format import Clock
    from avatar.recording.reading import read_call
    from avatar.replay.compare import compare
    from avatar.replay.report import ReplayReport, changed_settings

    folder = Path(args.call)
    if not folder.exists():
        folder = settings.recording.root / args.call
    first = read_call(folder)
    reference = _reference(args.reference or folder / "reference.txt", asked=args.reference)
    # After the recording is known to be good: importing the models' runtimes takes seconds.
    from avatar.replay.again import replay

    clock: Clock = args.clock or "real"
    now = replay(first, settings, clock, root)
    same_machine = first.header.machine == now.header.machine
    notes = changed_settings(first.header.settings, shaping(settings))
    if first.cut_off:
        notes.append("The recording breaks off: it is compared as far as it goes.")
    if not same_machine:
        notes.append("It was recorded on another machine: latency is shown, not judged.")
    is_timed = "virtual" not in (first.header.clock, clock)
    if not is_timed:
        notes.append("On the virtual clock latency is made up: it is shown, not judged.")
    timed = same_machine and is_timed
    comparison = compare(first, now, reference=reference, timed=timed)
    report = ReplayReport(first, now, comparison, notes)
    print(report.as_json() if args.json else report.as_table())
    return 0 if comparison.holds else _DOES_NOT_HOLD


def _corpus(args: argparse.Namespace, settings: Settings, root: Path) -> int:

    need_checkout("The corpus")
    from bench.corpus.report import as_json, as_table
    from bench.corpus.run import run_corpus

    results = run_corpus(settings, args.only, args.clock or "virtual", root)
    print(as_json(results) if args.json else as_table(results))
    return 0 if all(result.holds for result in results) else _DOES_NOT_HOLD


def _reference(path: Path, *, asked: Path | None) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        if asked is None:
            return ""
        raise ConfigError(f"There is no file {path}.") from None


def _is_about_the_input(error: Exception) -> bool:
    from avatar.recording.format import CallRecordingError

    return isinstance(error, CallRecordingError | ConfigError)
