"""Whether the folders that the settings name can be written to."""

import tempfile
from pathlib import Path

from avatar.settings import Settings
from speech.errors import ConfigError


def check_folders(settings: Settings) -> None:
    """Find out before anybody calls that what is to be kept can't be.

    Raises:
        ConfigError: A folder can't be made or written to.
    """
    if settings.recording.enabled:
        _check(
            "recording.folder",
            settings.recording.root,
            "give another one, or set recording.enabled = false",
        )
    if settings.kiosk.enabled:
        _check("kiosk.state_folder", settings.kiosk.root, "give another one")


def _check(name: str, folder: Path, otherwise: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{name}: {folder} can't be written to: {error.strerror}. "
            f"Let this user write there, {otherwise}."
        ) from error
