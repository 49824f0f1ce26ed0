"""Reading the mouth of Presencia's own face."""

import numpy as np
from numpy.typing import NDArray

from avatar.client.observer import MouthReader
from avatar.face.library import face_folder
from render.baked.asset import BakedFace
from render.mouth import MouthMeter


def face_reader(face: str) -> MouthReader:
    """A reader of a face, in frames of whatever size the first one has.

    Args:
        face: As the setting `face.name`: a folder under models/faces, or a path to one.

    Raises:
        ConfigError: There is no such face.
        RenderError: Its files are damaged.
    """
    asset = BakedFace.load(face_folder(face))
    meter: MouthMeter | None = None

    def read(luma: NDArray[np.uint8]) -> float:
        nonlocal meter
        if meter is None:
            meter = MouthMeter(luma.shape[1], luma.shape[0], asset)
        return meter.openness(luma)

    return read
