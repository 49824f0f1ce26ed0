"""A tiny face is packed by hand, so that every way to spoil it can be tried."""

import hashlib

import cv2
import numpy as np
import pytest

from render.baked.asset import PLATES, BakedFace
from render.types import ARKIT
from speech.errors import ConfigError, RenderError


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path):
    np.savez_compressed(
        tmp_path / "mesh.npz",
        vertices=np.zeros((3, 3), np.float32),
        triangles=np.array([[0, 1, 2]], np.uint16),
        lining=np.zeros(1, np.bool_),
        morph_starts=np.array([0] + [1] * len(ARKIT), np.int32),
        morph_vertices=np.zeros(1, np.uint16),
        morph_deltas=np.full((1, 3), 100, np.int16),
        jaw=np.zeros((4, 3), np.float32),
        relief=np.zeros((4, 4), np.float32),
    )
    names = ", ".join(f'"{name}"' for name in ARKIT)
    card = [
        'name = "Tiny"', "format = 1", 'licence = "CC0-1.0"', 'provenance = "made by a test"',
        'visemes = ["sil"]', 'no_effect = ["tongueOut"]', f"blendshapes = [{names}]",
        "[camera]", "focal = 2.0", "distance = 0.9", "height = 0.6", "plate_px = 32",
        "[eyes]", "left = [0.03, 0, 0.6]", "right = [-0.03, 0, 0.6]", "radius = 0.01",
        "[mesh]", 'file = "mesh.npz"', "delta_unit = 1e-5",
        f'sha256 = "{sha256(tmp_path / "mesh.npz")}"',
    ]  # fmt: skip
    for name in PLATES:
        picture = np.full((32, 32, 4), 200, np.uint8)
        cv2.imwrite(str(tmp_path / f"{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, 101])
        card += [f"[plates.{name}]", f'file = "{name}.webp"', "origin = [0, 0]"]
        card += [f'sha256 = "{sha256(tmp_path / f"{name}.webp")}"']
    (tmp_path / "card.toml").write_text("\n".join(card))
    return tmp_path


def edit(folder, old, new):
    card = folder / "card.toml"
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new, 1))


def test_a_whole_face_loads_read_only(folder):
    face = BakedFace.load(folder)
    assert face.name == "Tiny"
    assert set(face.plates) == set(PLATES)
    assert face.mesh.morph_deltas[0, 0] == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="read-only"):
        face.mesh.vertices[0] = 1


def test_a_changed_file_is_refused_by_name(folder):
    (folder / "open.webp").write_bytes((folder / "rest.webp").read_bytes() + b"!")
    with pytest.raises(RenderError, match=r"open\.webp is not the file"):
        BakedFace.load(folder)


def test_a_missing_file_is_refused_by_name(folder):
    (folder / "smile.webp").unlink()
    with pytest.raises(RenderError, match=r"smile\.webp: No such file"):
        BakedFace.load(folder)


def test_a_missing_plate_is_refused_by_name(folder):
    edit(folder, "[plates.tongue]", "[plates.tonsils]")
    with pytest.raises(ConfigError, match="missing plate 'tongue'"):
        BakedFace.load(folder)


def test_an_unknown_blendshape_is_refused_by_name(folder):
    edit(folder, '"jawOpen"', '"jawsOpen"')
    with pytest.raises(ConfigError, match="unknown blendshape 'jawsOpen'"):
        BakedFace.load(folder)


def test_a_missing_blendshape_is_refused_by_name(folder):
    edit(folder, '"jawOpen", ', "")
    with pytest.raises(ConfigError, match=r"missing \['jawOpen'\]"):
        BakedFace.load(folder)


def test_a_folder_without_a_face_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"card\.toml.*face\.face"):
        BakedFace.load(tmp_path / "nobody")


def test_a_mesh_of_the_wrong_shape_is_refused(folder):
    with np.load(folder / "mesh.npz") as stored:
        arrays = dict(stored) | {"jaw": np.zeros((3, 3), np.float32)}
    before = sha256(folder / "mesh.npz")
    np.savez_compressed(folder / "mesh.npz", **arrays)
    edit(folder, before, sha256(folder / "mesh.npz"))
    with pytest.raises(RenderError, match=r"jaw is float32 \(3, 3\)"):
        BakedFace.load(folder)


def test_a_mesh_that_points_past_its_vertices_is_refused(folder):
    with np.load(folder / "mesh.npz") as stored:
        arrays = dict(stored) | {"triangles": np.array([[0, 1, 3]], np.uint16)}
    before = sha256(folder / "mesh.npz")
    np.savez_compressed(folder / "mesh.npz", **arrays)
    edit(folder, before, sha256(folder / "mesh.npz"))
    with pytest.raises(RenderError, match="triangles points past the 3 vertices"):
        BakedFace.load(folder)


def test_a_file_that_is_no_mesh_is_refused(folder):
    before = sha256(folder / "mesh.npz")
    (folder / "mesh.npz").write_bytes(b"not a zip")
    edit(folder, before, sha256(folder / "mesh.npz"))
    with pytest.raises(RenderError, match=r"mesh\.npz is not a face mesh"):
        BakedFace.load(folder)
