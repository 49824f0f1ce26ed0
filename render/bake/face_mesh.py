"""The geometry that a face folder holds: what moves, and how far."""

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.figure import Figure
from render.bake.lip_rounding import rounded
from render.bake.plan import CAMERA
from render.bake.source import Floats
from render.bake.subdivide import subdivision
from render.types import ARKIT

DELTA_UNIT_M = 1e-5  # 0.03 px on the plate
_HEAD_FROM_M = 0.42
_FRONT_M = 0.035
_MOVES_M = 4e-4
# Speech moves nothing above the first height, from the eyes, and everything below the second: the
# under 1 px that it lost is less than the cost of drawing the eyes again in every frame.
_SPEECH_REACH_M = (-0.010, -0.026)
_LINING_UP_TO_M = 0.013  # over the parting of the lips

Arrays = dict[str, NDArray[np.generic]]


def face_mesh(figure: Figure) -> Arrays:
    """The part of the head that moves: vertices, triangles, quantised sparse morphs, jaw."""
    at = figure.rest[figure.faces].mean(1)
    chosen = (np.array(figure.groups) == "body") & (at[:, 2] > _HEAD_FROM_M)
    used, renumbered = np.unique(figure.faces[chosen], return_inverse=True)
    finer = subdivision(renumbered.reshape(-1, 4), len(used))
    vertices = finer(figure.rest[used])
    deltas = np.stack([finer((figure.posed({name: 1.0}) - figure.rest)[used]) for name in ARKIT])
    lining = np.repeat(_inside(figure)[chosen], 4) & (
        vertices[finer.quads].mean(1)[:, 2] < figure.landmarks["mouth"][2] + _LINING_UP_TO_M
    )
    moves = np.abs(deltas).max((0, 2))
    near = vertices[finer.quads].mean(1)[:, 1] < _FRONT_M
    keep = (moves[finer.quads].max(1) > _MOVES_M) & near
    kept, quads = np.unique(finer.quads[keep], return_inverse=True)
    quads = quads.reshape(-1, 4)
    deltas = _calmed(deltas[:, kept], vertices[kept, 2] - figure.eyes[0][:, 2].mean())
    deltas = rounded(vertices[kept], deltas, figure.landmarks["mouth"])
    arrays: Arrays = {
        "vertices": vertices[kept].astype(np.float32),
        "triangles": np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1)
        .reshape(-1, 3)
        .astype(np.uint16),
        "lining": np.repeat(lining[keep], 2),
        "jaw": _jaw(figure),
    }
    return arrays | sparse(deltas)


def sparse(deltas: Floats) -> Arrays:
    """Displacements, (52, v, 3) metres, as the mesh file holds them."""
    whole = np.round(deltas / DELTA_UNIT_M).astype(np.int16)
    rows = [np.flatnonzero(np.abs(delta).max(1)) for delta in whole]
    return {
        "morph_starts": np.cumsum([0, *map(len, rows)]).astype(np.int32),
        "morph_vertices": np.concatenate(rows).astype(np.uint16),
        "morph_deltas": np.concatenate([d[r] for d, r in zip(whole, rows, strict=True)]),
    }


def plate_spots(points: Floats) -> Floats:
    """Plate positions, (n, 2), of points, (n, 3) metres."""
    return np.asarray(CAMERA.project(points)[:, :2], np.float64)


def _inside(figure: Figure) -> NDArray[np.bool_]:
    """Faces that line the mouth, by the texture mask."""
    mask = cv2.imread(str(figure.mask_path("inside-mouth")), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    at = figure.uv[figure.face_uvs].mean(1)
    height, width = mask.shape
    column = np.clip((at[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - at[:, 1]) * height).astype(int), 0, height - 1)
    return np.asarray(mask[row, column] > 127)


def _calmed(deltas: Floats, over_eyes: Floats) -> Floats:
    calm = (over_eyes - _SPEECH_REACH_M[1]) / (_SPEECH_REACH_M[0] - _SPEECH_REACH_M[1])
    out = deltas.copy()
    for k, name in enumerate(ARKIT):
        if name.startswith(("jaw", "mouth")):
            out[k] *= 1 - np.clip(calm, 0, 1)[:, None]
    return out


def _jaw(figure: Figure) -> NDArray[np.float32]:
    """Motion of a point (x, y, z, 1) fixed to the jaw at jawOpen 1, (4, 3): the tongue's."""
    tongue = figure.members("helper-tongue")
    points = np.c_[figure.rest[tongue], np.ones(len(tongue))]
    by = (figure.posed({"jawOpen": 1.0}) - figure.rest)[tongue]
    return np.linalg.lstsq(points, by, rcond=None)[0].astype(np.float32)
