"""The room behind the face: a dim, defocused interior, made for any frame size."""

import cv2
import numpy as np
from numpy.typing import NDArray

_WALL = (48.0, 52.0, 58.0)  # RGB
_LAMPS = (  # centre x, y and radius in frame heights from the middle; RGB to add
    (0.42, -0.22, 0.42, (96.0, 80.0, 62.0)),
    (-0.50, 0.02, 0.40, (24.0, 38.0, 60.0)),
)
_LIGHTS = 14
_GRAIN = 1.2  # standard deviation in levels; hides banding in the gradients


def backdrop(width: int, height: int) -> NDArray[np.uint8]:
    """Paint the room: uint8 BGR, shape (height, width, 3). The same size gives the same room."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / height, y / height - 0.5
    room = np.full((height, width, 3), _WALL, np.float32)
    for cx, cy, radius, colour in _LAMPS:
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / radius**2)
        room += glow[..., None] * np.array(colour, np.float32)
    for _ in range(_LIGHTS):
        cx, cy = rng.uniform(-0.9, 0.9), rng.uniform(-0.5, 0.25)
        radius, strength = rng.uniform(0.03, 0.07), rng.uniform(0.2, 0.8)
        disc = np.clip((radius - np.hypot(x - cx, y - cy)) / 0.012, 0, 1)
        room += disc[..., None] * strength * np.array((30.0, 22.0, 14.0), np.float32)
    room = np.asarray(cv2.GaussianBlur(room, (0, 0), height / 60), np.float32)
    room += rng.normal(0, _GRAIN, room.shape)
    return np.ascontiguousarray(np.clip(room, 0, 255).astype(np.uint8)[..., ::-1])
