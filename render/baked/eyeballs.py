"""The eyes plate made fit to turn: what light does to an eye stays put when the eye moves.

A plate shows the iris, the white, and the reflection of a light. The first two turn with the eye,
the reflection does not. Around its pole an eye looks about the same at every angle, so what is
much brighter than the ring that it lies on is the reflection.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

_RINGS, _SPOKES = 64, 180
_GLINT_REACH = 0.52  # of the eyeball's radius: the cornea
_GLINT_FROM, _GLINT_FULL = 18.0, 50.0  # levels above the ring
_WHITE_REACH = 0.60  # farther out a plate may show the lids' inside, or nothing
_EDGE_DIM = 0.18  # of brightness, from there to the rim: the lids' shade


def without_glints(
    bgra: Picture, centres: NDArray[np.floating], radius: float
) -> tuple[Picture, Picture]:
    """Take the reflections out of a picture of two eyeballs, and run their white on to the rim.

    Args:
        bgra: uint8, shape (h, w, 4).
        centres: In texels, shape (2, 2).
        radius: Of the eyeballs, in texels.

    Returns:
        The picture without reflections, and the reflections alone; laid over each other without
        turning, they are the picture again as far as the white goes.
    """
    clean, glints = bgra.copy(), np.zeros_like(bgra)
    glints[..., :3] = 255
    for centre in centres:
        _clean_one(clean, glints, np.asarray(centre, np.float32), radius)
    return clean, glints


def _clean_one(clean: Picture, glints: Picture, centre: Floats, radius: float) -> None:
    """Clean one eye in place."""
    rows, columns = np.mgrid[: clean.shape[0], : clean.shape[1]].astype(np.float32)
    across, down = columns + 0.5 - centre[0], rows + 0.5 - centre[1]
    far = np.hypot(across, down) / radius
    mine = far < 1.02
    shrink = np.minimum(1, _WHITE_REACH / np.maximum(far, 1e-3))
    u, v = centre[0] + across * shrink - 0.5, centre[1] + down * shrink - 0.5
    plate = np.asarray(
        cv2.remap(clean[..., :3], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
    pole = _pole(plate, far, centre, np.stack([across, down], 2))
    rings = _rings(plate, pole, radius)
    off = np.hypot(columns + 0.5 - pole[0], rows + 0.5 - pole[1]) / radius
    at = np.clip(off * _RINGS - 0.5, 0, _RINGS - 1.01)
    lower = at.astype(int)
    share = (at - lower)[..., None]
    base = rings[lower] * (1 - share) + rings[lower + 1] * share
    over = plate.mean(2) - base.mean(2)
    amount = np.clip((over - _GLINT_FROM) / (_GLINT_FULL - _GLINT_FROM), 0, 1)
    amount *= np.clip((_GLINT_REACH + 0.06 - far) / 0.06, 0, 1)
    amount = np.asarray(cv2.dilate(amount, np.ones((3, 3), np.uint8)), np.float32)
    amount = cv2.GaussianBlur(amount, (0, 0), 0.6)[..., None]
    matte = plate + amount * np.minimum(0, base - plate)
    strength = ((plate - matte) / np.maximum(1, 255 - matte)).max(2)
    dim = 1 - _EDGE_DIM * np.clip((far - _WHITE_REACH) / (1 - _WHITE_REACH), 0, 1)[..., None]
    clean[mine, :3] = np.rint(matte * dim)[mine]
    clean[mine, 3] = 255
    glints[mine, 3] = np.rint(255 * strength)[mine]


def _pole(plate: Floats, far: Floats, centre: Floats, offset: Floats) -> Floats:
    """Middle of the iris, in texels: of what is darker than the white around it."""
    luma = plate.mean(2)
    near = far < _GLINT_REACH
    white = np.percentile(luma[near], 80)
    weight = np.clip(white - luma - 10, 0, 30) * near
    for _ in range(3):  # whatever lies to one side of the iris pulls less each time
        shift = (offset * weight[..., None]).sum((0, 1)) / max(1e-3, float(weight.sum()))
        spread = np.hypot(*np.moveaxis(offset - shift, 2, 0))
        reach = 1.4 * float((spread * weight).sum() / max(1e-3, float(weight.sum())))
        weight = weight * (spread < 1.2 * reach)
    return np.asarray(centre + shift, np.float32)


def _rings(plate: Floats, centre: Floats, radius: float) -> Floats:
    """The median colour of each ring around the pole, shape (rings, 3)."""
    angle = np.arange(_SPOKES) * (2 * np.pi / _SPOKES)
    far = (np.arange(_RINGS) + 0.5) / _RINGS * radius
    u = (centre[0] + far[:, None] * np.cos(angle) - 0.5).astype(np.float32)
    v = (centre[1] + far[:, None] * np.sin(angle) - 0.5).astype(np.float32)
    unrolled = cv2.remap(plate, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.median(unrolled, 1), np.float32)
