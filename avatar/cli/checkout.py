"""What comes with the repository and in no distribution: the benchmarks and their recordings."""

import sys
from pathlib import Path

import avatar
from speech.errors import ConfigError


def need_checkout(what: str) -> None:
    """Make `bench` importable.

    Args:
        what: Needs it, as the message to the person begins.

    Raises:
        ConfigError: Presencia runs from an installation, not from a checkout.
    """
    checkout = Path(avatar.__file__).resolve().parents[1]
    if not (checkout / "bench" / "calls.py").is_file():
        raise ConfigError(
            f"{what} needs the repository and its recordings: run it from a checkout (git clone)."
        )
    if str(checkout) not in sys.path:
        sys.path.append(str(checkout))
