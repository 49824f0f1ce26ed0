"""A tiny face is packed by hand, so that every way to spoil it can be tried."""

import hashlib

import cv2
import numpy as np
import pytest

from render.baked.asset import PLATES, SHADING, BakedFace
from render.types import ARKIT
from speech.errors import ConfigError, RenderError
from speech.phonemes import VISEMES


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
        turn_relief=np.zeros((4, 4), np.float32),
        lash_vertices=np.zeros((3, 3), np.float32),
        lash_triangles=np.array([[0, 1, 2]], np.uint16),
        lash_uv=np.zeros((3, 2), np.float32),
        lash_morph_starts=np.zeros(len(ARKIT) + 1, np.int32),
        lash_morph_vertices=np.zeros(0, np.uint16),
        lash_morph_deltas=np.zeros((0, 3), np.int16),
    )
    names = ", ".join(f'"{name}"' for name in ARKIT)
    visemes = ", ".join(f'"{name}"' for name in VISEMES)
    card = [
        'name = "Tiny"', "format = 3", 'licence = "CC0-1.0"', 'provenance = "made by a test"',
        f"visemes = [{visemes}]", 'no_effect = ["tongueOut"]', f"blendshapes = [{names}]",
        "[camera]", "focal = 2.0", "distance = 0.9", "height = 0.6", "plate_px = 32",
        "[eyes]", "left = [0.03, 0, 0.6]", "right = [-0.03, 0, 0.6]", "radius = 0.01",
        "[neck]", "pivot = [0, 0, 0.5]", "fade = [0.4, 0.5]",
        "[mesh]", 'file = "mesh.npz"', "delta_unit = 1e-5",
        f'sha256 = "{sha256(tmp_path / "mesh.npz")}"',
    ]  # fmt: skip
    drivers = "drivers = { mouthSmileLeft = 0.5, mouthSmileRight = 1, jawOpen = 0.5 }"
    for part, names, last in (("plates", PLATES, []), ("shading", SHADING, [drivers])):
        for name in names:
            path = tmp_path / f"{part}_{name}.webp"
            picture = np.full((32, 32, 3 if part == "shading" else 4), 138, np.uint8)
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_WEBP_QUALITY, 101])
            card += [f"[{part}.{name}]", f'file = "{path.name}"', f'sha256 = "{sha256(path)}"']
            card += ["origin = [0, 0]", "scale = 2.0", *last]
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
    (folder / "plates_open.webp").write_bytes((folder / "plates_rest.webp").read_bytes() + b"!")
    with pytest.raises(RenderError, match=r"plates_open\.webp is not the file"):
        BakedFace.load(folder)


def test_a_missing_file_is_refused_by_name(folder):
    (folder / "shading_smile.webp").unlink()
    with pytest.raises(RenderError, match=r"shading_smile\.webp: No such file"):
        BakedFace.load(folder)


def test_a_missing_plate_is_refused_by_name(folder):
    edit(folder, "[plates.tongue]", "[plates.tonsils]")
    with pytest.raises(ConfigError, match="missing plate 'tongue'"):
        BakedFace.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 3", "format = 2", "of format 2.*presencia bake"),
        ('"TH"', '"TX"', "unknown viseme 'TX'"),
        ('"TH", ', "", "missing viseme 'TH'"),
        ("jawOpen = 0.5", "jawsOpen = 0.5", "unknown driver 'jawsOpen'"),
        (", mouthSmileRight = 1, jawOpen = 0.5", "", "nothing drives the right side"),
        ("[shading.squint]", "[shading.squid]", "missing shading 'squint'"),
        ("[plates.eyes]", "[plates.tail]\nfile = 'x'\nsha256 = ''\norigin = [0, 0]\nscale = 1\n"
         "[plates.eyes]", "unknown plate 'tail'"),
        ("scale = 2.0", "scale = 0.0", "greater than 0"),
    ],
)  # fmt: skip
def test_a_card_that_asks_for_something_else_is_refused_by_name(folder, old, new, said):
    edit(folder, old, new)
    with pytest.raises(ConfigError, match=said):
        BakedFace.load(folder)


def test_each_side_of_a_residual_is_driven_by_its_own_weights_and_by_unsided_ones(folder):
    left, right = BakedFace.load(folder).shading["smile"].drivers
    weights = np.zeros(len(ARKIT), np.float32)
    weights[ARKIT.index("mouthSmileLeft")] = 0.5
    assert left @ weights == pytest.approx(0.5 * 0.5 / (0.5**2 + 0.5**2))
    assert right @ weights == 0
    weights[ARKIT.index("mouthSmileRight")] = 1
    weights[ARKIT.index("jawOpen")] = 0.5
    assert (left @ weights, right @ weights) == (pytest.approx(1), pytest.approx(1))


def test_a_shading_picture_is_read_as_a_change_from_grey(folder):
    assert (BakedFace.load(folder).shading["jaw"].change == 10).all()


def test_an_unknown_blendshape_is_refused_by_name(folder):
    edit(folder, '"jawOpen"', '"jawsOpen"')
    with pytest.raises(ConfigError, match="unknown blendshape 'jawsOpen'"):
        BakedFace.load(folder)


def test_a_missing_blendshape_is_refused_by_name(folder):
    edit(folder, '"jawOpen", ', "")
    with pytest.raises(ConfigError, match=r"missing \['jawOpen'\]"):
        BakedFace.load(folder)


def test_a_folder_without_a_face_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"card\.toml.*face\.name"):
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
