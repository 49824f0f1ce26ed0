"""A network that can be switched off: that of a namespace of our own, where nothing else is."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence

OUTAGE_S = 5.0
_INSIDE = "BENCH_INSIDE"  # set once we are in a namespace of our own


def moved_inside(module: str, argv: Sequence[str]) -> int | None:
    """Run a module again, in a namespace of its own; None if this is that run.

    Needs root and iproute2.

    Args:
        module: As in `python -m`.
        argv: Its arguments.

    Returns:
        The exit status of that run.
    """
    if _INSIDE in os.environ:
        return None
    script = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--net", "sh", "-c", script, "sh", sys.executable, "-m", module, *argv]
    return subprocess.run(command, env={**os.environ, _INSIDE: "1"}, check=False).returncode


async def cut() -> None:
    """Have no network for `OUTAGE_S`."""
    await _link("down")
    await asyncio.sleep(OUTAGE_S)
    await _link("up")


async def _link(state: str) -> None:
    command = await asyncio.create_subprocess_exec("ip", "link", "set", "lo", state)
    if await command.wait():
        raise RuntimeError("The network can't be switched; run as root.")
