"""Where the data folders `models` and `web_client` are.

They are not packages: a package called `models` would shadow the one that pickled checkpoints
import. In a checkout they stand beside `avatar`; `setup.py` puts them into `avatar/_data` of a
wheel.
"""

from pathlib import Path
from typing import Literal

from speech.errors import ModelStoreError

_PACKAGE = Path(__file__).resolve().parents[1]


def data_folder(name: Literal["models", "web_client"]) -> Path:
    """The folder `name`, in a checkout and in an installed wheel alike.

    Raises:
        ModelStoreError: The installation lacks it.
    """
    for parent in (_PACKAGE / "_data", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise ModelStoreError(f"This installation lacks its {name} folder: install presencia again.")
