"""The faces that are here."""

from pathlib import Path

from avatar.store.data import data_folder
from speech.errors import ConfigError

FACES_URL = "/v1/avatar/faces"

_CARD = "card.toml"


def face_names() -> list[str]:
    """The faces that the setting `face.name` can choose from, in alphabetical order."""
    return sorted(card.parent.name for card in _faces().glob(f"*/{_CARD}"))


def face_folder(name: str) -> Path:
    """Where a face is.

    Args:
        name: As the setting `face.name`: a folder under models/faces, or a path to one.

    Raises:
        ConfigError: There is no such face; says which there are.
    """
    folder = Path(name) if "/" in name else _faces() / name
    if not (folder / _CARD).is_file():
        known = ", ".join(face_names())
        raise ConfigError(f"No face {name!r} (setting face.name). There are: {known}; or a path.")
    return folder


def face_url(name: str) -> str:
    """Where the server gives a face to clients that draw it; `name` as for `face_folder`."""
    return f"{FACES_URL}/{Path(name).name}/"


def _faces() -> Path:
    return data_folder("models") / "faces"
