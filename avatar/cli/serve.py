"""`presencia serve`: the server."""

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path

from avatar.access.exposure import check_certificate, check_exposure
from avatar.access.redaction import keep_refusals_out_of_logs, keep_tokens_out_of_logs
from avatar.settings import ServerSettings, at_address, load
from avatar.writable import check_folders
from speech.errors import ConfigError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the command line."""
    parser = subparsers.add_parser("serve", help="serve the call page and the API")
    parser.add_argument("--config", type=Path, help="settings file (default: presencia.toml)")
    parser.add_argument("--host", help="address to serve (default: 127.0.0.1, this machine only)")
    parser.add_argument("--port", type=int, help="0 picks a free one (default: 8080)")
    parser.add_argument("--verbose", action="store_true", help="log what each stage does")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted.

    Raises:
        ConfigError: The settings are wrong, the port is taken, a folder can't be written to, or
            anybody could call.
        ModelStoreError: A model is missing and can't be fetched.
    """
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    keep_tokens_out_of_logs()
    keep_refusals_out_of_logs()
    settings = at_address(load(args.config), args.host, args.port)
    check_exposure(settings)
    check_certificate(settings.server)
    check_folders(settings)
    listener = _bind(settings.server)
    # After the settings are known to be good: importing the models' runtimes takes seconds.
    from avatar.server import serve

    asyncio.run(serve(settings, listener))
    return 0


def _bind(server: ServerSettings) -> socket.socket:
    """The listening socket, so that a taken port is known before the models are loaded."""
    try:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((server.host, server.port))
    except OSError as error:
        raise ConfigError(
            f"Can't serve at {server.host} port {server.port}: {error.strerror or error}. "
            "Choose another with --port, or 0 for any free one."
        ) from error
    return listener
