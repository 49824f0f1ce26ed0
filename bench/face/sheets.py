"""Contact sheets: everything a face can do, side by side, each picture with its name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.face.stage import Actor, Performance, resting, still
from render.baked.compositor import HEAD_LIMIT_RAD, Compositor
from render.emotion import FACES
from render.types import FEELINGS, FacePose, FaceState
from render.visemes import ARTICULATION
from speech.phonemes import VISEMES

Picture = NDArray[np.uint8]

SIDE_PX = 768
_WHOLE = (-0.42, 0.0, 0.42, 0.84)
_EYES = (-0.20, 0.24, 0.20, 0.48)
_MOUTH = (-0.17, 0.42, 0.17, 0.70)
_TEXT_PX, _PAPER, _INK = 22, (246, 246, 246), (40, 40, 40)
_STATES: tuple[FaceState, ...] = ("idle", "listening", "thinking", "speaking")
_WEBP_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is on a sheet.

    Attributes:
        poses: By their labels, in order.
        columns: Of the grid.
        crop: x0, y0, x1, y1 in frame heights, x from the middle.
        tile_px: Width of a picture.
    """

    poses: Sequence[tuple[str, FacePose]]
    columns: int
    crop: tuple[float, float, float, float] = _WHOLE
    tile_px: int = 256


def sheets(spoken: Performance) -> Mapping[str, Sheet]:
    """All sheets by name; `spoken` gives the frames of the one that speaks."""
    visemes = [(name, still(row)) for name, row in zip(VISEMES, ARTICULATION.targets, strict=True)]
    feelings = [("neutral", still())] + [
        (name, still(row)) for name, row in zip(FEELINGS, FACES, strict=True)
    ]
    blinks = [(f"blink {k / 8:.2f}", still({"eyeBlink": k / 8})) for k in range(9)]
    yaw, pitch, roll = (round(float(limit)) for limit in np.degrees(HEAD_LIMIT_RAD))
    turns = ((0, 0, 0), (yaw, 0, 0), (-yaw, 0, 0), (0, pitch, 0), (0, -pitch, 0), (0, 0, roll),
             (yaw, pitch, 0), (-yaw, -pitch, 0))  # fmt: skip
    heads = [(f"yaw {y} pitch {p} roll {r}", still(head_deg=(y, p, r))) for y, p, r in turns]
    looks = ((0, 0), (20, 0), (-20, 0), (0, 14), (0, -14), (20, 14), (-20, -14), (8, 4))
    gazes = [(f"gaze {x} {y}", still(gaze_deg=(x, y))) for x, y in looks]
    states = [(s, pose) for s in _STATES for pose in resting(s, 12.0)[::50]]
    first = next(k for k, p in enumerate(spoken.poses) if p.at_sample >= spoken.first_sample)
    words = [(f"{40 * k} ms", pose) for k, pose in enumerate(spoken.poses[first : first + 50])]
    return {
        "visemes": Sheet(visemes, 5),
        "mouths": Sheet(visemes, 5, _MOUTH),
        "emotions": Sheet(feelings, 4),
        "blink": Sheet(blinks, 3, _EYES, 320),
        "heads": Sheet(heads, 4),
        "gaze": Sheet(gazes, 4, _EYES),
        "states": Sheet(states, 6, _WHOLE, 200),
        "sentence": Sheet(words, 10, _MOUTH, 140),
    }


def write_sheets(actor: Actor, spoken: Performance, folder: Path) -> list[Path]:
    """Write every sheet as `NAME-SHEET.png`."""
    stage = actor.stage(SIDE_PX, SIDE_PX)
    written = []
    for name, sheet in sheets(spoken).items():
        path = folder / f"{actor.name}-{name}.png"
        cv2.imwrite(str(path), picture(stage, sheet))
        written.append(path)
    return written


def write_summary(actor: Actor, spoken: Performance, folder: Path) -> Path:
    """Write `NAME.webp`, small enough for the documentation: visemes, feelings, blink, head."""
    stage = actor.stage(SIDE_PX, SIDE_PX)
    of = sheets(spoken)
    rows = [
        Sheet(of["visemes"].poses, 8, _MOUTH, 150),
        Sheet(of["emotions"].poses, 8, _WHOLE, 150),
        Sheet([*of["blink"].poses[::2], *of["gaze"].poses[1:4]], 8, _EYES, 150),
        Sheet(of["heads"].poses, 8, _WHOLE, 150),
    ]
    path = folder / f"{actor.name}.webp"
    whole = np.vstack([picture(stage, row) for row in rows])
    cv2.imwrite(str(path), whole, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return path


def picture(stage: Compositor, sheet: Sheet) -> Picture:
    """The sheet as BGR."""
    tiles = [_tile(_shown(stage, pose), label, sheet) for label, pose in sheet.poses]
    blank = np.full_like(tiles[0], _PAPER[0])
    tiles += [blank] * (-len(tiles) % sheet.columns)
    return np.vstack(list(_rows(tiles, sheet.columns)))


def _rows(tiles: Sequence[Picture], columns: int) -> Iterable[Picture]:
    for k in range(0, len(tiles), columns):
        yield np.hstack(tiles[k : k + columns])


def _shown(stage: Compositor, pose: FacePose) -> Picture:
    return np.asarray(cv2.cvtColor(stage.draw(pose), cv2.COLOR_YUV2BGR_I420), np.uint8)


def _tile(frame: Picture, label: str, sheet: Sheet) -> Picture:
    """A part of a frame over its label."""
    height, width = frame.shape[:2]
    x0, x1 = (round(width / 2 + x * height) for x in (sheet.crop[0], sheet.crop[2]))
    y0, y1 = (round(y * height) for y in (sheet.crop[1], sheet.crop[3]))
    rows = round(sheet.tile_px * (y1 - y0) / (x1 - x0))
    part = frame[y0:y1, max(x0, 0) : x1]
    out = np.full((rows + _TEXT_PX, sheet.tile_px, 3), _PAPER, np.uint8)
    out[:rows] = cv2.resize(part, (sheet.tile_px, rows), interpolation=cv2.INTER_AREA)
    cv2.putText(
        out, label, (4, rows + _TEXT_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA
    )
    out[:, -2:] = _PAPER
    return out
