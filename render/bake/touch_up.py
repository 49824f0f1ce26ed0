"""Touches up a packed face: dark lip corners, stray shading, a grey tongue, hair that is cut off.

The last step of `pack`. It changes pictures alone, so that the server's and the page's drawing stay
the same.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.crown import crowned
from render.baked.asset import SHADING, BakedFace
from render.mouth import lip_line

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

_CORNER_M = 0.0215  # from the middle of the mouth to its corners
_SEAM_BAND_M = (0.60, 1.40, 0.0045)  # of the way to the corners: from, to; and half its height
_SHADOW = 0.52  # of the lips' brightness: what is darker between the corners is too dark
_LEFT_DARK = 0.74  # of the colour around it, that such a shadow gets
_CALM_M = ((0.0215, 0.0043, 0.0065, 0.0035), (0.0065, 0.0095, 0.0080, 0.0055))
"""Where shading is taken away, on both sides: x and height above the mouth, and half axes. At the
corners of the lips, and under the nostrils, whose shadows move with a smile."""
_TONGUE_UV = (-18.0, 38.0)  # blood under a wet skin: Cb and Cr of its mean, from grey
_TONGUE_LUMA = 130.0
_NEAR_ENOUGH = 6.0  # levels from the wanted colour, within which a tongue is left as it is
_RUN_ON_PX = 3
_LOSSLESS, _REST_QUALITY = 101, 98


def touch_up(folder: Path) -> None:
    """Touch up a face in place: its pictures and their checksums.

    Args:
        folder: Of a face.

    Raises:
        ConfigError: The folder holds no face, or its card is wrong.
        RenderError: A file is missing, or is not the one that the card names.
    """
    face = BakedFace.load(folder)
    middle, depth = lip_line(face.mesh, face.camera)
    camera = face.camera
    zoom = camera.focal * camera.plate_px / (depth + camera.distance)
    rest, tongue = face.plates["rest"], face.plates["tongue"]
    at = (middle - rest.origin) / rest.scale
    mended = crowned(_soft_corners(rest.bgra, at, zoom / rest.scale))
    _replace(folder, "rest", mended, _REST_QUALITY)
    _move(folder, "rest", rest.origin, (len(mended) - len(rest.bgra)) * rest.scale)
    _replace(folder, "open", _without_inside(face), _LOSSLESS)
    _replace(folder, "tongue", _pink(tongue.bgra), _LOSSLESS)
    for name in SHADING:
        shading = face.shading[name]
        at = (middle - shading.origin) / shading.scale
        calm = _calm(shading.change.astype(np.float32), at, zoom / shading.scale)
        picture = np.rint(np.clip(calm + 128, 0, 255)).astype(np.uint8)
        _replace(folder, f"shading_{name}", picture, _LOSSLESS)


def _soft_corners(bgra: Image, middle: NDArray[np.float64], zoom: float) -> Image:
    """Fill the black between lips that do not quite meet at their corners.

    Args:
        bgra: The rest plate.
        middle: Of the mouth, in texels.
        zoom: Texels per metre.
    """
    rows, columns = np.mgrid[: bgra.shape[0], : bgra.shape[1]].astype(np.float32)
    aside = np.abs(columns + 0.5 - middle[0]) / zoom / _CORNER_M
    first, last, half_m = _SEAM_BAND_M
    band = (aside > first) & (aside < last)
    luma = cv2.cvtColor(np.ascontiguousarray(bgra[..., :3]), cv2.COLOR_BGR2GRAY)
    # The seam rises towards the corners: in each column it is where the lips are darkest.
    band &= np.abs(rows + 0.5 - middle[1]) < 3 * half_m * zoom
    seam = np.where(band, luma, 255).argmin(0)
    band &= np.abs(rows - seam[None]) < half_m * zoom
    dark = band & (luma < _SHADOW * np.median(luma[band]))
    if not dark.any():
        return bgra
    mask = cv2.dilate(dark.astype(np.uint8), np.ones((3, 3), np.uint8))
    filled = cv2.inpaint(np.ascontiguousarray(bgra[..., :3]), mask * 255, 4, cv2.INPAINT_TELEA)
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)[..., None]
    core = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), 1.2)[..., None]
    shaded = filled * (1 - (1 - _LEFT_DARK) * core)
    out = bgra.copy()
    out[..., :3] = np.rint(bgra[..., :3] * (1 - share) + shaded * share)
    return out


def _without_inside(face: BakedFace) -> Image:
    """The plate with the mouth open, its lips run on over the dark inside.

    Only lips and lids are taken from it. The lips' edge would bring a line of that dark with it,
    and the corners of a mouth that hardly opens would be nothing else.
    """
    opened, mesh = face.plates["open"], face.mesh
    spots = face.camera.project(mesh.morphed(face.open_pose))[:, :2]
    spots = (spots - np.array(opened.origin)) / opened.scale
    skin = np.zeros(opened.bgra.shape[:2], np.uint8)
    for corners in np.rint(spots[mesh.triangles[~mesh.lining]]).astype(np.int32):
        cv2.fillConvexPoly(skin, corners, 255)
    middle, _ = lip_line(mesh, face.camera)
    left, top = np.rint((middle - opened.origin) / opened.scale).astype(int).tolist()
    _, parts = cv2.connectedComponents((skin == 0).astype(np.uint8))
    below = parts[top:, left]
    inside = parts == below[below > 0][0]
    mask = cv2.dilate(inside.astype(np.uint8) * 255, np.ones((7, 7), np.uint8))
    out = opened.bgra.copy()
    out[..., :3] = cv2.inpaint(
        np.ascontiguousarray(out[..., :3]), mask, _RUN_ON_PX, cv2.INPAINT_TELEA
    )
    return out


def _calm(change: Floats, middle: NDArray[np.float64], zoom: float) -> Floats:
    """Take shading away where `_CALM_M` says, softly.

    Args:
        change: Shape (h, w, 3), levels.
        middle: Of the mouth, in texels.
        zoom: Texels per metre.
    """
    rows, columns = np.mgrid[: change.shape[0], : change.shape[1]].astype(np.float32)
    across = np.abs(columns + 0.5 - middle[0]) / zoom
    up = (middle[1] - rows - 0.5) / zoom
    keep = np.ones(change.shape[:2], np.float32)
    for x, height, half_x, half_y in _CALM_M:
        far = np.hypot((across - x) / half_x, (up - height) / half_y)
        keep *= np.clip((far - 0.7) / 0.6, 0, 1)
    return np.asarray(change * keep[..., None], np.float32)


def _pink(bgra: Image) -> Image:
    """Give a tongue the colour of one: its mean as `_TONGUE_UV` and `_TONGUE_LUMA` say."""
    ycc = cv2.cvtColor(np.ascontiguousarray(bgra[..., :3]), cv2.COLOR_BGR2YCrCb).astype(np.float32)
    solid = bgra[..., 3] > 200
    luma, mean = ycc[..., 0], 128 + np.array(_TONGUE_UV[::-1])
    if np.abs(ycc[solid][:, 1:].mean(0) - mean).max() < _NEAR_ENOUGH:
        return bgra
    ycc[..., 0] = luma * (_TONGUE_LUMA / float(luma[solid].mean()))
    light = ycc[..., 0] / _TONGUE_LUMA
    for channel, wanted in ((1, _TONGUE_UV[1]), (2, _TONGUE_UV[0])):
        own = ycc[..., channel] - ycc[..., channel][solid].mean()
        ycc[..., channel] = 128 + wanted * light + 0.5 * own
    out = bgra.copy()
    out[..., :3] = cv2.cvtColor(np.clip(np.rint(ycc), 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2BGR)
    return out


def _replace(folder: Path, name: str, picture: Image, quality: int) -> None:
    """Write a picture over the one of this name, and its checksum into the card."""
    file, card = folder / f"{name}.webp", folder / "card.toml"
    before = _entry(file)
    cv2.imwrite(str(file), picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    card.write_text(card.read_text("utf-8").replace(before, _entry(file)), "utf-8")


def _move(folder: Path, name: str, origin: tuple[float, float], up: float) -> None:
    """Say in the card where the top left corner of a picture is now, so much further `up`."""
    card, entry = folder / "card.toml", _entry(folder / f"{name}.webp")
    before, after = (
        f"{entry}\norigin = [{origin[0]:g}, {y:g}]" for y in (origin[1], origin[1] - up)
    )
    card.write_text(card.read_text("utf-8").replace(before, after), "utf-8")


def _entry(file: Path) -> str:
    """What a card says of a file; its checksum alone may be other files' too."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f'file = "{file.name}"\nsha256 = "{digest}"'
