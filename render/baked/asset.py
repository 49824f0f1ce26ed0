"""A baked face on disk: a folder with `card.toml`, plates and a mesh, each pinned by its sha256."""

import hashlib
import io
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from render.baked.rig import Camera, Mesh
from render.types import ARKIT
from speech.errors import ConfigError, RenderError

PLATES = ("rest", "open", "smile", "eyes", "teeth_upper", "teeth_lower", "tongue")

_MESH_ARRAYS = {
    "vertices": (np.float32, (-1, 3)),
    "triangles": (np.uint16, (-1, 3)),
    "lining": (np.bool_, (-1,)),
    "morph_starts": (np.int32, (len(ARKIT) + 1,)),
    "morph_vertices": (np.uint16, (-1,)),
    "morph_deltas": (np.int16, (-1, 3)),
    "jaw": (np.float32, (4, 3)),
    "relief": (np.float32, (-1, -1)),
}


@dataclass(frozen=True, slots=True)
class Plate:
    """One baked picture.

    Attributes:
        bgra: uint8, shape (h, w, 4), straight alpha; colour runs on under transparent pixels.
        origin: Plate position (x, y) of its top left corner.
    """

    bgra: NDArray[np.uint8]
    origin: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class BakedFace:
    """A face, checked and in memory. Its arrays are read-only and shared by every renderer.

    Attributes:
        name: As people may see it.
        camera: What the plates were baked through.
        eyes: float32, shape (2, 3): centres of the left and the right eyeball, in metres.
        eye_radius: In metres.
        mesh: What moves.
        plates: One for each name in `PLATES`.
    """

    name: str
    camera: Camera
    eyes: NDArray[np.float32]
    eye_radius: float
    mesh: Mesh
    plates: dict[str, Plate] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "BakedFace":
        """Read and check a face.

        Raises:
            ConfigError: The folder holds no face, or its card is wrong.
            RenderError: A file is missing, or is not the one that the card names.
        """
        card = _read_card(folder)
        mesh = _read_mesh(_checked(folder, card.mesh.file, card.mesh.sha256), card.mesh)
        for array in (getattr(mesh, name) for name in Mesh.__dataclass_fields__):
            array.setflags(write=False)
        plates = {name: _read_plate(folder, card.plates[name]) for name in PLATES}
        return cls(
            name=card.name,
            camera=Camera(**card.camera.model_dump()),
            eyes=np.array([card.eyes.left, card.eyes.right], np.float32),
            eye_radius=card.eyes.radius,
            mesh=mesh,
            plates=plates,
        )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Table):
    file: str
    sha256: str


class _PlateCard(_File):
    origin: tuple[int, int]


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


def _arkit_order(names: tuple[str, ...]) -> tuple[str, ...]:
    if names != ARKIT:
        missing = [name for name in ARKIT if name not in names]
        raise ValueError(f"missing {missing}" if missing else "not in ARKit order")
    return names


def _all_plates(plates: dict[str, _PlateCard]) -> dict[str, _PlateCard]:
    for name in PLATES:
        if name not in plates:
            raise ValueError(f"missing plate {name!r}")
    return plates


_Blendshapes = Annotated[tuple[str, ...], AfterValidator(_known_blendshapes)]


class _CardFile(_Table):
    name: str
    format: int
    licence: str
    provenance: str
    visemes: tuple[str, ...]
    no_effect: _Blendshapes
    blendshapes: Annotated[_Blendshapes, AfterValidator(_arkit_order)]
    camera: _CameraCard
    eyes: _EyesCard
    mesh: _MeshCard
    plates: Annotated[dict[str, _PlateCard], AfterValidator(_all_plates)]


def _read_card(folder: Path) -> _CardFile:
    path = folder / "card.toml"
    try:
        return _CardFile.model_validate(tomllib.loads(path.read_text("utf-8")))
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


def _read_mesh(content: bytes, card: _MeshCard) -> Mesh:
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
    vertices = len(arrays["vertices"])
    for name in ("triangles", "morph_vertices"):
        if arrays[name].max(initial=0) >= vertices:
            raise RenderError(f"{card.file}: {name} points past the {vertices} vertices")
    return Mesh(
        vertices=arrays["vertices"],
        triangles=arrays["triangles"].astype(np.int32),
        lining=arrays["lining"],
        morph_starts=arrays["morph_starts"],
        morph_vertices=arrays["morph_vertices"].astype(np.int32),
        morph_deltas=(arrays["morph_deltas"] * card.delta_unit).astype(np.float32),
        jaw=arrays["jaw"],
        relief=arrays["relief"],
    )


def _read_plate(folder: Path, card: _PlateCard) -> Plate:
    content = _checked(folder, card.file, card.sha256)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise RenderError(f"{card.file} is not a picture with transparency")
    bled = _bleed(np.asarray(image, np.uint8))
    bled.setflags(write=False)
    return Plate(bled, card.origin)


def _bleed(bgra: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run colour on under transparent pixels, so that bilinear samples at edges stay clean."""
    alpha = bgra[..., 3:].astype(np.float32) / 255
    spread = cv2.GaussianBlur(bgra[..., :3] * alpha, (0, 0), 3)
    weight = cv2.GaussianBlur(alpha, (0, 0), 3)[..., None] + 1e-4
    out = bgra.copy()
    out[..., :3] = np.where(alpha > 0.02, bgra[..., :3], np.clip(spread / weight, 0, 255))
    return out
