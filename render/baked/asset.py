"""A baked face on disk: a folder with `card.toml`, plates and a mesh, each pinned by its sha256."""

import hashlib
import io
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from render.baked.rig import OPEN_POSE, Camera, Lashes, Mesh
from render.types import ARKIT
from speech.errors import ConfigError, RenderError
from speech.phonemes import VISEMES

FORMAT = 3
"""Of the folder: what reads one reads no other."""

PLATES = ("rest", "open", "eyes", "teeth_upper", "teeth_lower", "tongue", "lashes", "background")
SHADING = ("smile", "pucker", "brows_up", "brows_down", "squint", "frown", "jaw")

_MESH_ARRAYS = {
    "vertices": (np.float32, (-1, 3)),
    "triangles": (np.uint16, (-1, 3)),
    "lining": (np.bool_, (-1,)),
    "morph_starts": (np.int32, (len(ARKIT) + 1,)),
    "morph_vertices": (np.uint16, (-1,)),
    "morph_deltas": (np.int16, (-1, 3)),
    "jaw": (np.float32, (4, 3)),
    "relief": (np.float32, (-1, -1)),
    "turn_relief": (np.float32, (-1, -1)),
    "lash_vertices": (np.float32, (-1, 3)),
    "lash_triangles": (np.uint16, (-1, 3)),
    "lash_uv": (np.float32, (-1, 2)),
    "lash_morph_starts": (np.int32, (len(ARKIT) + 1,)),
    "lash_morph_vertices": (np.uint16, (-1,)),
    "lash_morph_deltas": (np.int16, (-1, 3)),
}


@dataclass(frozen=True, slots=True)
class Plate:
    """One baked picture.

    Attributes:
        bgra: uint8, shape (h, w, 4), straight alpha; colour runs on under transparent pixels.
        origin: Plate position (x, y) of its top left corner, in plate pixels.
        scale: Plate pixels per texel.
    """

    bgra: NDArray[np.uint8]
    origin: tuple[float, float]
    scale: float


@dataclass(frozen=True, slots=True)
class Shading:
    """What an expression adds to the colour of the skin, in rest position.

    Attributes:
        change: int8, shape (h, w, 3), BGR: change in 8-bit sRGB at weight 1.
        origin: Plate position (x, y) of its top left corner, in plate pixels.
        scale: Plate pixels per texel.
        drivers: float32, shape (2, 52): what a weight adds to the left and the right side's.
    """

    change: NDArray[np.int8]
    origin: tuple[float, float]
    scale: float
    drivers: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class BakedFace:
    """A face, checked and in memory. Its arrays are read-only and shared by every renderer.

    Attributes:
        name: As people may see it.
        camera: What the plates were baked through.
        eyes: float32, shape (2, 3): centres of the left and the right eyeball, in metres.
        eye_radius: In metres.
        pivot: float32, shape (3,): what the head turns about, in metres.
        neck: Heights z in metres between which the head's turn fades in, from below.
        open_pose: Weights that plate `open` was baked with.
        mesh: What moves.
        lashes: Ribbons at the lid margins; their texture is plate `lashes`.
        plates: One for each name in `PLATES`.
        shading: One for each name in `SHADING`.
    """

    name: str
    camera: Camera
    eyes: NDArray[np.float32]
    eye_radius: float
    pivot: NDArray[np.float32]
    neck: tuple[float, float]
    open_pose: dict[str, float] = field(repr=False)
    mesh: Mesh
    lashes: Lashes
    plates: dict[str, Plate] = field(repr=False)
    shading: dict[str, Shading] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "BakedFace":
        """Read and check a face.

        Raises:
            ConfigError: The folder holds no face, or its card is wrong.
            RenderError: A file is missing, or is not the one that the card names.
        """
        card = _read_card(folder)
        arrays = _read_arrays(_checked(folder, card.mesh.file, card.mesh.sha256), card.mesh)
        return cls(
            name=card.name,
            camera=Camera(**card.camera.model_dump()),
            eyes=np.array([card.eyes.left, card.eyes.right], np.float32),
            eye_radius=card.eyes.radius,
            pivot=np.array(card.neck.pivot, np.float32),
            neck=card.neck.fade,
            open_pose=card.plates["open"].pose or OPEN_POSE,
            mesh=_mesh(arrays),
            lashes=_lashes(arrays),
            plates={name: _read_plate(folder, card.plates[name]) for name in PLATES},
            shading={name: _read_shading(folder, card.shading[name]) for name in SHADING},
        )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Table):
    file: str
    sha256: str


