"""`presencia call`: call a running server with recordings as the microphone."""

import argparse
import sys
from pathlib import Path
from typing import get_args

from avatar.events import FaceMode
from speech.errors import ConfigError, PresenciaError, ServerFullError
from speech.types import Language

EXIT_CODES = """exit codes:
  0  every turn was answered
  1  the call failed or was lost
  2  a recording or an argument is no good
  3  no server, or one that is still loading
  4  the server is full
  5  a turn was not answered in time
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its arguments."""
    parser = subparsers.add_parser(
        "call",
        help="call a running server with recordings as the microphone",
        description="Make a real WebRTC call, say each recording, and save and print the answers.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE.wav", help="a turn each; any audio format"
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="save face and voice: .mp4, .mkv or .webm")
    parser.add_argument(
        "--text", action="append", default=[], help="type this turn, after the files; repeatable"
    )
    parser.add_argument(
        "--face",
        choices=get_args(FaceMode),
        default="video",
        help="who draws the face: the server (video), this client from poses, or nobody (audio)",
    )
    parser.add_argument("--language", choices=get_args(Language), help="default: the server's")
    parser.add_argument(
        "--interrupt-after",
        type=float,
        metavar="S",
        help="say the second file (or the first again) over the first answer, S seconds into it",
    )
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="for an answer: %(default)s"
    )
    parser.add_argument(
        "--agree-to-recording",
        action="store_true",
        help="let the server record the call, if it is set to (docs/replay.md)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the call; returns an exit code of `EXIT_CODES`."""
    try:
        if not args.files and not args.text:
            raise ConfigError("Nothing to say: give recordings (FILE.wav) or --text.")
        if args.interrupt_after is not None and not args.files:
            raise ConfigError("--interrupt-after needs a recording to interrupt with.")
        # After the arguments are known to be good: importing aiortc takes a second.
        from avatar.cli.calling import call_and_print

        return call_and_print(args)
    except PresenciaError as error:
        print(f"presencia: {error}", file=sys.stderr)
        return exit_code(error)


def exit_code(error: PresenciaError) -> int:
    """The exit code of `EXIT_CODES` for what went wrong."""
    # Not at the top: they come with aiortc.
    from avatar.client.clips import ClipError
    from avatar.client.recorder import RecordingError
    from avatar.client.signalling import NotReadyError, ServerUnreachableError

    match error:
        case ConfigError() | ClipError() | RecordingError():
            return 2
        case ServerUnreachableError() | NotReadyError():
            return 3
        case ServerFullError():
            return 4
        case _:
            return 1
