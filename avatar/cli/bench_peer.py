"""`presencia bench peer`: our server beside Pipecat with the same models."""

import argparse
import asyncio
import logging
import sys

from avatar.cli.checkout import need_checkout
from speech.errors import ConfigError

_NOTHING_ANSWERED = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to `presencia bench`."""
    parser = subparsers.add_parser(
        "peer",
        help="call our server and a Pipecat bot with the same models, in turn; print the ratios",
        description="Install Pipecat into the cache (the first time), give it our recogniser, "
        "language model and voice, and call both with the same recordings. docs/bench.md says "
        "what each number is, and how the peer is set.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object alone on stdout")
    parser.add_argument("--turns", type=int, default=30, metavar="N", help="a side; %(default)s")
    parser.add_argument("--barge-ins", type=int, default=10, metavar="N", help="%(default)s")
    parser.add_argument("--verbose", action="store_true", help="pass the servers' logs on")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare and print; returns the exit status: 5 when one side answered nothing.

    Raises:
        ConfigError: This is no checkout, or an argument is no good.
        PeerError: Pipecat can't be installed.
        CallError: A server did not start.
    """
    if args.turns < 1 or args.barge_ins < 0:
        raise ConfigError("--turns takes 1 or more, --barge-ins 0 or more.")
    need_checkout("`presencia bench peer`")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    return asyncio.run(_compare(args))


async def _compare(args: argparse.Namespace) -> int:
    # After the arguments are known to be good: they import aiortc.
    from avatar.client.turns import Patience
    from avatar.settings import load
    from avatar.store import ModelStore
    from bench.calls import our_calls
    from bench.peer.calls import pipecat
    from bench.peer.environment import peer_python, requirements, versions
    from bench.peer.process import check, peer_serving
    from bench.peer.report import PEER, Comparison
    from bench.peer.settings import LANGUAGE, PEER_SETTINGS
    from bench.recordings import FOLDER, recordings
    from bench.report import machine_facts
    from bench.server_process import serving
    from bench.side import Plan, Side, call_in_turn

    settings = load()
    check(settings)
    cache = ModelStore.default().cache
    python = await asyncio.to_thread(peer_python, cache, requirements())
    facts: dict[str, object] = {
        "peer_versions": await asyncio.to_thread(versions, python),
        "peer_settings": PEER_SETTINGS,
        "machine": machine_facts(),
    }
    spoken = recordings(FOLDER, LANGUAGE)
    plan = Plan(args.turns, args.barge_ins, Patience(answer_s=20.0, longest_s=8.0), LANGUAGE)
    sides: list[Side] = []
    try:
        async with (
            serving(verbose=args.verbose) as our_url,
            peer_serving(python, settings, verbose=args.verbose) as peer_url,
        ):
            sides += [
                Side("ours_audio", our_calls(our_url, LANGUAGE, "audio")),
                Side("ours_video", our_calls(our_url, LANGUAGE, "video")),
                Side(PEER, pipecat(peer_url)),
            ]
            await call_in_turn(sides, spoken, plan)
    except BaseException as error:
        facts["broke_off"] = f"{type(error).__name__}: {error}"
        raise
    finally:  # also when it breaks off: what was measured took long
        comparison = Comparison({side.name: side.report for side in sides}, facts)
        if not comparison.is_empty:
            print(comparison.as_json() if args.json else comparison.as_table())
    return 0 if comparison.complete else _NOTHING_ANSWERED