class _PictureCard(_File):
    origin: tuple[float, float]
    scale: float = Field(gt=0)


class _NeckCard(_Table):
    pivot: tuple[float, float, float]
    fade: tuple[float, float]


class _MeshCard(_File):
    delta_unit: float


class _CameraCard(_Table):
    focal: float
    distance: float
    height: float
    plate_px: int


class _EyesCard(_Table):
    left: tuple[float, float, float]
    right: tuple[float, float, float]
    radius: float


def _known_blendshapes(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in ARKIT:
            raise ValueError(f"unknown blendshape {name!r}")
    return names


def _known_visemes(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in VISEMES:
            raise ValueError(f"unknown viseme {name!r}")
    for name in VISEMES:
        if name not in names:
            raise ValueError(f"missing viseme {name!r}")
    return names


def _known_weights(weights: dict[str, float]) -> dict[str, float]:
    _known_blendshapes(tuple(weights))
    return weights


def _some_drivers(drivers: dict[str, float]) -> dict[str, float]:
    for name in drivers:
        if name not in ARKIT:
            raise ValueError(f"unknown driver {name!r}")
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if not any(weight and not name.endswith(other) for name, weight in drivers.items()):
            raise ValueError(f"nothing drives the {side.lower()} side")
    return drivers


def _arkit_order(names: tuple[str, ...]) -> tuple[str, ...]:
    if names != ARKIT:
        missing = [name for name in ARKIT if name not in names]
        raise ValueError(f"missing {missing}" if missing else "not in ARKit order")
    return names


class _PlateCard(_PictureCard):
    pose: Annotated[dict[str, float], AfterValidator(_known_weights)] = {}


class _ShadingCard(_PictureCard):
    drivers: Annotated[dict[str, float], AfterValidator(_some_drivers)]


def _exactly(kind: str, names: tuple[str, ...]) -> AfterValidator:
    """Checks that a table has an entry for each name, and no other."""

    def check(table: dict[str, _Table]) -> dict[str, _Table]:
        for name in names:
            if name not in table:
                raise ValueError(f"missing {kind} {name!r}")
        for name in table:
            if name not in names:
                raise ValueError(f"unknown {kind} {name!r}")
        return table

    return AfterValidator(check)


_Blendshapes = Annotated[tuple[str, ...], AfterValidator(_known_blendshapes)]


class _CardFile(_Table):
    name: str
    format: int
    licence: str
    provenance: str
    visemes: Annotated[tuple[str, ...], AfterValidator(_known_visemes)]
    no_effect: _Blendshapes
    blendshapes: Annotated[_Blendshapes, AfterValidator(_arkit_order)]
    camera: _CameraCard
    eyes: _EyesCard
    neck: _NeckCard
    mesh: _MeshCard
    voices: dict[str, str] = {}
    plates: Annotated[dict[str, _PlateCard], _exactly("plate", PLATES)]
    shading: Annotated[dict[str, _ShadingCard], _exactly("shading", SHADING)]


def _read_card(folder: Path) -> _CardFile:
    path = folder / "card.toml"
    try:
        card = tomllib.loads(path.read_text("utf-8"))
        if card.get("format") != FORMAT:
            raise ConfigError(
                f"{path}: this is a face of format {card.get('format')}, and only format {FORMAT} "
                f"can be drawn. Bake it again: presencia bake {folder.name}"
            )
        return _CardFile.model_validate(card)
    except OSError as error:
        reason = f"Can't read {path}: {error.strerror}. Check the setting face.name."
        raise ConfigError(reason) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}") from None


def _checked(folder: Path, name: str, sha256: str) -> bytes:
    """A file's bytes, if they are the ones that the card promised."""
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RenderError(f"Can't read {path}: {error.strerror}. Reinstall the face.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RenderError(f"{path} is not the file that its card names (sha256). Reinstall it.")
    return content


def _read_arrays(content: bytes, card: _MeshCard) -> dict[str, NDArray[Any]]:
    """The mesh file's arrays, checked and read-only; deltas in metres, indices int32."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in _MESH_ARRAYS}
    except (KeyError, ValueError, BadZipFile) as error:
        raise RenderError(f"{card.file} is not a face mesh: {error}") from error
    for name, (dtype, shape) in _MESH_ARRAYS.items():
        found = arrays[name]
        fits = found.ndim == len(shape) and all(
            wanted in (-1, got) for wanted, got in zip(shape, found.shape, strict=True)
        )
        if found.dtype != dtype or not fits:
            raise RenderError(f"{card.file}: {name} is {found.dtype} {found.shape}, not {shape}")
    for part in ("", "lash_"):
        vertices = len(arrays[f"{part}vertices"])
        for name in (f"{part}triangles", f"{part}morph_vertices"):
            if arrays[name].astype(np.int64).max(initial=-1) >= vertices:
                raise RenderError(f"{card.file}: {name} points past the {vertices} vertices")
            arrays[name] = arrays[name].astype(np.int32)
        deltas = arrays[f"{part}morph_deltas"] * card.delta_unit
        arrays[f"{part}morph_deltas"] = deltas.astype(np.float32)
    for array in arrays.values():
        array.setflags(write=False)
    return arrays


def _mesh(arrays: dict[str, NDArray[Any]]) -> Mesh:
    return Mesh(**{name: arrays[name] for name in Mesh.__dataclass_fields__})


def _lashes(arrays: dict[str, NDArray[Any]]) -> Lashes:
    return Lashes(**{name: arrays[f"lash_{name}"] for name in Lashes.__dataclass_fields__})


def _read_picture(folder: Path, card: _PictureCard) -> NDArray[np.uint8]:
    content = _checked(folder, card.file, card.sha256)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3:
        raise RenderError(f"{card.file} is not a colour picture")
    return np.asarray(image, np.uint8)


def _read_plate(folder: Path, card: _PictureCard) -> Plate:
    """A plate; one without transparency, as WebP stores what is opaque, gets an opaque alpha."""
    image = _read_picture(folder, card)
    if image.shape[2] == 3:
        image = np.concatenate([image, np.full_like(image[..., :1], 255)], 2)
    bled = _bleed(image)
    bled.setflags(write=False)
    return Plate(bled, card.origin, card.scale)


def _read_shading(folder: Path, card: _ShadingCard) -> Shading:
    image = _read_picture(folder, card)[..., :3].astype(np.int16)
    change = np.clip(image - 128, -128, 127).astype(np.int8)
    drivers = np.zeros((2, len(ARKIT)), np.float32)
    for row, other in enumerate(("Right", "Left")):
        mine = {name: d for name, d in card.drivers.items() if not name.endswith(other)}
        power = math.fsum(d * d for d in mine.values())
        for name, d in mine.items():
            drivers[row, ARKIT.index(name)] = d / power
    for array in (change, drivers):
        array.setflags(write=False)
    return Shading(change, card.origin, card.scale, drivers)


def _bleed(bgra: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run colour on under transparent pixels, so that bilinear samples at edges stay clean."""
    alpha = bgra[..., 3:].astype(np.float32) / 255
    spread = cv2.GaussianBlur(bgra[..., :3] * alpha, (0, 0), 3)
    weight = cv2.GaussianBlur(alpha, (0, 0), 3)[..., None] + 1e-4
    out = bgra.copy()
    out[..., :3] = np.where(alpha > 0.02, bgra[..., :3], np.clip(spread / weight, 0, 255))
    return out
