"""The plates of a bake, and the cache that lets a bake go on where it stopped."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from render.bake.blender_env import Blender
from render.baked.rig import OPEN_POSE, Camera

PLATE_PX = 1024
WIDE = (-188, 0, 1400, 1024)
SQUARE = (0, 0, 1024, 1024)
FACE_BOX = (256, 192, 768, 768)
SHADE_BOX = (232, 120, 792, 776)
EYES_BOX = (328, 300, 696, 450)
TEETH_BOX = (384, 500, 640, 760)
CAMERA = Camera(focal=85 / 36, distance=0.88, height=0.669 - 0.045, plate_px=PLATE_PX)
PIVOT = (0.0, -0.035, 0.575)
"""Where a head turns on its neck, metres.

Before the atlas, for the relief that it turns over is shallower than a head: so its outline stays
where it is, as a round head's does.
"""
NECK_FADE = (0.49, 0.585)


def _both(**weights: float) -> dict[str, float]:
    return {name + side: w for name, w in weights.items() for side in ("Left", "Right")}


SHADING: dict[str, dict[str, float]] = {
    "smile": _both(mouthSmile=0.8, cheekSquint=0.5),
    "pucker": {"mouthPucker": 0.9},
    "brows_up": {"browInnerUp": 0.9} | _both(browOuterUp=0.9),
    "brows_down": _both(browDown=0.9),
    "squint": _both(eyeSquint=0.9),
    "frown": _both(mouthFrown=0.9),
    "jaw": {"jawOpen": 0.5},
}
"""The expressions that have shading of their own, and their drivers."""

_SKIN = ("body", "brows", "beard")
_ALL = (*_SKIN, "eyes", "teeth_upper", "teeth_lower", "tongue", "hair", "clothes")
_INNER = ("teeth_upper", "teeth_lower", "tongue")
_CODE_NOT_RENDERED = (
    *("plan.py", "pack.py", "character.py", "blender_env.py", "lashes.py"),
    *("eyes_plate.py", "face_mesh.py", "relief.py", "residual.py"),
    *("subdivide.py", "background.py", "touch_up.py", "crown.py", "lip_rounding.py"),
)

Box = tuple[int, int, int, int]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class PlateSpec:
    """One picture to render.

    Attributes:
        canvas: Left, top, width, height of the whole picture, plate pixels.
        box: Left, top, right, bottom of the part to render, plate pixels.
        scale: Plate pixels per texel.
        shown: Parts that the camera sees; others still throw shadows, unless hidden.
    """

    name: str
    samples: int
    canvas: Box = SQUARE
    box: Box = FACE_BOX
    scale: float = 1.0
    pose: dict[str, float] = field(default_factory=dict)
    wrinkles: dict[str, float] = field(default_factory=dict)
    shown: tuple[str, ...] = _ALL
    hidden: tuple[str, ...] = ()
    depth: bool = False

    @property
    def origin(self) -> tuple[int, int]:
        """Plate position of the top left corner."""
        return self.box[0], self.box[1]


def plates(samples: int, coarse: float = 1.0) -> list[PlateSpec]:
    """All plates of a face, those that share a pose together.

    Args:
        samples: Per pixel of the rest plate; the others take their share.
        coarse: For drafts: how many times coarser every plate is.
    """

    def share(of: float) -> int:
        return max(4, round(samples * of))

    whole = (WIDE[0], WIDE[1], WIDE[0] + WIDE[2], WIDE[1] + WIDE[3])
    made = [
        PlateSpec("rest", share(1), canvas=WIDE, box=whole, scale=coarse, depth=True),
        PlateSpec(
            "eyes",
            share(1),
            box=EYES_BOX,
            scale=coarse,
            shown=("eyes",),
            hidden=tuple(part for part in _ALL if part != "eyes"),
        ),
        PlateSpec("open", share(0.75), scale=coarse, pose=OPEN_POSE),
    ]
    inner = [
        PlateSpec(
            name,
            share(0.75),
            box=TEETH_BOX,
            scale=coarse,
            pose=OPEN_POSE,
            shown=(name,),
            hidden=tuple(part for part in _ALL if part != name),
        )
        for name in _INNER
    ]
    shading = [
        PlateSpec(
            name, share(0.5), box=SHADE_BOX, scale=2 * coarse, pose=pose, wrinkles={name: 1.0}
        )
        for name, pose in SHADING.items()
    ]
    return [*made, *inner, *shading]


def render_plates(
    blender: Blender,
    data: Path,
    character: Mapping[str, Any],
    wanted: Iterable[PlateSpec],
    cache: Path,
    progress: Progress,
) -> None:
    """Render the plates that are not in the cache yet, or were made of other inputs.

    Raises:
        RenderError: Blender stopped before the last plate.
    """
    cache.mkdir(parents=True, exist_ok=True)
    code = _code_digest()
    todo = {}
    for spec in wanted:
        key = _digest([asdict(spec), character, asdict(CAMERA), code])
        if _is_done(cache, spec, key):
            progress(f"{spec.name}: kept")
        else:
            todo[spec.name] = (spec, key)
    if not todo:
        return
    job = {
        "data": str(data),
        "character": character,
        "camera": asdict(CAMERA),
        "plates": [
            asdict(spec) | {"file": str(cache / f"{spec.name}.png")} for spec, _ in todo.values()
        ],
    }
    for name in todo:
        _stamp(cache, name).unlink(missing_ok=True)
    job_file = cache / "job.json"
    job_file.write_text(json.dumps(job), "utf-8")
    done = 0
    for line in blender.run("render.bake.blender.scene", job_file):
        name, _, seconds = line.partition(" ")
        if name in todo:
            done += 1
            _stamp(cache, name).write_text(todo[name][1])
            progress(f"{name}: {seconds} s ({done} of {len(todo)})")
        else:
            progress(line)


def _is_done(cache: Path, spec: PlateSpec, key: str) -> bool:
    files = [cache / f"{spec.name}.png", _stamp(cache, spec.name)]
    return all(file.is_file() for file in files) and files[1].read_text() == key


def _stamp(cache: Path, name: str) -> Path:
    return cache / f"{name}.sha256"


def _code_digest() -> str:
    """Of every file that a picture depends on."""
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *(here / "blender").glob("*.py")]
    used = sorted(file for file in files if file.name not in _CODE_NOT_RENDERED)
    return hashlib.sha256(b"".join(file.read_bytes() for file in used)).hexdigest()


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=os.fspath)
    return hashlib.sha256(text.encode()).hexdigest()
