"""`presencia serve`: the server."""

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path

from pydantic import ValidationError

from avatar.access.exposure import check_certificate, check_exposure
from avatar.access.redaction import keep_refusals_out_of_logs, keep_tokens_out_of_logs
from avatar.settings import ServerSettings, Settings, load
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
        ConfigError: The settings are wrong, the port is taken, or anybody could call.
        ModelStoreError: A model is missing and can't be fetched.
    """
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    keep_tokens_out_of_logs()
    keep_refusals_out_of_logs()
    settings = _overridden(load(args.config), args.host, args.port)
    check_exposure(settings)
    check_certificate(settings.server)
    listener = _bind(settings.server)
    # After the settings are known to be good: importing the models' runtimes takes seconds.
    from avatar.server import serve

    asyncio.run(serve(settings, listener))
    return 0


def _overridden(settings: Settings, host: str | None, port: int | None) -> Settings:
    changes: dict[str, object] = {}
    if host is not None:
        changes["host"] = host
    if port is not None:
        changes["port"] = port
    try:
        server = ServerSettings.model_validate({**settings.server.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"--{first['loc'][0]} {first['input']}: {first['msg']}.") from None
    return settings.model_copy(update={"server": server})


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
