"""Reading the mouth of Presencia's own face."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.client.observer import MouthReader
from avatar.store import data_folder
from render.baked.asset import BakedFace
from render.mouth import MouthMeter


def face_reader(face: str) -> MouthReader:
    """A reader of a face, in frames of whatever size the first one has.

    Args:
        face: As the setting `face.face`: a folder under models/faces, or a path to one.

    Raises:
        ConfigError: There is no such face.
        RenderError: Its files are damaged.
    """
    folder = Path(face) if "/" in face else data_folder("models") / "faces" / face
    asset = BakedFace.load(folder)
    meter: MouthMeter | None = None

    def read(luma: NDArray[np.uint8]) -> float:
        nonlocal meter
        if meter is None:
            meter = MouthMeter(luma.shape[1], luma.shape[0], asset)
        return meter.openness(luma)

    return read
