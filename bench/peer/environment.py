"""The peer's own Python environment: made on first use in the cache, and kept."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from speech.errors import PresenciaError

PIPECAT = "1.14.0"
"""Version of the peer: the newest when this was written. The one place that names it."""

SHARED = (
    "aiortc",
    "av",
    "fastapi",
    "hibari-tts",
    "numpy",
    "onnxruntime",
    "unicode-rbnf",
)
"""Packages that both sides run on; the peer gets the versions that we run on."""

REPOSITORY = Path(__file__).resolve().parents[2]

_VERSIONS = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"python": platform.python_version()} | {n: version(n) for n in sys.argv[1:]}))
"""


class PeerError(PresenciaError):
    """The peer can't be installed."""


def requirements() -> tuple[str, ...]:
    """What is installed, as pip names it. uvicorn's extra brings the faster event loop."""
    return (
        f"pipecat-ai[webrtc,openai]=={PIPECAT}",
        f"uvicorn[standard]=={version('uvicorn')}",
        *(f"{name}=={version(name)}" for name in SHARED),
    )


def peer_python(cache: Path, wanted: Sequence[str]) -> Path:
    """The interpreter of an environment that has what is wanted.

    Args:
        cache: Folder to keep environments in.
        wanted: Requirements. They are looked at only when they change.

    Raises:
        PeerError: It can't be made; the message says why and what to do.
    """
    folder = cache / "peer"
    folder.mkdir(parents=True, exist_ok=True)
    python, stamp = folder / "venv" / "bin" / "python", folder / "installed.txt"
    have = "\n".join((sys.version, *wanted))
    with FileLock(folder / "lock"):
        if not (python.exists() and stamp.exists() and stamp.read_text() == have):
            stamp.unlink(missing_ok=True)
            print(f"installing Pipecat {PIPECAT} into {folder}", file=sys.stderr, flush=True)
            _run(sys.executable, "-m", "venv", "--clear", str(folder / "venv"))
            options = ("--quiet", "--no-input", "--disable-pip-version-check")
            _run(str(python), "-m", "pip", "install", *options, *wanted)
            stamp.write_text(have)
    return python


def versions(python: Path) -> dict[str, str]:
    """The versions of the packages that decide how the peer behaves."""
    names = ("pipecat-ai", "openai", "uvloop", *SHARED)
    found: dict[str, str] = json.loads(_run(str(python), "-c", _VERSIONS, *names))
    return found


def _run(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout).strip().splitlines() or ["no word"]
        reason = next((line for line in words if line.startswith("ERROR:")), words[-1])
        raise PeerError(
            f"Can't install Pipecat ({reason}). It comes from the Python package registry: check "
            "the network and pip's settings (pip config list), and try again."
        ) from None
    return result.stdout
