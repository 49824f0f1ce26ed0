"""Eyeballs as bright as they are between the lids."""

import numpy as np
from numpy.typing import NDArray

from render.bake.plan import PlateSpec
from render.bake.source import Floats
from render.baked.rig import Camera

_WHITE = (0.52, 0.78)  # of the radius: where the white of the eye shows beside the iris
_ROWS = 0.10  # of the radius: half the height of that strip
_GAIN = (0.5, 1.2)


def matched_eyes(
    plate: NDArray[np.uint8],
    spec: PlateSpec,
    rest: NDArray[np.uint8],
    rest_spec: PlateSpec,
    eyes: tuple[Floats, float],
    camera: Camera,
) -> NDArray[np.uint8]:
    """Dim the eyeballs, rendered without the head that shades them, to what the rest plate shows.

    Args:
        plate: uint8 BGRA (h, w, 4): the eyeballs alone.
        spec: Its place on the plate.
        rest: uint8 BGRA: the face at rest.
        rest_spec: Its place.
        eyes: Centres (2, 3) and radius, metres.
        camera: What both were baked through.
    """
    out = plate.copy()
    front = camera.project(eyes[0] - np.array([[0, eyes[1], 0]]))
    middle = front[:, 0].mean()
    for x, y, depth in front:
        reach = eyes[1] * camera.focal * camera.plate_px / (depth + camera.distance)
        right, up = np.meshgrid(np.linspace(*_WHITE, 12), np.linspace(-_ROWS, _ROWS, 7))
        aside = np.concatenate([-right, right]).ravel()
        spots = np.stack([x + reach * aside, y + reach * np.tile(up, (2, 1)).ravel()], 1)
        there, here = (
            np.median(_read(image, place, spots), 0)
            for image, place in ((rest, rest_spec), (plate, spec))
        )
        gain = np.clip(there.mean() / max(here.mean(), 1.0), *_GAIN)
        columns = np.arange(plate.shape[1]) * spec.scale + spec.origin[0]
        side = (columns < middle) == (x < middle)
        out[:, side, :3] = np.clip(plate[:, side, :3] * gain, 0, 255).astype(np.uint8)
    return out


def _read(image: NDArray[np.uint8], spec: PlateSpec, spots: Floats) -> Floats:
    """Colours (n, 3) at plate positions (n, 2)."""
    at = ((spots - spec.origin) / spec.scale).astype(int)
    return image[at[:, 1], at[:, 0], :3].astype(np.float64)
