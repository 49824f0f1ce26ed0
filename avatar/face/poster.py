"""The face as a still: before a call, and during one without a picture."""

import cv2
import numpy as np

from render.baked.asset import BakedFace
from render.baked.renderer import compositor
from render.types import ARKIT, FacePose
from render.visemes import sides

_QUALITY = 90
_KINDLY = {"mouthSmile": 0.20, "cheekSquint": 0.18, "eyeSquint": 0.05}  # as while it listens


def draw_poster(face: BakedFace, width: int, height: int) -> bytes:
    """A face at rest, as the video of a call begins: WebP.

    Args:
        face: A loaded face.
        width: In pixels, a multiple of 16.
        height: The same.
    """
    still = np.zeros(3, np.float32)
    weights = np.zeros(len(ARKIT), np.float32)
    for name, weight in _KINDLY.items():
        weights[list(sides(name))] = weight
    rest = FacePose(weights, still, still[:2], breath=0.0, at_sample=0)
    frame = compositor(face, width, height).draw(rest)
    picture = cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420)
    is_good, encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    assert is_good  # any picture that is there can be encoded
    return encoded.tobytes()
