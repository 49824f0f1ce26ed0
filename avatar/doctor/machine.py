"""The machine: software versions, disk, memory, CPU, graphics cards."""

import math
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil

from avatar.doctor.findings import Finding, failed, good, warning
from avatar.doctor.load import measure_load

DISTRIBUTION = "presencia"
_NEEDED_MEMORY_GB = 2.0
"""README: a server with its default models and one call takes 1.7 GB."""
_SPARE_DISK_GB = 0.5
_IDLE_CORES_PER_CALL = 0.5
"""Drawing, encoding and media take 0.3 cores; hearing and answering need some on top."""
_GPU_LIMIT_S = 10.0
_LATE_MS = 100.0
"""An event loop that wakes later than this drops sound: 20 ms are sent ahead, and 100 buffered."""


def versions() -> Finding:
    """Python's, and whether every package is the one that this release was tested with."""
    name = "versions"
    wrong = []
    for requirement in requires(DISTRIBUTION) or []:
        pinned, _, marker = requirement.partition(";")
        package, equal, wanted = pinned.partition("==")
        if not equal or "extra" in marker:
            continue
        try:
            found = version(package.strip())
        except PackageNotFoundError:
            found = "missing"
        if found != wanted.strip():
            wrong.append(f"{package.strip()} {found} in place of {wanted.strip()}")
    if wrong:
        return failed(
            name, "; ".join(wrong), "Run make setup, or install presencia again in a fresh venv."
        )
    system = f"{platform.system()} {platform.release()}"
    python = ".".join(map(str, sys.version_info[:3]))
    return good(name, f"Presencia {version(DISTRIBUTION)}, Python {python}, {system}")


def disk(cache: Path, missing_bytes: int) -> Finding:
    """Room for what is still to be fetched.

    Args:
        cache: Where models are kept.
        missing_bytes: Of the models that are not there yet.
    """
    here = cache
    while not here.exists():
        here = here.parent
    free_gb = shutil.disk_usage(here).free / 1e9
    needed_gb = missing_bytes / 1e9 + _SPARE_DISK_GB
    says = f"{free_gb:.1f} GB free at {here}"
    if free_gb < needed_gb:
        fix = f"Free {needed_gb - free_gb:.1f} GB there, or set PRESENCIA_CACHE to a larger disk."
        return failed("disk", says, fix)
    return good("disk", says)


def memory() -> Finding:
    """Whether the models fit."""
    there = psutil.virtual_memory()
    says = f"{there.available / 1e9:.1f} of {there.total / 1e9:.1f} GB available"
    if there.available / 1e9 < _NEEDED_MEMORY_GB:
        fix = f"Close other programs: a server needs about {_NEEDED_MEMORY_GB:.0f} GB."
        return warning("memory", says, fix)
    return good("memory", says)


async def cpu(calls: int) -> Finding:
    """What is idle now, against what so many calls take.

    Args:
        calls: Places that the settings give.
    """
    load = await measure_load()
    says = (
        f"{load.cores} cores, {100 * load.busy:.0f} % busy, late by {load.late_ms:.0f} ms at most"
    )
    needed = calls * _IDLE_CORES_PER_CALL
    if load.idle_cores < needed:
        idle = math.floor(10 * load.idle_cores) / 10  # not rounded up to what is needed
        fix = (
            f"Stop what else computes here, or lower server.max_calls: {calls} calls want "
            f"{needed:.1f} idle cores, and only {idle:.1f} are idle."
        )
        return warning("cpu", says, fix)
    if load.late_ms > _LATE_MS:
        fix = f"Stop what else computes here: what wakes over {_LATE_MS:.0f} ms late loses sound."
        return warning("cpu", says, fix)
    return good("cpu", says)


def gpu() -> Finding:
    """What graphics card is here, and what would use it. None is needed."""
    names = _nvidia_names()
    if not names:
        cards = list(Path("/dev/dri").glob("renderD*"))
        what = "a graphics card, but no NVIDIA driver" if cards else "none"
        return good("gpu", f"{what}; none is needed: everything runs on the CPU")
    return good(
        "gpu",
        f"{', '.join(names)}; this installation does not use it by itself: a language model "
        "behind llm.base_url may (docs/llm.md)",
    )


def _nvidia_names() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        asked = subprocess.run(query, capture_output=True, text=True, timeout=_GPU_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return asked.stdout.strip().splitlines() if asked.returncode == 0 else []
